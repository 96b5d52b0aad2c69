// The command line against the running stack: policy, keys, catalog, and how it is called.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { beforeAll, describe, expect, it } from "vitest";
import { asAdmin, at, CLI, type Environment, listening, POLICY, ROOT, run, useDirectory } from "./cli.ts";
import { changePolicy, demo, type StoredPolicy } from "./client.ts";

useDirectory();
beforeAll(async () => void (await changePolicy(POLICY)));

async function policyFile(change: Partial<StoredPolicy>, name = "policy.json"): Promise<string> {
  await writeFile(at(name), JSON.stringify({ ...POLICY, ...change }));
  return at(name);
}

describe("policy", () => {
  it("get prints a policy that set takes back; set says what changes, and keeps the reason", async () => {
    const got = await run(["policy", "get"]);
    expect(got).toMatchObject({ code: 0, out: expect.stringContaining('"soc2_type2"') });
    const { revision } = JSON.parse((await run(["policy", "get", "--json"])).out);
    const draft = JSON.stringify({ ...JSON.parse(got.out), requirements: ["soc2_type2", "no_training", "gdpr"] });
    const set = await run(["policy", "set", "-", "--reason", "Décidé par le comité"], { stdin: draft });
    expect(set).toMatchObject({ code: 0, out: `Revision ${revision + 1}. Now requires GDPR.\n` });
    const headers = { authorization: `Bearer ${demo.admin_token}` };
    const kept = await fetch(`${demo.url}/admin/api/orgs/${demo.org}/policy/revisions/${revision + 1}`, { headers });
    expect(await kept.json()).toMatchObject({ reason: "Décidé par le comité", via: "cli" });
  });

  it("set on an older revision is refused, and says what to do", async () => {
    const file = await policyFile({});
    const { code, err } = await run(["policy", "set", file, "--if-match", "1"]);
    expect({ code, err }).toEqual({ code: 3, err: expect.stringMatching(/412 stale_revision.*[\s\S]*policy diff/) });
  });

  it("set that would leave no provider asks for the confirmation", async () => {
    const file = await policyFile({ headquarters: ["AQ"] });
    expect(await run(["policy", "set", file])).toMatchObject({
      code: 3,
      err: expect.stringContaining("--confirm no-providers"),
    });
    expect(await run(["policy", "set", file, "--confirm", "no-providers"])).toMatchObject({ code: 0 });
    expect(await run(["policy", "set", await policyFile({})])).toMatchObject({ code: 0 });
  });

  it("diff says in words how a draft differs, and saves nothing", async () => {
    const before = (await run(["policy", "get", "--json"])).out;
    const differing = await run(["policy", "diff", await policyFile({ requirements: ["soc2_type2"] })]);
    expect(differing).toMatchObject({ code: 0, out: "No longer requires No training on prompts.\n" });
    expect((await run(["policy", "diff", await policyFile({})])).out).toMatch(
      /^Asks for the same as revision \d+\.\n$/,
    );
    expect((await run(["policy", "get", "--json"])).out).toBe(before);
  });

  it("preview guards a change: it exits 1 when a draft blocks a model that must not be blocked", async () => {
    const fine = await policyFile({});
    const guards = ["--fail-on-blocked", "gpt-4o-mini", "--fail-on-blocked", "gpt-oss-120b"];
    expect(await run(["policy", "preview", fine, ...guards])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/providers +\d+ allowed, \d+ blocked[\s\S]*nothing changes/),
    });
    const strict = await policyFile({ requirements: ["zero_retention"], providers: { allow: ["groq"], block: [] } });
    const held = await run(["policy", "preview", strict, ...guards]);
    expect(held.code).toBe(1);
    expect(held.err).toMatch(/gpt-4o-mini would be blocked: .*on the allow list/);
    expect(held.out).toContain("newly blocked providers:");
    // More than a pipe holds at once: none of it may be lost to the exit.
    const { code, out } = await run(["policy", "preview", strict, "--json", ...guards]);
    expect({ code, ok: JSON.parse(out).guard.ok }).toEqual({ code: 1, ok: false });
    expect((await run(["policy", "preview", strict])).code).toBe(0);
  });

  it("preview does not take a model that nobody has for one that is allowed", async () => {
    const { code, err } = await run(["policy", "preview", await policyFile({}), "--fail-on-blocked", "gpt-4o-minni"]);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("the catalog has no model of that id") });
  });

  it.each([
    ["is missing", () => at("nothing.json"), /cannot be read \(ENOENT\)/],
    ["is no JSON", () => CLI, /is not valid JSON/],
    ["is no policy", () => at("demo.json"), /is not a policy:[\s\S]*enabled/],
  ])("a file that %s is wrong usage", async (_, file, why) => {
    for (const command of ["set", "diff", "preview"])
      expect(await run(["policy", command, file()])).toMatchObject({ code: 2, err: expect.stringMatching(why) });
  });

  it("names that nobody knows are refused, each with what was perhaps meant", async () => {
    const file = await policyFile({ providers: { allow: [], block: ["opnai", "grok"] } });
    const { code, err } = await run(["policy", "set", file]);
    expect(code).toBe(3);
    expect(err).toMatch(/providers\.block\.0.*did you mean openai/);
  });
});

describe("keys", () => {
  it("are created, listed and revoked; stdout is the key alone", async () => {
    const made = await run(["keys", "create", "--project", "web", "--name", "from a terminal"]);
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^pcl_\S+\n$/) });
    const id = /key_\w+/.exec(made.err)?.[0] ?? "";
    const key = made.out.trim();
    const models = () => fetch(`${demo.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    expect((await models()).status).toBe(200);
    const listed = await run(["keys", "list"]);
    expect(listed.out).toMatch(new RegExp(`^${id} .*web +from a terminal .*valid$`, "m"));
    expect(listed.out).not.toContain(key);
    expect(await run(["keys", "revoke", id])).toMatchObject({ code: 0, out: `${id} is revoked.\n` });
    expect((await run(["keys", "list"])).out).toMatch(new RegExp(`^${id} .*revoked \\d{4}`, "m"));
  });

  it("may end by themselves", async () => {
    const args = ["keys", "create", "--project", "web", "--name", "short", "--expires-at", "2099-01-01T00:00:00Z"];
    expect((await run(args)).code).toBe(0);
    expect((await run(["keys", "list", "--project", "web"])).out).toContain("valid until 2099-01-01");
    const past = await run([...args.slice(0, -1), "2020-01-01T00:00:00Z"]);
    expect(past).toMatchObject({ code: 3, err: expect.stringContaining("expires_at") });
  });

  it("of nobody cannot be revoked", async () => {
    expect(await run(["keys", "revoke", "key_0"])).toMatchObject({
      code: 3,
      err: expect.stringContaining("404 not_found"),
    });
  });
});

describe("catalog", () => {
  it("publish takes the operator's token, and puts the shipped catalog in force", async () => {
    const env = { PORTCULLIS_URL: demo.url, PORTCULLIS_TOKEN: demo.operator_token };
    expect(await run(["catalog", "publish"], { env })).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Catalog \S+ is in force: \d+ providers, \d+ models\.\n$/),
    });
    expect(await run(["catalog", "publish"])).toMatchObject({ code: 3, err: expect.stringContaining("403 forbidden") });
    expect(await run(["catalog", "publish", at("demo.json")], { env })).toMatchObject({ code: 2 });
  });
});

describe("where, and on whose behalf", () => {
  it("is the demo of npm start unless said otherwise: nothing to set", async () => {
    expect((await run(["policy", "get"], { env: "demo" })).code).toBe(0);
    expect((await run(["catalog", "publish"], { env: "demo" })).code).toBe(0);
  });

  it("can be said by options", async () => {
    const options = ["--url", demo.url, "--token", demo.admin_token, "--org", demo.org];
    expect((await run(["policy", "get", ...options], { env: {} })).code).toBe(0);
  });

  it.each<[string, string[], Environment, RegExp]>([
    ["nothing said, and no demo", [], {}, /--url URL, or PORTCULLIS_URL/],
    ["an address without a token, beside a demo", ["--url", "https://gateway.example"], "demo", /on whose behalf/],
    ["a token without an address", ["--token", demo.admin_token], {}, /where the gateway is/],
    ["no organization", ["--url", demo.url, "--token", demo.admin_token], {}, /which organization/],
    ["an address in the clear", ["--url", "http://gateway.example", "--token", "x", "--org", "x"], {}, /unencrypted/],
    ["an address that is none", ["--url", "gateway", "--token", "x", "--org", "x"], {}, /no address/],
    [
      "an address with a password",
      [`--url`, `https://me:${demo.admin_token}@x`, "--token", "x", "--org", "x"],
      {},
      /no address/,
    ],
  ])("%s is wrong usage", async (_, args, env, why) => {
    expect(await run(["policy", "get", ...args], { env })).toMatchObject({ code: 2, err: expect.stringMatching(why) });
  });

  it("that cannot be reached is told, with the address", async () => {
    const env = { ...asAdmin(), PORTCULLIS_URL: "http://127.0.0.1:1" };
    expect(await run(["policy", "get"], { env })).toMatchObject({
      code: 3,
      err: expect.stringMatching(/127\.0\.0\.1:1 cannot be reached/),
    });
  });

  it("with a token that is none is told, and the token is not repeated", async () => {
    const env = { ...asAdmin(), PORTCULLIS_TOKEN: "pcladm_not-a-token" };
    const { code, err, out } = await run(["policy", "get"], { env });
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toContain("not_signed_in");
    expect(err).not.toContain("pcladm_");
  });

  it("that is another server is told", async () => {
    const server = createServer(
      (_, response) => void response.writeHead(302, { location: "https://elsewhere.example" }).end(),
    );
    const port = await listening(server, 0);
    const env = { ...asAdmin(), PORTCULLIS_URL: `http://127.0.0.1:${port}` };
    expect(await run(["policy", "get"], { env })).toMatchObject({
      code: 3,
      err: expect.stringContaining("leads elsewhere"),
    });
    server.close();
  });
});

describe("usage", () => {
  it("is told for everything and for each command, also through npm", async () => {
    const all = await run(["--help"]);
    expect(all).toMatchObject({ code: 0, err: "" });
    const commands = [...all.out.matchAll(/^ {2}(\w+ \w+)/gm)].map(([, name = ""]) => name.split(" "));
    expect(commands.length).toBeGreaterThan(10);
    for (const command of commands) {
      const { code, out } = await run([...command, "--help"]);
      expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/Usage: .*[\s\S]*--json/) });
    }
    const npm = await new Promise<string>((resolve, reject) =>
      execFile("npm", ["run", "--silent", "portcullis", "--", "policy", "--help"], { cwd: ROOT }, (error, out) =>
        error ? reject(error) : resolve(out),
      ),
    );
    expect(npm).toContain("policy preview FILE");
  });

  it.each([
    [[]],
    [["policy"]],
    [["policy", "delete"]],
    [["policy", "set"]],
    [["policy", "get", "more"]],
    [["policy", "get", "--nonsense"]],
    [["policy", "set", "a", "b"]],
    [["policy", "set", "demo.json", "--if-match", "x"]],
    [["keys", "create", "--project", "web"]],
    [["events", "list", "--limit", "many"]],
    [["events", "export", "--format", "chain", "--model", "x"]],
    [["--token", "the token", "policy", "get"]],
    [["policy", "get", "the token"]],
  ])("that is wrong exits 2 and says what is right: %j", async (args) => {
    expect(await run(args.map((arg) => (arg === "the token" ? demo.admin_token : arg)))).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringMatching(/npm run portcullis|is not a policy/),
    });
  });
});
