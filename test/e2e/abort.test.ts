import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Behaviour, type JournalEntry, startStandIn } from "../provider-stand-in.ts";
import { type Demo, startStack, waitUntil } from "./stack.ts";

const PORT = Number(process.env.PORT ?? 8797) + 1;
const messages = [{ role: "user" as const, content: "Hello" }];
const chunk = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "more " } }] })}\n\n`;
const anthropicEvent = (type: string, rest: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
const message = { id: "msg_1", type: "message", role: "assistant", model: "m", content: [], stop_reason: null };
const anthropicChunks = [
  anthropicEvent("message_start", { message: { ...message, usage: { input_tokens: 1, output_tokens: 1 } } }),
  anthropicEvent("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
  ...Array(600).fill(anthropicEvent("content_block_delta", { index: 0, delta: { type: "text_delta", text: "more " } })),
];

let standIn: Awaited<ReturnType<typeof startStandIn>>;
let stack: { demo: Demo; stop: () => Promise<void> };
let upstream: string;

async function behave(provider: string, how: { chunks: string[]; ending: "end" | "reset" }): Promise<void> {
  const behaviour: Behaviour = { kind: "stream", everyMs: 50, ...how };
  await fetch(`${upstream}/__behaviour/${provider}`, { method: "PUT", body: JSON.stringify(behaviour) });
}

beforeAll(async () => {
  standIn = await startStandIn();
  upstream = `${standIn.url}/abort`;
  stack = await startStack(PORT, { SANDBOX_UPSTREAM: upstream });
  await behave("openai", { chunks: Array(600).fill(chunk), ending: "end" });
  await behave("anthropic", { chunks: anthropicChunks, ending: "end" });
});
afterAll(async () => {
  await stack.stop();
  await standIn.stop();
});

const lastCall = async () =>
  ((await (await fetch(`${upstream}/__journal`)).json()) as JournalEntry[]).at(-1) as JournalEntry;

async function expectCallEnded(provider: string): Promise<void> {
  await waitUntil(1_000, async () => (await lastCall()).aborted || null);
  expect((await lastCall()).provider).toBe(provider);
}

describe("an abort by the client in the middle of a stream ends the provider's call within a second:", () => {
  const apiKey = () => stack.demo.api_keys.web;

  it("OpenAI's SDK, leaving the loop", async () => {
    const client = new OpenAI({ baseURL: `${stack.demo.url}/v1`, apiKey: apiKey() });
    const stream = await client.chat.completions.create({ model: "gpt-4o-mini", messages, stream: true });
    let seen = 0;
    for await (const _ of stream) if (++seen === 5) break;
    await expectCallEnded("openai");
  });

  it("OpenAI's SDK, by its signal", async () => {
    const client = new OpenAI({ baseURL: `${stack.demo.url}/v1`, apiKey: apiKey() });
    const gone = new AbortController();
    const request = { model: "gpt-4o-mini", messages, stream: true } as const;
    const stream = await client.chat.completions.create(request, { signal: gone.signal });
    for await (const _ of stream) gone.abort();
    await expectCallEnded("openai");
  });

  it("Anthropic's SDK", async () => {
    const client = new Anthropic({ baseURL: stack.demo.url, authToken: apiKey(), apiKey: null });
    const stream = client.messages.stream({ model: "claude-haiku-4-5", max_tokens: 100, messages });
    await new Promise<void>((resolve) => stream.once("text", () => resolve()));
    stream.abort();
    await expect(stream.done()).rejects.toThrow(Anthropic.APIUserAbortError);
    await expectCallEnded("anthropic");
  });
});

describe("a stream that breaks off after it began is an error to the SDK, not the end of an answer:", () => {
  const breakOff = (provider: string, chunks: string[]) => behave(provider, { chunks, ending: "reset" });
  const openai = () => new OpenAI({ baseURL: `${stack.demo.url}/v1`, apiKey: stack.demo.api_keys.web });
  const read = async (stream: AsyncIterable<unknown>) => {
    let seen = 0;
    for await (const _ of stream) seen++;
    return seen;
  };

  it("OpenAI's chat completions", async () => {
    await breakOff("openai", [chunk, chunk]);
    const stream = await openai().chat.completions.create({ model: "gpt-4o-mini", messages, stream: true });
    await expect(read(stream)).rejects.toMatchObject({ code: "upstream_error", type: "api_error" });
  });

  it("OpenAI's responses", async () => {
    const delta = {
      type: "response.output_text.delta",
      delta: "more ",
      item_id: "i",
      output_index: 0,
      content_index: 0,
    };
    await breakOff("openai", [`event: ${delta.type}\ndata: ${JSON.stringify(delta)}\n\n`]);
    const stream = await openai().responses.create({ model: "gpt-4o-mini", input: "Hello", stream: true });
    await expect(read(stream)).rejects.toMatchObject({ code: "upstream_error", type: "api_error" });
  });

  it("Anthropic's messages", async () => {
    await breakOff("anthropic", anthropicChunks.slice(0, 4));
    const client = new Anthropic({ baseURL: stack.demo.url, authToken: stack.demo.api_keys.web, apiKey: null });
    const stream = client.messages.stream({ model: "claude-haiku-4-5", max_tokens: 100, messages });
    await expect(stream.finalMessage()).rejects.toMatchObject({ error: { error: { code: "upstream_error" } } });
  });
});

it("a SANDBOX_UPSTREAM that is set already is used, and demo.json says so", () => {
  expect(stack.demo.upstream).toBe(upstream);
});
