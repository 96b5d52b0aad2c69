// Bypasses by way of what is enforced: a policy that cannot be read, that somebody tries to widen, or that changes
// between two requests.
import { describe, expect, it, vi } from "vitest";
import type { Catalog } from "../src/catalog/schema.ts";
import { kvKeys } from "../src/store/records.ts";
import { hashSecret } from "../src/store/secrets.ts";
import { made, openAdminWorld } from "./admin-world.ts";
import { ask, bypassCatalog, expectCalled, expectRecorded, openBypassWorld } from "./bypass-world.ts";
import { modelOf, providerOf } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, readingBy } from "./world.ts";

const BRIEF = { CONFIG_TTL_SECONDS: "0.05" };
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 100));

describe("15. a policy that cannot be read is not “no policy”", () => {
  const stored = {
    schema: 1,
    org: "",
    revision: 1,
    policy: policyOf({}),
    projects: {},
    routing: { auto: [] },
    credentials: {},
  };
  it.each<[string, (org: string) => string | null | Error]>([
    ["the read fails", () => new Error("KV is down")],
    ["it is absent", () => null],
    ["it is malformed", () => '{"schema":1,'],
    ["it is empty", () => ""],
    ["it is from a newer schema", (org) => JSON.stringify({ ...stored, org, schema: 2 })],
    [
      "it has a field that this build does not know",
      (org) => JSON.stringify({ ...stored, org, exemptions: ["leaky"] }),
    ],
    ["it is another organization's", () => JSON.stringify({ ...stored, org: "other" })],
    ["its policy is missing", (org) => JSON.stringify({ ...stored, org, policy: undefined })],
  ])("%s: 503, recorded, nothing sent", async (_, value) => {
    const world = await openBypassWorld();
    world.restart({
      CONFIG: readingBy(world.env.CONFIG, async (key, read) => {
        if (key !== kvKeys.org(world.org)) return read();
        const given = value(world.org);
        if (given instanceof Error) throw given;
        return given;
      }),
    });
    expect(await errorOf(await ask(world, { model: "leaky/mix" }))).toMatchObject({
      status: 503,
      code: "policy_unavailable",
    });
    await expectCalled(world);
    expect(await world.events()).toMatchObject([{ type: "policy.unavailable", outcome: "refused" }]);
  });
});

/** An organization made through the admin API, with a key of its own, before a gateway that has its catalog. */
async function openManaged() {
  const admin = await openAdminWorld({ policy: policyOf({ requirements: ["no_training"] }) });
  const key = async (project: string) =>
    (await made(admin.ask("owner", "POST", "/keys", { body: { project, name: "test" } }))).body.key as string;
  // Its stand-in and journal, with the organization's own edge record and catalog.
  const world = await openWorld();
  world.restart({ CONFIG: admin.env.CONFIG });
  await made(admin.call("operator", "PUT", "/catalog", { body: { ...bypassCatalog, version: `v-${admin.org}` } }));
  const askWith = (apiKey: string, body: Record<string, unknown>, headers: Record<string, string> = {}) =>
    ask(world, body, { authorization: `Bearer ${apiKey}`, ...headers });
  const events = async () => (await made(admin.ask("owner", "GET", "/events"))).body.data;
  return { admin, world, key, askWith, events };
}

describe("16. the plan is changed to free", () => {
  it("and what is stored stays enforced", async () => {
    const { admin, world, key, askWith, events } = await openManaged();
    const apiKey = await key("web");
    await admin.setPlan("free");
    world.restart();
    expect((await askWith(apiKey, { model: "leaky/mix" })).status).toBe(403);
    expect((await askWith(apiKey, { model: "mix" })).headers.get("portcullis-provider")).toBe("alpha");
    await expectCalled(world, "alpha");
    expect(await events()).toMatchObject([{ outcome: "refused", providers: [{ id: "leaky" }] }]);
  });
});

describe("17. a project or a key tries to widen the organization's policy", () => {
  it.each([
    ["asks for nothing", policyOf({})],
    ["is switched off", { ...policyOf({}), enabled: false }],
    ["allows only what the organization does not", policyOf({ providers: { allow: ["leaky"], block: [] } })],
    ["allows the model", policyOf({ models: { allow: ["mix", "dirty"], block: [] } })],
  ])("a project's policy that %s has no effect", async (_, policy) => {
    const world = await openBypassWorld();
    await world.publish({ projects: { web: { policy } } });
    world.restart();
    expect((await ask(world, { model: "leaky/mix" })).status).toBe(403);
    await expectCalled(world);
    await expectRecorded(world, "refused", ["leaky"]);
  });

  it("a key's record that carries anything more is 503, not obeyed", async () => {
    const world = await openBypassWorld();
    const record = { schema: 1, org: world.org, project: "web", key_id: "key_1", expires_at: null };
    for (const more of [{ policy: policyOf({}) }, { exempt: true }, { schema: 2 }]) {
      await world.env.CONFIG.put(kvKeys.key(hashSecret(world.key)), JSON.stringify({ ...record, ...more }));
      world.restart();
      expect((await ask(world, { model: "leaky/mix" })).status).toBe(503);
    }
    await expectCalled(world);
  });
});

describe("18. a provider that was added to the catalog after the policy was saved", () => {
  it("is judged like any other: what is not known of it fails", async () => {
    const world = await openBypassWorld({ vars: BRIEF });
    const newcomer = providerOf("newcomer", { dataPolicy: { ...providerOf("x").dataPolicy, trainsOnPrompts: null } });
    const catalog: Catalog = {
      version: "bypass-2",
      providers: [...bypassCatalog.providers, newcomer],
      models: [...bypassCatalog.models, modelOf("new", { newcomer: 1 })],
    };
    expect((await ask(world, { model: "new" })).status).toBe(404);
    await world.publishCatalog(catalog);
    await aWhile();
    expect((await ask(world, { model: "new" })).status).toBe(403);
    await expectCalled(world);
    await expectRecorded(world, "refused", ["newcomer"]);
  });
});

describe("19. a provider's fact is withdrawn between two requests", () => {
  it("and the second no longer reaches it", async () => {
    const world = await openBypassWorld({ vars: BRIEF });
    expect((await ask(world, { model: "alpha/mix" })).status).toBe(200);
    const providers = bypassCatalog.providers.map((provider) =>
      provider.id === "alpha"
        ? { ...provider, dataPolicy: { ...provider.dataPolicy, trainsOnPrompts: null } }
        : provider,
    );
    await world.publishCatalog({ ...bypassCatalog, version: "bypass-2", providers });
    await aWhile();
    expect((await ask(world, { model: "alpha/mix" })).status).toBe(403);
    await expectCalled(world, "alpha");
    await expectRecorded(world, "refused", ["alpha"]);
  });
});

describe("20. an isolate that cannot refresh what it knows", () => {
  it("shuts the door after CONFIG_MAX_STALE_SECONDS", async () => {
    const world = await openBypassWorld({ vars: { ...BRIEF, CONFIG_MAX_STALE_SECONDS: "0.3" } });
    let down = false;
    const CONFIG = readingBy(world.env.CONFIG, async (key, read) => {
      if (down && key === kvKeys.org(world.org)) throw new Error("KV is down");
      return read();
    });
    world.restart({ CONFIG });
    expect((await ask(world, { model: "mix" })).status).toBe(200);
    down = true;
    expect((await ask(world, { model: "leaky/mix" })).status).toBe(403);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect((await ask(world, { model: "mix" })).status).toBe(503);
    await expectCalled(world, "alpha");
    expect((await world.events()).map(({ type }) => type)).toEqual(["compliance.blocked", "policy.unavailable"]);
  });
});

describe("22. two organizations", () => {
  it("whose keys begin alike are told apart by the whole key", async () => {
    const strict = await openBypassWorld();
    const lax = await openWorld({ catalog: bypassCatalog });
    const forged = strict.key.slice(0, 30) + lax.key.slice(30);
    expect((await ask(strict, { model: "leaky/mix" }, { authorization: `Bearer ${forged}` })).status).toBe(401);
    await expectCalled(strict);
  });

  it.each(["openai-project", "openai-organization", "portcullis-project", "portcullis-org", "x-portcullis-org"])(
    "a key of the strict one with %s of the lax one is the strict one's",
    async (header) => {
      const lax = await openWorld({ catalog: bypassCatalog });
      const world = await openBypassWorld();
      expect((await ask(world, { model: "leaky/mix" }, { [header]: lax.org })).status).toBe(403);
      await expectCalled(world);
      expect(await world.events()).toMatchObject([{ org: world.org, project: "web" }]);
    },
  );
});

describe("23. control characters and long text in a model's name", () => {
  const NAMES = [
    '=HYPERLINK("https://evil.example")',
    "+cmd|' /C calc'!A0",
    "@SUM(1)\r\n=2",
    'a","b\u2028c\u0000\u001b[31m',
    "x".repeat(256),
  ];

  it("the tail and the CSV export stay one line each, and no cell is a formula", async () => {
    const { admin, key, askWith, events } = await openManaged();
    const log = vi.spyOn(console, "log");
    const apiKey = await key("web");
    for (const name of NAMES) expect((await askWith(apiKey, { model: name, models: ["leaky/mix"] })).status).toBe(403);
    expect(await events()).toHaveLength(NAMES.length);
    for (const [line] of log.mock.calls) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
      expect(String(line)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      expect(JSON.parse(String(line))).toMatchObject({ message: "compliance.blocked" });
    }
    const { text } = await made(admin.ask("owner", "GET", "/events/export?format=csv"));
    expect(text.trimEnd().split(/[\r\n\u2028\u2029]+/)).toHaveLength(1 + NAMES.length);
    expect(text).not.toMatch(/(^|,)"?[=+@]/m);
  });

  it("a name longer than a model's may be is 400", async () => {
    const world = await openBypassWorld();
    expect((await ask(world, { model: `leaky/${"x".repeat(300)}` })).status).toBe(400);
    await expectCalled(world);
  });
});

describe("24. a revoked key", () => {
  it("is refused after CONFIG_TTL_SECONDS", async () => {
    const { admin, world, askWith } = await openManaged();
    world.restart(BRIEF);
    const { id, key } = (await made(admin.ask("owner", "POST", "/keys", { body: { project: "web", name: "k" } }))).body;
    expect((await askWith(key, { model: "mix" })).status).toBe(200);
    await made(admin.ask("owner", "DELETE", `/keys/${id}`));
    await aWhile();
    expect((await askWith(key, { model: "mix" })).status).toBe(401);
    await expectCalled(world, "alpha");
  });
});
