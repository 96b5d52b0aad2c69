// The command line against the running stack, over a way that breaks: an export goes on by itself.
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { asAdmin, at, listening, POLICY, run, useDirectory } from "./cli.ts";
import { changePolicy, demo, openai } from "./client.ts";
import { waitUntil } from "./stack.ts";

const SEALED_MS = 60_000;
const MODEL = "deepseek/deepseek-v3.2";

useDirectory();
beforeAll(async () => {
  await changePolicy(POLICY);
  for (let count = 0; count < 4; count++) await block();
  const last = await block();
  await waitUntil(SEALED_MS, async () => ((await exported("chain")).includes(last) ? true : null));
});

/** Blocks a request; returns its event's id. */
async function block(): Promise<string> {
  const asked = openai().chat.completions.create({ model: MODEL, messages: [{ role: "user", content: "Hello" }] });
  const refused = asked.then(
    () => null,
    (error: { error?: { details?: { event_id?: string } } }) => error.error?.details?.event_id,
  );
  return (await refused) ?? "";
}

const exported = async (format: string) => (await run(["events", "export", "--format", format])).out;

/** What the way does to an answer: ends it after so many bytes, or answers in the gateway's place. */
type Fault = number | { status: number; headers?: Record<string, string> };

const opened: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(opened.map((close) => close())));

/** A way to the gateway with these faults, one after the other, and then none; `asked` is what came by. */
async function brokenWay(faults: readonly Fault[]) {
  const asked: URLSearchParams[] = [];
  const remaining = [...faults];
  const server = createServer(async (request, response) => {
    asked.push(new URL(request.url ?? "", demo.url).searchParams);
    const fault = remaining.shift();
    if (typeof fault === "object") return void response.writeHead(fault.status, fault.headers).end("no");
    const answer = await fetch(`${demo.url}${request.url}`, {
      headers: { authorization: request.headers.authorization ?? "" },
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    if (fault === undefined) return void response.end(bytes);
    // The connection is closed with the answer unfinished, once the client has what there was of it.
    response.write(bytes.subarray(0, fault));
    setTimeout(() => response.socket?.destroy(), 200);
  });
  const port = await listening(server, 0);
  opened.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { asked, env: { ...asAdmin(), PORTCULLIS_URL: `http://127.0.0.1:${port}` } };
}

it.concurrent.each(["ndjson", "csv", "ocsf", "chain"])(
  "as %s it is whole although the way broke within its head, between lines, within a line, and was shut",
  async (format) => {
    const whole = await exported(format);
    const lineEnds = [...whole.matchAll(/\n/g)].map(({ index }) => Buffer.byteLength(whole.slice(0, index + 1)));
    const [first = 0, second = 0] = lineEnds;
    const away = { status: 503 };
    const { asked, env } = await brokenWay([5, first, second - 3, second + 5, away]);
    const file = `way.${format}`;
    const { code, err } = await run(["events", "export", "--format", format, "-o", file], { env });
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining(`Written to ${file}.`) });
    expect(await readFile(at(file), "utf8")).toBe(whole);
    expect(err).toMatch(/^The answer broke off \(.*\)\. Beginning again in 1 s\.\n/);
    expect(err).toMatch(/Going on behind (evt_\w{26}|\d+) in 1 s\./);
    const places = asked.map((query) => query.get(format === "chain" ? "after" : "cursor"));
    expect(places.slice(0, 2)).toEqual([null, null]);
    // What came whole is not sent again.
    expect(places.at(-1)).toMatch(format === "chain" ? /^\d+$/ : /^evt_/);
    expect(places.length).toBe(6);
  },
);

it.concurrent("to stdout it is whole too, and waits for as long as it is told to", async () => {
  const whole = await exported("csv");
  const { env } = await brokenWay([2_000, { status: 429, headers: { "retry-after": "3" } }]);
  const started = Date.now();
  const { code, out, err } = await run(["events", "export", "--format", "csv"], { env });
  expect({ code, out }).toEqual({ code: 0, out: whole });
  expect(err).toContain("in 3 s.");
  expect(Date.now() - started).toBeGreaterThanOrEqual(4_000);
});

it.concurrent("leaves no file when the way stays shut, or its token is revoked meanwhile", async () => {
  const ended = await brokenWay([2_000, { status: 401 }]);
  const revoked = await run(["events", "export", "-o", "revoked.ndjson"], { env: ended.env });
  expect(revoked).toMatchObject({ code: 3, out: "", err: expect.stringContaining("401") });
  const shut = await brokenWay([{ status: 503 }]);
  expect(await run(["events", "export", "-o", "shut.ndjson"], { env: shut.env })).toMatchObject({ code: 3, out: "" });
  expect(shut.asked.length).toBe(1);
  const left = await readdir(dirname(at("x")));
  expect(left.filter((name) => /revoked|shut/.test(name))).toEqual([]);
});
