// What becomes of a provider's answer that does not end as it should, and of one that does.
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Catalog, Provider } from "../src/catalog/schema.ts";
import type { Env } from "../src/env.ts";
import type { Behaviour } from "./provider-stand-in.ts";
import { modelOf, providerOf } from "./small-catalog.ts";
import { openWorld, policyOf, type World } from "./world.ts";

const url = "https://alpha.example/v1";
const apis: Provider["apis"] = {
  chat_completions: { url, auth: "bearer" },
  responses: { url, auth: "bearer" },
  messages: { url, auth: "x-api-key" },
  audio_speech: { url, auth: "bearer" },
};
const spoken: (keyof Provider["apis"])[] = ["chat_completions", "responses", "messages", "audio_speech"];
const catalog: Catalog = {
  version: "streams",
  providers: [
    providerOf("alpha", { apis }),
    providerOf("beta", { apis }),
    providerOf("leaky", { dataPolicy: { ...providerOf("x").dataPolicy, trainsOnPrompts: true } }),
  ],
  models: [
    modelOf("mix", { alpha: { apis: spoken }, leaky: 1 }),
    modelOf("pair", { alpha: { apis: spoken }, beta: { apis: spoken, price: { input: 9, output: 9 } } }),
  ],
};
const chunks = ["data: one\n\n", "data: t", "wo\n\n", "data: 三\n\n"];
const sent = chunks.join("");
const IDLE_SECONDS = 0.4;

type Stream = Behaviour & { kind: "stream" };
const streamOf = (change: Partial<Stream> = {}): Stream => ({
  kind: "stream",
  chunks,
  everyMs: 10,
  ending: "end",
  ...change,
});

const open = (vars: Partial<Env> = {}) =>
  openWorld({
    policy: policyOf({ requirements: ["no_training"] }),
    catalog,
    vars: { UPSTREAM_IDLE_TIMEOUT_SECONDS: String(IDLE_SECONDS), ...vars },
  });

function ask(world: World, path: string, { model = "mix", signal }: { model?: string; signal?: AbortSignal } = {}) {
  const body = JSON.stringify({ model, stream: true });
  const headers = { "content-type": "application/json" };
  return world.begin(path, { method: "POST", body, headers, ...(signal && { signal }) }).response;
}

async function streamed(path: string, behaviour: Stream, vars: Partial<Env> = {}) {
  const world = await open(vars);
  await world.behave("alpha", behaviour);
  const response = await ask(world, path);
  return { world, response, text: await textOf(response) };
}

/** Piece by piece, as the runtime takes a response: `text()` waits inside it for many bytes at once. */
async function textOf({ body }: Response, pause: () => Promise<unknown> = async () => undefined): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of body as ReadableStream<Uint8Array>) {
    text += decoder.decode(piece, { stream: true });
    await pause();
  }
  return text;
}

async function expectCallEnded(world: World): Promise<void> {
  await vi.waitFor(async () => expect(await world.journal()).toMatchObject([{ provider: "alpha", aborted: true }]));
}

afterEach(() => {
  vi.useRealTimers();
});

describe.each(["/v1/chat/completions", "/v1/responses", "/v1/messages"])("%s", (path) => {
  it("a whole stream passes byte for byte", async () => {
    expect((await streamed(path, streamOf())).text).toBe(sent);
  });

  it("a stream is not cut while something comes, be it a comment, however long it takes", async () => {
    const sparse = Array(8).fill(": keep-alive\n\n");
    const { text } = await streamed(path, streamOf({ chunks: sparse, everyMs: 200 }));
    expect(text).toBe(sparse.join(""));
  });
});

describe.each<{ how: string; ending: Stream["ending"]; code: string }>([
  { how: "breaks off", ending: "reset", code: "upstream_error" },
  { how: "stalls", ending: "hang", code: "upstream_timeout" },
])("a stream that $how after it began", ({ ending, code }) => {
  const endOf = async (path: string) => {
    const { text, world } = await streamed(path, streamOf({ ending }));
    expect(text.slice(0, sent.length)).toBe(sent);
    expect(await world.called()).toEqual(["alpha"]);
    return text.slice(sent.length);
  };

  it("ends with a blank line and OpenAI's error", async () => {
    const event = await endOf("/v1/chat/completions");
    expect(event).toMatch(/^\n\ndata: .*\n\n$/);
    expect(JSON.parse(event.trim().slice("data: ".length))).toMatchObject({ error: { type: "api_error", code } });
  });

  it("ends with a blank line and the error event of responses, which OpenAI's SDK can read too", async () => {
    const event = await endOf("/v1/responses");
    expect(event).toMatch(/^\n\nevent: error\ndata: .*\n\n$/);
    const data = JSON.parse(event.split("data: ")[1] ?? "");
    expect(data).toMatchObject({ type: "error", code, param: null, error: { type: "api_error", code } });
    expect(data).toMatchObject({ message: expect.any(String), sequence_number: expect.any(Number) });
  });

  it("ends with a blank line and Anthropic's error event", async () => {
    const event = await endOf("/v1/messages");
    expect(event).toMatch(/^\n\nevent: error\ndata: .*\n\n$/);
    expect(JSON.parse(event.split("data: ")[1] ?? "")).toMatchObject({
      type: "error",
      error: { type: "api_error", code },
    });
  });

  it("costs its provider the first place after the second time, until it has rested", async () => {
    const world = await open();
    await world.behave("alpha", streamOf({ ending }));
    const served = async () => {
      const response = await ask(world, "/v1/chat/completions", { model: "pair" });
      await response.text();
      return response.headers.get("portcullis-provider");
    };
    for (const provider of ["alpha", "alpha", "beta"]) expect(await served()).toBe(provider);
    await world.behave("alpha", null);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 5_000);
    expect(await served()).toBe("alpha");
  });
});

it("a stream that stalls before its first event ends with the error too", async () => {
  const { text } = await streamed("/v1/chat/completions", streamOf({ chunks: [": \n\n"], everyMs: 0, ending: "hang" }));
  expect(text).toMatch(/upstream_timeout/);
});

it("the call to a provider that stalls is given up, and nobody else is called", async () => {
  const { world } = await streamed("/v1/chat/completions", streamOf({ ending: "hang" }));
  await expectCallEnded(world);
});

it("a client that reads slowly is not taken for a silent provider", async () => {
  const world = await open();
  const big = Array.from({ length: 24 }, (_, at) => `data: ${at} ${"x".repeat(60_000)}\n\n`);
  await world.behave("alpha", streamOf({ chunks: big, everyMs: 0 }));
  const response = await ask(world, "/v1/chat/completions");
  const began = Date.now();
  let pauses = 6;
  const text = await textOf(response, () => scheduler.wait(pauses-- > 0 ? 250 : 0));
  expect(Date.now() - began).toBeGreaterThan(3 * IDLE_SECONDS * 1000);
  expect(text).toBe(big.join(""));
});

it("a client that leaves in the middle of a stream says nothing of the provider's health", async () => {
  const world = await open({ UPSTREAM_IDLE_TIMEOUT_SECONDS: "5" });
  await world.behave("alpha", streamOf({ ending: "hang" }));
  for (let turn = 0; turn < 3; turn++) {
    const gone = new AbortController();
    const response = await ask(world, "/v1/chat/completions", { model: "pair", signal: gone.signal });
    expect(response.headers.get("portcullis-provider")).toBe("alpha");
    await response.body?.getReader().read();
    gone.abort();
  }
  await vi.waitFor(async () =>
    expect((await world.journal()).map(({ aborted }) => aborted)).toEqual(Array(3).fill(true)),
  );
});

describe.each<[string, string, Record<string, string>]>([
  ["a document", "/v1/chat/completions", { "content-type": "application/json" }],
  [
    "a document of known length",
    "/v1/chat/completions",
    { "content-type": "application/json", "content-length": "999" },
  ],
  ["a recording", "/v1/audio/speech", { "content-type": "audio/mpeg" }],
  ["a recording of known length", "/v1/audio/speech", { "content-type": "audio/mpeg", "content-length": "999" }],
])("%s", (_, path, headers) => {
  it("passes byte for byte", async () => {
    const length = headers["content-length"] && { "content-length": String(new TextEncoder().encode(sent).length) };
    const { text, response } = await streamed(path, streamOf({ headers: { ...headers, ...length } }));
    expect(text).toBe(sent);
    expect(response.headers.get("content-type")).toBe(headers["content-type"]);
  });

  // How long a document may take is for the client's own time-out.
  it.each(headers["content-type"] === "application/json" ? (["reset"] as const) : (["reset", "hang"] as const))(
    "never looks complete after a %s: reading it fails",
    async (ending) => {
      const world = await open();
      await world.behave("alpha", streamOf({ headers, ending }));
      const response = await ask(world, path);
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow();
      await expectCallEnded(world);
    },
  );
});
