// The command line against the running stack: events listed, followed, taken out and verified.
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { beforeAll, expect, it } from "vitest";
import { asAdmin, at, type Environment, follow, listening, POLICY, run, useDirectory } from "./cli.ts";
import { changePolicy, demo, openai } from "./client.ts";
import { waitUntil } from "./stack.ts";

const RECORDED_MS = 20_000;

useDirectory();
beforeAll(async () => void (await changePolicy(POLICY)));

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
  expect(await run(["events", "export", "--format", "xml", "-o", "events.xml"])).toMatchObject({ code: 2 });
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
  expect(own).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^PROVEN\. Of acme, events 1 to \d+: none is missing/),
  });
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

  await writeFile(at("changed.ndjson"), chain.replace(id, `${id.slice(0, -1)}${id.endsWith("0") ? "1" : "0"}`));
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

it("what a client chose cannot move the cursor or hide in the line, and JSON keeps it", async () => {
  const event = { id: "evt_x", at: "2026-11-23T20:33:05.120Z", model: "\u202e\u009b31mred\u001b[2J\u{e0001}" };
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ data: [event], next_cursor: null }));
  });
  const env = { ...asAdmin(), PORTCULLIS_URL: `http://127.0.0.1:${await listening(server, 0)}` };
  const lines = await run(["events", "list"], { env });
  const json = await run(["events", "list", "--json"], { env });
  server.close();
  for (const { code, out } of [lines, json]) {
    expect(code).toBe(0);
    expect(out).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
  }
  expect(JSON.parse(json.out)).toEqual({ data: [event] });
});

it("tail ends when it may not see them", async () => {
  const env = { ...asAdmin(), PORTCULLIS_TOKEN: demo.developer_token };
  expect(await run(["events", "tail"], { env })).toMatchObject({
    code: 3,
    err: expect.stringContaining("role_required"),
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
