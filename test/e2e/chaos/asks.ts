// What clients ask for under load, with the real SDKs, and what they can make of the answers. Each prompt carries the
// canary; those for models that the policy forbids carry a word more, so that a leak shows wherever it ends up.
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import * as z from "zod";
import { CANARY } from "./plan.ts";

/** In the prompts that must reach nobody. */
export const FORBIDDEN = `${CANARY}for-nobody-`;

const SDK_TIMEOUT_MS = 12_000;
const STATUSES: Readonly<Record<string, readonly number[]>> = {
  provider_compliance_blocked: [403],
  policy_unavailable: [503],
  overloaded: [503],
  upstream_error: [502],
  upstream_timeout: [504],
  upstream_rate_limited: [429],
  invalid_api_key: [401],
};

const details = z.object({ event_id: z.string() }).optional();
const OpenAIError = z.object({
  message: z.string().min(1),
  type: z.string(),
  code: z.string(),
  param: z.string().nullable(),
  details,
});
const AnthropicError = z.object({
  type: z.literal("error"),
  error: z.object({ type: z.string(), code: z.string(), message: z.string().min(1), details }),
  request_id: z.string(),
});

/** What an answer came to. `unclear` is what no client could act on. */
export type Outcome = { ms: number; began: number } & (
  | { kind: "answered"; revision: number; provider: string }
  /** `revision` is null where no policy could be read. */
  | { kind: "refused"; code: string; revision: number | null; requestId: string; eventId: string | null }
  | { kind: "broken_off" | "lost" | "unclear"; what: string }
);

export interface Client {
  openai: OpenAI;
  anthropic: Anthropic;
}

/** One caller; nothing is retried, so that each answer is seen. */
export function clientOf(url: string, key: string): Client {
  const options = { maxRetries: 0, timeout: SDK_TIMEOUT_MS };
  return {
    openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: key, ...options }),
    anthropic: new Anthropic({ baseURL: url, authToken: key, apiKey: null, ...options }),
  };
}

export interface Ask {
  name: string;
  forbidden: boolean;
  /** Resolves to the answer's headers, once it is complete. */
  send(client: Client, content: string): Promise<Headers>;
}

const user = (content: string) => [{ role: "user" as const, content }];
const ALLOWED = "gpt-4o-mini";
const BLOCKED = "deepseek/deepseek-v3.2";

const chat =
  (model: string): Ask["send"] =>
  async ({ openai }, content) => {
    const { data, response } = await openai.chat.completions.create({ model, messages: user(content) }).withResponse();
    if (!data.choices[0]?.message.content) throw new TypeError("an answer without content");
    return response.headers;
  };
const message =
  (model: string): Ask["send"] =>
  async ({ anthropic }, content) =>
    (await anthropic.messages.create({ model, max_tokens: 100, messages: user(content) }).withResponse()).response
      .headers;

export const ASKS: readonly Ask[] = [
  { name: "chat", forbidden: false, send: chat(ALLOWED) },
  {
    name: "stream",
    forbidden: false,
    async send({ openai }, content) {
      const { data, response } = await openai.chat.completions
        .create({ model: ALLOWED, messages: user(content), stream: true })
        .withResponse();
      let chunks = 0;
      for await (const _ of data) chunks++;
      if (chunks === 0) throw new TypeError("a stream without chunks");
      return response.headers;
    },
  },
  { name: "message", forbidden: false, send: message("claude-haiku-4-5") },
  { name: "blocked chat", forbidden: true, send: chat(BLOCKED) },
  {
    name: "blocked stream",
    forbidden: true,
    send: async ({ openai }, content) =>
      (await openai.chat.completions.create({ model: BLOCKED, messages: user(content), stream: true }).withResponse())
        .response.headers,
  },
  { name: "blocked message", forbidden: true, send: message(BLOCKED) },
];

/** Sends one request and says what came of it. */
export async function ask({ send, forbidden }: Ask, client: Client, number: number): Promise<Outcome> {
  const began = Date.now();
  const content = `${forbidden ? FORBIDDEN : CANARY}${number}`;
  const outcome = await send(client, content).then(answered, failed);
  return { ...outcome, began, ms: Date.now() - began };
}

type Judged = Outcome extends infer Each ? (Each extends Outcome ? Omit<Each, "ms" | "began"> : never) : never;

function answered(headers: Headers): Judged {
  const provider = headers.get("portcullis-provider") ?? "";
  return { kind: "answered", revision: revisionOf(headers) ?? 0, provider };
}

function revisionOf(headers: Headers | undefined): number | null {
  const revision = headers?.get("portcullis-policy-revision");
  return revision ? Number(revision) : null;
}

function failed(error: unknown): Judged {
  if (error instanceof OpenAI.APIConnectionTimeoutError || error instanceof Anthropic.APIConnectionTimeoutError)
    return { kind: "unclear", what: "no answer in time" };
  if (error instanceof OpenAI.APIConnectionError || error instanceof Anthropic.APIConnectionError)
    return { kind: "lost", what: "the connection broke" };
  if (error instanceof OpenAI.APIError) return refused(OpenAIError.safeParse(error.error).data, error);
  if (error instanceof Anthropic.APIError) {
    const parsed = AnthropicError.safeParse(error.error).data;
    return refused(parsed?.error, error);
  }
  return error instanceof TypeError && /terminated|fetch failed|network/i.test(error.message)
    ? { kind: "lost", what: "the stream broke" }
    : { kind: "unclear", what: String(error) };
}

function refused(
  said: { code: string; details?: { event_id: string } | undefined } | undefined,
  { status, headers, message: text }: { status?: number | undefined; headers?: Headers | undefined; message: string },
): Judged {
  if (!said) return { kind: "unclear", what: `${status}: ${text}` };
  // In the middle of a stream an error has no status of its own.
  if (status === undefined && said.code === "upstream_error") return { kind: "broken_off", what: said.code };
  if (status === undefined || !STATUSES[said.code]?.includes(status))
    return { kind: "unclear", what: `${status} ${said.code}` };
  return {
    kind: "refused",
    code: said.code,
    revision: revisionOf(headers),
    requestId: headers?.get("portcullis-request-id") ?? "",
    eventId: said.details?.event_id ?? null,
  };
}
