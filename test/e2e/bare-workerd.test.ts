// What only shows where nothing stands between the client's connection and the Worker: who is told when a client leaves,
// how a broken answer looks on the wire, what a slow reader costs, and how many streams one isolate carries.
import { createHash } from "node:crypto";
import { type ClientRequest, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BareStack, type BareWorker, startBareStack } from "./bare-stack.ts";
import { waitUntil } from "./stack.ts";

/** Served by several providers that the demo policy allows. */
const MODEL = "gpt-oss-120b";
const IDLE_SECONDS = 1;
const HEADERS_SECONDS = 1;
const MEBIBYTE = 1024 * 1024;

/** What all providers do with a call, once its body is read; each test sets it. */
let provide: (response: ServerResponse) => void;
const calls: { provider: string; goneAt: number | null }[] = [];
const provider = createServer((incoming, response) => {
  const call: (typeof calls)[number] = { provider: String(incoming.headers["x-test-id"]), goneAt: null };
  calls.push(call);
  response.on("close", () => {
    if (!response.writableFinished) call.goneAt = Date.now();
  });
  incoming.resume().on("end", () => provide(response));
});

let stack: BareStack;
let worker: BareWorker;
let impatient: BareWorker;
beforeAll(async () => {
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  stack = await startBareStack(`http://127.0.0.1:${(provider.address() as AddressInfo).port}`);
  worker = await stack.start({});
  impatient = await stack.start({
    UPSTREAM_IDLE_TIMEOUT_SECONDS: String(IDLE_SECONDS),
    UPSTREAM_HEADERS_TIMEOUT_SECONDS: String(HEADERS_SECONDS),
  });
});
afterAll(async () => {
  await stack.stop();
  provider.closeAllConnections();
  provider.close();
});
beforeEach(() => {
  calls.length = 0;
});

/** A process of its own, which knows the policy and the catalog. */
async function startWarm(): Promise<BareWorker> {
  const fresh = await stack.start({});
  const { statusCode } = await ask(fresh, { model: "no-such-model" }).answer;
  expect(statusCode).toBe(404);
  return fresh;
}

/** Sends a chat request; the answer is not read by itself. */
function ask({ port }: BareWorker, { model = MODEL }: { model?: string } = {}) {
  const headers = { authorization: `Bearer ${stack.key}`, "content-type": "application/json" };
  const outgoing: ClientRequest = request({
    port,
    method: "POST",
    path: "/v1/chat/completions",
    headers,
    agent: false,
  });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on("response", resolve).on("error", reject);
  });
  answer.catch(() => undefined);
  outgoing.end(JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "Hello" }] }));
  return { answer, reset: () => outgoing.socket?.resetAndDestroy() };
}

/** Reads an answer to its end. `complete` is whether it ended as HTTP says, rather than with its connection. */
async function read(answer: IncomingMessage): Promise<{ text: string; complete: boolean }> {
  const pieces: Buffer[] = [];
  answer.on("data", (piece: Buffer) => pieces.push(piece)).on("error", () => undefined);
  await new Promise((resolve) => answer.on("close", resolve));
  return { text: Buffer.concat(pieces).toString(), complete: answer.complete };
}

const begin = (response: ServerResponse, type: string, headers: Record<string, string> = {}) =>
  response.writeHead(200, { "content-type": type, ...headers });

describe("a client that resets its connection ends the provider's call within a second, and nobody else is called:", () => {
  const expectAllOver = async (leftAt: number) => {
    await waitUntil(2_000, async () => calls[0]?.goneAt ?? null);
    expect((calls[0]?.goneAt ?? Number.POSITIVE_INFINITY) - leftAt).toBeLessThan(1_000);
    await sleep(1_000);
    expect(calls).toHaveLength(1);
  };

  it("before the first byte", async () => {
    provide = () => undefined;
    const { reset } = ask(worker);
    await waitUntil(5_000, async () => calls[0] ?? null);
    await sleep(200);
    const leftAt = Date.now();
    reset();
    await expectAllOver(leftAt);
  });

  it("in the middle of a stream", async () => {
    provide = (response) => begin(response, "text/event-stream").write("data: one\n\n");
    const { answer, reset } = ask(worker);
    const stream = await answer;
    await new Promise((resolve) => stream.once("data", resolve));
    stream.on("error", () => undefined);
    const leftAt = Date.now();
    reset();
    await expectAllOver(leftAt);
  });
});

describe("a call that brings no headers in time is given up", () => {
  it("with the request, when no other provider is left", async () => {
    provide = () => undefined;
    const { statusCode } = await ask(impatient, { model: "openai/gpt-4o-mini" }).answer;
    expect(statusCode).toBe(504);
    await waitUntil(1_000, async () => calls[0]?.goneAt ?? null);
    expect(calls).toHaveLength(1);
  });

  it("while the next provider answers", async () => {
    provide = (response) => {
      if (calls.length > 1) begin(response, "text/event-stream").write("data: one\n\n");
    };
    const { answer, reset } = ask(impatient);
    const stream = await answer;
    await new Promise((resolve) => stream.once("data", resolve));
    stream.on("error", () => undefined);
    await waitUntil(IDLE_SECONDS * 500, async () => calls[0]?.goneAt ?? null);
    expect(calls[1]?.goneAt).toBeNull();
    reset();
  });
});

describe.each<{ how: string; end: (response: ServerResponse) => unknown }>([
  { how: "breaks off", end: (response) => setTimeout(() => response.destroy(), 100) },
  { how: "stalls", end: () => undefined },
])("an answer that $how after it began", ({ how, end }) => {
  it("as a stream ends with the error event, complete as far as HTTP goes", async () => {
    provide = (response) => {
      begin(response, "text/event-stream").write("data: one\n\n");
      end(response);
    };
    const { text, complete } = await read(await ask(impatient).answer);
    expect(text).toMatch(/^data: one\n\n\n\ndata: \{"error":.*"code":"upstream_(error|timeout)"\}\}\n\n$/);
    expect(complete).toBe(true);
  });

  // How long a document may take is for the client's own time-out.
  const documents: [string, string, Record<string, string>][] = [
    ["a document in chunks", "application/json", {}],
    ["a document of known length", "application/json", { "content-length": "1000" }],
  ];
  it.each<[string, string, Record<string, string>]>([
    ...(how === "stalls" ? [] : documents),
    ["a recording in chunks", "audio/mpeg", {}],
    ["a recording of known length", "audio/mpeg", { "content-length": "1000" }],
  ])("as %s never looks complete on the wire", async (_, type, headers) => {
    provide = (response) => {
      begin(response, type, headers).write('{"choices":[');
      end(response);
    };
    const answer = await ask(impatient).answer;
    expect(answer.statusCode).toBe(200);
    expect(await read(answer)).toEqual({ text: '{"choices":[', complete: false });
    await waitUntil(2_000, async () => calls[0]?.goneAt ?? null);
    expect(calls).toHaveLength(1);
  });
});

describe("a slow reader", () => {
  const TOTAL_BYTES = 200 * MEBIBYTE;
  /** What sockets on both sides of the Worker may hold, in mebibytes. */
  const IN_FLIGHT = 48;
  /** What its process may grow by: far less than what is under way. */
  const GROWTH = 96;
  const piece = Buffer.from(Array.from({ length: 65_521 }, (_, at) => (at * 31) % 251));

  it.each(["text/event-stream", "audio/mpeg", "application/json"])(
    "of %s holds the provider up instead of filling memory, and gets every byte in the end",
    async (type) => {
      const sent = { bytes: 0, hash: createHash("sha256") };
      provide = (response) => {
        begin(response, type);
        const more = () => {
          while (sent.bytes < TOTAL_BYTES) {
            sent.bytes += piece.length;
            sent.hash.update(piece);
            if (!response.write(piece)) return response.once("drain", more);
          }
          return response.end();
        };
        more();
      };
      const fresh = await startWarm();
      const before = (await fresh.memory()).now;

      const answer = await ask(fresh).answer;
      await sleep(1_500);
      const held = sent.bytes;
      await sleep(1_000);
      expect(sent.bytes).toBe(held);
      expect(held).toBeLessThan(IN_FLIGHT * MEBIBYTE);
      expect((await fresh.memory()).peak - before).toBeLessThan(GROWTH);

      const received = createHash("sha256");
      for await (const bytes of answer) received.update(bytes);
      const { peak } = await fresh.memory();
      console.log(`${type}: held at ${(held / MEBIBYTE).toFixed(0)} MiB; grew by ${(peak - before).toFixed(0)} MiB`);
      expect(received.digest("hex")).toBe(sent.hash.digest("hex"));
      expect(peak - before).toBeLessThan(GROWTH);
    },
  );
});

it("1,000 streams at once pass through one isolate, each whole", async () => {
  const STREAMS = 1_000;
  const EVENTS = 20;
  const EVERY_MS = 150;
  let open = 0;
  let mostOpen = 0;
  provide = async (response) => {
    const number = calls.length;
    mostOpen = Math.max(mostOpen, ++open);
    begin(response, "text/event-stream");
    for (let event = 0; event < EVENTS; event++) {
      response.write(`data: ${number} ${event}\n\n`);
      await sleep(EVERY_MS);
    }
    response.end("data: [DONE]\n\n");
    open--;
  };
  const fresh = await startWarm();
  const before = (await fresh.memory()).now;
  const began = Date.now();
  const answers = await Promise.all(
    Array.from({ length: STREAMS }, async () => {
      const answer = await ask(fresh).answer;
      return { status: answer.statusCode, ...(await read(answer)) };
    }),
  );
  const { peak } = await fresh.memory();
  console.log(
    `${mostOpen} streams at once took ${((Date.now() - began) / 1000).toFixed(1)} s and ${(peak - before).toFixed(0)} MiB`,
  );
  expect(mostOpen).toBe(STREAMS);
  expect(calls).toHaveLength(STREAMS);
  const seen = new Set<string>();
  for (const { status, text, complete } of answers) {
    const number = /^data: (\d+) /.exec(text)?.[1] ?? "";
    const events = Array.from({ length: EVENTS }, (_, event) => `data: ${number} ${event}\n\n`);
    expect({ status, complete, text }).toEqual({
      status: 200,
      complete: true,
      text: `${events.join("")}data: [DONE]\n\n`,
    });
    seen.add(number);
  }
  expect(seen.size).toBe(STREAMS);
});
