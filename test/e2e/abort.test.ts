import OpenAI from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type JournalEntry, startStandIn } from "../provider-stand-in.ts";
import { type Demo, startStack, waitUntil } from "./stack.ts";

const PORT = Number(process.env.PORT ?? 8797) + 1;
const messages = [{ role: "user" as const, content: "Hello" }];
const chunk = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "more " } }] })}\n\n`;

let standIn: Awaited<ReturnType<typeof startStandIn>>;
let stack: { demo: Demo; stop: () => Promise<void> };
let upstream: string;

beforeAll(async () => {
  standIn = await startStandIn();
  upstream = `${standIn.url}/abort`;
  stack = await startStack(PORT, { SANDBOX_UPSTREAM: upstream });
  const behaviour = { kind: "stream", chunks: Array(600).fill(chunk), everyMs: 50, ending: "end" };
  await fetch(`${upstream}/__behaviour/openai`, { method: "PUT", body: JSON.stringify(behaviour) });
});
afterAll(async () => {
  await stack.stop();
  await standIn.stop();
});

it("an abort by the client in the middle of a stream ends the provider's call within a second", async () => {
  const client = new OpenAI({ baseURL: `${stack.demo.url}/v1`, apiKey: stack.demo.api_keys.web });
  const stream = await client.chat.completions.create({ model: "gpt-4o-mini", messages, stream: true });
  let seen = 0;
  for await (const _ of stream) if (++seen === 5) break;

  await waitUntil(1_000, async () => {
    const entries = (await (await fetch(`${upstream}/__journal`)).json()) as JournalEntry[];
    return entries.at(-1)?.aborted || null;
  });
});

it("a SANDBOX_UPSTREAM that is set already is used, and demo.json says so", () => {
  expect(stack.demo.upstream).toBe(upstream);
});
