// The data plane's part of the bench: what a request costs in the Worker and in the bare ones, prompt by prompt.
import { type Call, measure } from "./load.ts";
import { type PromptShape, type PromptSurface, promptBody } from "./prompts.ts";
import { type Contender, compare, type Result } from "./rounds.ts";
import type { Stack } from "./stack.ts";

/** Where a surface is called, and what for: a model that several providers serve, and one pinned to a provider. */
const SURFACES: Record<PromptSurface, { path: string; automatic: string; pinned: string }> = {
  chat: { path: "/v1/chat/completions", automatic: "llama-3.3-70b-instruct", pinned: "openai/gpt-4o-mini" },
  messages: { path: "/v1/messages", automatic: "claude-sonnet-5", pinned: "anthropic/claude-haiku-4-5" },
  responses: { path: "/v1/responses", automatic: "gpt-5.6-sol", pinned: "openai/gpt-4o-mini" },
  embeddings: { path: "/v1/embeddings", automatic: "qwen3-embedding-8b", pinned: "openai/text-embedding-3-small" },
};
/** The demo policy does not allow it, whatever the surface. */
const BLOCKED = "deepseek/deepseek-v3.2";

const YARDSTICK = "bare, reads the body";

export interface Prompt extends PromptShape {
  name: string;
  /** Requests in one round, and how much CPU an allowed one may cost at the most, in times the yardstick's. */
  count: number;
  atMost: number;
}

const small = { bytes: 1_000, count: 200, atMost: 1.35 } as const;
const large = { bytes: 100_000, count: 80, atMost: 1.5 } as const;
const huge = { bytes: 1_000_000, count: 10 } as const;

export const PROMPTS: readonly Prompt[] = [
  { name: "chat, 1 KB", surface: "chat", kind: "code", ...small },
  { name: "chat, 100 KB of prose", surface: "chat", kind: "prose", ...large },
  { name: "chat, 100 KB of code", surface: "chat", kind: "code", ...large },
  { name: "chat, 100 KB of many scripts", surface: "chat", kind: "unicode", ...large },
  { name: "chat, 1 MB of prose (ASCII)", surface: "chat", kind: "prose", ...huge, atMost: 1.5 },
  { name: "chat, 1 MB of code (ASCII)", surface: "chat", kind: "code", ...huge, atMost: 1.5 },
  { name: "chat, 1 MB of many scripts (UTF-8)", surface: "chat", kind: "unicode", ...huge, atMost: 2 },
  {
    name: "chat, 1 KB, answer in 100 chunks",
    surface: "chat",
    kind: "code",
    bytes: 1_000,
    stream: true,
    count: 40,
    atMost: 1.5,
  },
  { name: "messages, 1 KB", surface: "messages", kind: "code", ...small },
  { name: "messages, 100 KB of code", surface: "messages", kind: "code", ...large },
  { name: "responses, 1 KB", surface: "responses", kind: "code", ...small },
  { name: "responses, 100 KB of code", surface: "responses", kind: "code", ...large },
  { name: "embeddings, 1 KB", surface: "embeddings", kind: "code", ...small },
  { name: "embeddings, 100 KB of prose", surface: "embeddings", kind: "prose", ...large },
];

export interface PromptResults {
  prompt: Prompt;
  results: Result[];
}

/** What each Worker spends on one prompt. */
export async function measurePrompt(stack: Stack, prompt: Prompt, rounds: number): Promise<PromptResults> {
  const { automatic, pinned } = SURFACES[prompt.surface];
  const ask = (model: string, status = 200) => callFor(stack, { model, prompt, status });
  const contenders: Contender[] = [
    { name: "bare, streams the body", workerd: stack.streams, call: ask(automatic) },
    { name: YARDSTICK, workerd: stack.reads, call: ask(automatic) },
    { name: "the floor: judges nothing", workerd: stack.floor, call: ask(automatic) },
    { name: "allowed, automatic", workerd: stack.gateway, call: ask(automatic) },
    { name: "allowed, pinned", workerd: stack.gateway, call: ask(pinned) },
    { name: "blocked", workerd: stack.gateway, call: ask(BLOCKED, 403) },
  ];
  return { prompt, results: await compare(contenders, { yardstick: YARDSTICK, rounds, count: prompt.count }) };
}

/** An allowed request with that prompt. */
export function allowedCall(stack: Stack, prompt: PromptShape): Call {
  return callFor(stack, { model: SURFACES[prompt.surface].automatic, prompt, status: 200 });
}

const SMALL_CHAT: PromptShape = { surface: "chat", kind: "code", bytes: 1_000 };

export interface SteadyReads {
  requests: number;
  kvReads: number;
  d1Calls: number;
}

/** Past the time to live, so that the next request reads everything anew and the ones after it nothing. */
const PAST_TTL_MS = 10_200;

/** How often the Worker goes to KV and D1 while what it knows is fresh. */
export async function countSteadyReads(stack: Stack, requests: number): Promise<SteadyReads> {
  const { gateway, stores } = stack;
  const call = allowedCall(stack, SMALL_CHAT);
  await new Promise((resolve) => setTimeout(resolve, PAST_TTL_MS));
  await measure(gateway, call, 1);
  const before = { ...stores.counts };
  await measure(gateway, call, requests);
  const { kvReads, d1Calls } = stores.counts;
  return { requests, kvReads: kvReads - before.kvReads, d1Calls: d1Calls - before.d1Calls };
}

/** CPU milliseconds of the first request that a fresh isolate answers: it reads key, policy and catalog. */
export async function firstRequestMilliseconds(stack: Stack): Promise<number> {
  const another = await stack.startAnother();
  const call = allowedCall(stack, SMALL_CHAT);
  try {
    return (await measure(another, call, 1)).cpuMicroseconds / 1000;
  } finally {
    await another.stop();
  }
}

function callFor(
  { credentials }: Stack,
  { model, prompt, status }: { model: string; prompt: PromptShape; status: number },
): Call {
  const anthropic = prompt.surface === "messages" && { "anthropic-version": "2023-06-01" };
  return {
    method: "POST",
    path: SURFACES[prompt.surface].path,
    headers: {
      authorization: `Bearer ${credentials.api_keys.web}`,
      "content-type": "application/json",
      accept: "application/json",
      ...anthropic,
    },
    body: promptBody(model, prompt),
    status,
  };
}
