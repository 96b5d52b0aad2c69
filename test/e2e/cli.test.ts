// The command line against the running stack, as a person and a pipeline call it: what it prints, and how it exits.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changePolicy, demo, openai, type StoredPolicy } from "./client.ts";
import { waitUntil } from "./stack.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const NODE = join(ROOT, "node_modules/.bin/node");
const CLI = join(ROOT, "src/cli/portcullis.ts");
const RECORDED_MS = 20_000;

const POLICY: StoredPolicy = {
  enabled: true,
  requirements: ["soc2_type2", "no_training"],
  headquarters: [],
  providers: { allow: [], block: [] },
  models: { allow: [], block: [] },
};
const SECRETS = [demo.owner_token, demo.admin_token, demo.operator_token];

let directory: string;
const at = (name: string) => join(directory, name);
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "portcullis-cli-"));
  await writeFile(at("demo.json"), JSON.stringify(demo));
  await changePolicy(POLICY);
});
afterAll(() => rm(directory, { recursive: true }));

interface Ended {
  code: number;
  out: string;
  err: string;
}

/** An environment that says where and on whose behalf, or `demo`: the file that `npm start` left. */
type Environment = Record<string, string> | "demo";
const asAdmin = () => ({ PORTCULLIS_URL: demo.url, PORTCULLIS_TOKEN: demo.admin_token, PORTCULLIS_ORG: demo.org });

function environmentOf(environment: Environment): NodeJS.ProcessEnv {
  const given = environment === "demo" ? { PORTCULLIS_LOCAL_DIRECTORY: directory } : environment;
  return { PATH: process.env.PATH, PORTCULLIS_LOCAL_DIRECTORY: at("nothing-here"), ...given };
}

async function run(
  args: string[],
  { env = asAdmin(), stdin = "" }: { env?: Environment; stdin?: string } = {},
): Promise<Ended> {
  const ended = await new Promise<Ended>((resolve) => {
    const child = execFile(NODE, [CLI, ...args], { env: environmentOf(env), cwd: directory }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
    child.stdin?.end(stdin);
  });
  for (const secret of SECRETS) expect(ended.out + ended.err).not.toContain(secret);
  return ended;
}

async function policyFile(change: Partial<StoredPolicy>, name = "policy.json"): Promise<string> {
  await writeFile(at(name), JSON.stringify({ ...POLICY, ...change }));
  return at(name);
}

const block = (model = "deepseek/deepseek-v3.2") =>
  openai()
    .chat.completions.create({ model, messages: [{ role: "user", content: "Hello" }] })
    .catch((error: { error?: { details?: { event_id?: string } } }) => error.error?.details?.event_id ?? "");

/** Blocks a request, and waits until its event is listed. */
async function blocked(): Promise<string> {
  const id = String(await block());
  await waitUntil(RECORDED_MS, async () => ((await run(["events", "list"])).out.includes(id) ? true : null));
  return id;
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

describe("events", () => {
  it("list prints one a line, filtered, and JSON for machines", async () => {
    const id = await blocked();
    const { out } = await run(["events", "list", "--model", "deepseek-v3.2", "--limit", "5"]);
    expect(out.split("\n")[0]).toMatch(new RegExp(`blocked +acme/web +deepseek/deepseek-v3.2 .*${id}$`));
    const { data } = JSON.parse((await run(["events", "list", "--limit", "1", "--json"])).out);
    expect(data).toMatchObject([{ id, model: "deepseek-v3.2" }]);
    expect((await run(["events", "list", "--provider", "nobody"])).out).toBe("");
    expect(await run(["events", "list", "--from", "yesterday"])).toMatchObject({
      code: 3,
      err: expect.stringContaining("RFC 3339"),
    });
  });

  it("export writes a whole file, or none", async () => {
    const id = await blocked();
    expect(await run(["events", "export", "-o", "events.ndjson"])).toMatchObject({ code: 0, out: "" });
    const lines = (await readFile(at("events.ndjson"), "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).id)).toContain(id);
    const csv = await run(["events", "export", "--format", "csv", "--model", "deepseek-v3.2"]);
    expect(csv.out).toMatch(/^id,at,type/);
    expect(csv.out).toContain(id);
    expect(await run(["events", "export", "--format", "xml", "-o", "events.xml"])).toMatchObject({ code: 3 });
    await expect(readFile(at("events.xml"))).rejects.toThrow("ENOENT");
    expect(await run(["events", "export", "-o", at("no/such/directory/x")])).toMatchObject({ code: 2 });
  });

  it("verify proves an export offline, and finds what was done to it", async () => {
    const id = await blocked();
    const chain = await waitUntil(60_000, async () => {
      await run(["events", "export", "--format", "chain", "-o", "chain.ndjson"]);
      const text = await readFile(at("chain.ndjson"), "utf8");
      return text.includes(id) ? text : null;
    });
    const offline: Environment = { PORTCULLIS_URL: "http://127.0.0.1:1" };
    const own = await run(["events", "verify", "chain.ndjson"], { env: offline });
    expect(own).toMatchObject({ code: 0, out: expect.stringMatching(/^PROVEN\. All \d+ events of acme/) });
    expect(own.err).toContain("keys that the file itself brings");

    const { keys } = (await (await fetch(`${demo.url}/.well-known/portcullis-audit-keys`)).json()) as {
      keys: { x: string }[];
    };
    const pinned = ["--key", keys[0]?.x ?? ""];
    expect(await run(["events", "verify", "chain.ndjson", ...pinned], { env: offline })).toMatchObject({
      code: 0,
      err: "",
    });
    const head = JSON.parse(chain.trimEnd().split("\n").at(-1) ?? "").head;
    await writeFile(at("head.json"), JSON.stringify(head));
    for (const given of [JSON.stringify(head), "@head.json"])
      expect((await run(["events", "verify", "chain.ndjson", ...pinned, "--head", given])).code).toBe(0);

    await writeFile(at("changed.ndjson"), chain.replace(id, `${id.slice(0, -1)}0`));
    const changed = await run(["events", "verify", "changed.ndjson", ...pinned]);
    expect(changed).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(/NOT PROVEN\. Broken at link \d+: event evt_/),
    });
    await writeFile(at("cut.ndjson"), `${chain.trimEnd().split("\n").slice(0, -2).join("\n")}\n`);
    const cut = await run(["events", "verify", "cut.ndjson", ...pinned, "--head", "@head.json", "--json"]);
    expect({ code: cut.code, ...JSON.parse(cut.out) }).toMatchObject({
      code: 1,
      proven: false,
      flaw: { reason: "cut_off" },
    });
    expect((await run(["events", "verify", "chain.ndjson", "--key", "A".repeat(43)])).code).toBe(1);
    for (const wrong of [
      ["--key", "x"],
      ["--head", "{"],
      ["--head", "@nothing"],
      ["--after", "-1"],
    ])
      expect((await run(["events", "verify", "chain.ndjson", ...wrong])).code).toBe(2);
    expect((await run(["events", "verify", "nothing.ndjson"])).code).toBe(2);
  });

  it("tail follows live, one a line, and goes on when the gateway was away", async () => {
    let gate = await openGate(0);
    const port = gate.port;
    const env = { ...asAdmin(), PORTCULLIS_URL: `http://127.0.0.1:${port}` };
    const tail = follow(["events", "tail"], env);
    try {
      await waitUntil(10_000, async () => (tail.err.includes("Waiting") && gate.served > 1 ? true : null));
      const first = String(await block());
      await waitUntil(RECORDED_MS, async () => (tail.out.includes(first) ? true : null));
      await gate.close();
      await waitUntil(20_000, async () => (tail.err.includes("Trying again") ? true : null));
      const meanwhile = String(await block());
      gate = await openGate(port);
      await waitUntil(40_000, async () => (tail.out.includes(meanwhile) ? true : null));
      expect(tail.err).toContain("The gateway answers again.");
      const lines = tail.out.trimEnd().split("\n");
      expect(lines.map((line) => line.split("  ").at(-1))).toEqual([first, meanwhile]);
      tail.child.kill("SIGINT");
      await waitUntil(5_000, async () => (tail.child.exitCode === null ? null : true));
      expect(tail.child.exitCode).toBe(0);
    } finally {
      tail.child.kill("SIGKILL");
      await gate.close();
    }
  });

  it("tail ends when it may not see them", async () => {
    const env = { ...asAdmin(), PORTCULLIS_TOKEN: demo.developer_token };
    expect(await run(["events", "tail"], { env })).toMatchObject({
      code: 3,
      err: expect.stringContaining("role_required"),
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

/** A way to the gateway that can be shut, as when it is started anew. */
async function openGate(port: number) {
  const gate = { port: 0, served: 0, close: async () => {} };
  const server = createServer(async (request, response) => {
    const headers = { authorization: request.headers.authorization ?? "" };
    const answer = await fetch(`${demo.url}${request.url}`, { headers });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    response.end(await answer.text());
    gate.served++;
  });
  gate.port = await listening(server, port);
  gate.close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return gate;
}

async function listening(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

function follow(args: string[], env: Environment): { child: ChildProcess; out: string; err: string } {
  const child = spawn(NODE, [CLI, ...args], { env: environmentOf(env), cwd: directory });
  const followed = { child, out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (piece: string) => (followed.out += piece));
  child.stderr.setEncoding("utf8").on("data", (piece: string) => (followed.err += piece));
  return followed;
}
