// The command line against the running stack: a project's own policy.
import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { at, POLICY, run, useDirectory } from "./cli.ts";
import { admin, changePolicy, type StoredPolicy } from "./client.ts";

const OF_BATCH = ["--project", "batch"];
const OWN: StoredPolicy = { ...POLICY, requirements: ["soc2_type2", "no_training", "gdpr"] };

useDirectory();
beforeAll(async () => void (await changePolicy(POLICY)));
beforeEach(removed);
afterAll(removed);

/** Leaves the project without a policy of its own. */
async function removed(): Promise<void> {
  await run(["policy", "remove", ...OF_BATCH]);
}

async function file(policy: StoredPolicy): Promise<string> {
  await writeFile(at("project.json"), JSON.stringify(policy));
  return at("project.json");
}

const stored = async (path = "/projects/batch/policy") => (await (await admin(path)).json()) as { policy: unknown };

it("is set, read, compared and removed, and the organization's stays what it was", async () => {
  expect(await run(["policy", "get", ...OF_BATCH])).toMatchObject({
    code: 0,
    out: "null\n",
    err: expect.stringMatching(/no policy of its own.*\nRevision \d+/),
  });
  const own = await file(OWN);
  expect(await run(["policy", "diff", own, ...OF_BATCH])).toMatchObject({
    code: 0,
    out: "Has a policy of its own. Now requires SOC 2 Type 2, No training on prompts and GDPR.\n",
  });
  expect((await stored()).policy).toBeNull();
  expect(await run(["policy", "set", own, ...OF_BATCH, "--reason", "Kundendaten"])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^Revision \d+\. Project batch: Has a policy of its own\. Now requires .* GDPR\.\n$/),
    err: "",
  });
  expect((await stored()).policy).toEqual(OWN);
  expect(JSON.parse((await run(["policy", "get", ...OF_BATCH])).out)).toEqual(OWN);
  expect((await run(["policy", "diff", own, ...OF_BATCH])).out).toMatch(/^Asks for the same as revision \d+\.\n$/);
  expect((await stored("/policy")).policy).toEqual(POLICY);
  expect(await run(["policy", "remove", ...OF_BATCH])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^Revision \d+\. Project batch: no longer has a policy of its own\.\n$/),
  });
  expect((await stored()).policy).toBeNull();
  expect(await run(["policy", "remove", ...OF_BATCH])).toMatchObject({
    code: 3,
    err: expect.stringContaining("carries no policy of its own"),
  });
});

it("is previewed together with the organization's, and guards a change", async () => {
  const draft = await file({ ...OWN, requirements: ["zero_retention"] });
  const guard = ["--fail-on-blocked", "gpt-4o-mini"];
  const { code, err, out } = await run(["policy", "preview", draft, ...OF_BATCH, ...guard]);
  expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(/newly blocked models:/) });
  expect(err).toMatch(/gpt-4o-mini would be blocked/);
  expect(err).toMatch(/Without effect: .*Leaving them out here does not lift them/);
  const { providers, guard: guarded } = JSON.parse(
    (await run(["policy", "preview", draft, ...OF_BATCH, ...guard, "--json"])).out,
  );
  expect(guarded.ok).toBe(false);
  const froms = providers.flatMap(({ failures }: { failures: { from: string }[] }) => failures.map(({ from }) => from));
  expect(new Set(froms)).toEqual(new Set(["organization", "project"]));
});

it("is refused on an older revision, also its removal", async () => {
  const own = await file(OWN);
  await run(["policy", "set", own, ...OF_BATCH]);
  for (const command of [
    ["policy", "set", own],
    ["policy", "remove"],
  ])
    expect(await run([...command, ...OF_BATCH, "--if-match", "1"])).toMatchObject({
      code: 3,
      err: expect.stringContaining("412 stale_revision"),
    });
  expect((await stored()).policy).toEqual(OWN);
});

it("of a project that nobody has is refused, and a name that is none never reaches the organization's", async () => {
  const own = await file(OWN);
  const commands = [
    ["policy", "get"],
    ["policy", "set", own],
    ["policy", "diff", own],
    ["policy", "preview", own],
    ["policy", "remove"],
  ];
  for (const command of commands) {
    expect(await run([...command, "--project", "nobody"])).toMatchObject({
      code: 3,
      err: expect.stringContaining("The organization has no such project."),
    });
    for (const name of ["..", "", "Web"])
      expect(await run([...command, "--project", name])).toMatchObject({
        code: 2,
        err: expect.stringContaining("--project takes the id of a project"),
      });
  }
  expect(await run(["policy", "remove"])).toMatchObject({ code: 2, err: expect.stringContaining("needs --project") });
  expect((await stored("/policy")).policy).toEqual(POLICY);
});
