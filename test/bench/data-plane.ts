// The data plane's part of the bench: what a request costs in the Worker and in the bare ones, prompt by prompt.
import { type Call, measure } from "./load.ts";
import { chatBody, type PromptKind } from "./prompts.ts";
import { type Contender, compare, type Result } from "./rounds.ts";
import type { Stack } from "./stack.ts";

/** Served by providers that the demo policy allows and by others that it does not. */
const AUTOMATIC = "llama-3.3-70b-instruct";
const PINNED = "openai/gpt-4o-mini";
const BLOCKED = "deepseek/deepseek-v3.2";

const YARDSTICK = "bare, reads the body";

export interface Prompt {
  name: string;
  kind: PromptKind;
  bytes: number;
  stream?: boolean;
  /** Requests in one round, and how much CPU an allowed one may cost at the most, in times the yardstick's. */
  count: number;
  atMost: number;
}

export const PROMPTS: readonly Prompt[] = [
  { name: "1 KB", kind: "code", bytes: 1_000, count: 200, atMost: 1.35 },
  { name: "100 KB of prose", kind: "prose", bytes: 100_000, count: 80, atMost: 1.5 },
  { name: "100 KB of code", kind: "code", bytes: 100_000, count: 80, atMost: 1.5 },
  { name: "100 KB of many scripts", kind: "unicode", bytes: 100_000, count: 80, atMost: 1.5 },
  { name: "1 KB, answer in 100 chunks", kind: "code", bytes: 1_000, stream: true, count: 40, atMost: 1.5 },
];

export interface PromptResults {
  prompt: Prompt;
  results: Result[];
}

/** What each Worker spends on one prompt. */
export async function measurePrompt(stack: Stack, prompt: Prompt, rounds: number): Promise<PromptResults> {
  const ask = (model: string, status = 200) => chatCall(stack.credentials.api_keys.web, model, prompt, status);
  const contenders: Contender[] = [
    { name: "bare, streams the body", workerd: stack.streams, call: ask(AUTOMATIC) },
    { name: YARDSTICK, workerd: stack.reads, call: ask(AUTOMATIC) },
    { name: "allowed, automatic", workerd: stack.gateway, call: ask(AUTOMATIC) },
    { name: "allowed, pinned", workerd: stack.gateway, call: ask(PINNED) },
    { name: "blocked", workerd: stack.gateway, call: ask(BLOCKED, 403) },
  ];
  return { prompt, results: await compare(contenders, { yardstick: YARDSTICK, rounds, count: prompt.count }) };
}

/** An allowed request with that prompt. */
export function allowedCall({ credentials }: Stack, prompt: Prompt): Call {
  return chatCall(credentials.api_keys.web, AUTOMATIC, prompt, 200);
}

export interface SteadyReads {
  requests: number;
  kvReads: number;
  d1Calls: number;
}

/** Past the time to live, so that the next request reads everything anew and the ones after it nothing. */
const PAST_TTL_MS = 10_200;

/** How often the Worker goes to KV and D1 while what it knows is fresh. */
export async function countSteadyReads(
  { gateway, stores, credentials }: Stack,
  requests: number,
): Promise<SteadyReads> {
  const call = chatCall(credentials.api_keys.web, AUTOMATIC, { kind: "code", bytes: 1_000 }, 200);
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
  const call = chatCall(stack.credentials.api_keys.web, AUTOMATIC, { kind: "code", bytes: 1_000 }, 200);
  try {
    return (await measure(another, call, 1)).cpuMicroseconds / 1000;
  } finally {
    await another.stop();
  }
}

function chatCall(key: string, model: string, prompt: Pick<Prompt, "kind" | "bytes" | "stream">, status: number): Call {
  return {
    method: "POST",
    path: "/v1/chat/completions",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", accept: "application/json" },
    body: chatBody(model, prompt),
    status,
  };
}
