// The API surfaces a client can call: one entry each. Routes, candidates and tests derive from this table.
import type { ApiId } from "../catalog/schema.ts";
import type { Dialect } from "../errors.ts";

export interface Surface {
  /** The path below `/v1`, and below a provider's base URL. */
  readonly path: `/${string}`;
  /** What a provider's mapping must list to be called through it. */
  readonly api: ApiId;
  readonly dialect: Dialect;
}

export const SURFACES = [
  { path: "/chat/completions", api: "chat_completions", dialect: "openai" },
  { path: "/responses", api: "responses", dialect: "openai" },
  { path: "/embeddings", api: "embeddings", dialect: "openai" },
  { path: "/messages", api: "messages", dialect: "anthropic" },
  { path: "/messages/count_tokens", api: "messages", dialect: "anthropic" },
  { path: "/completions", api: "completions", dialect: "openai" },
  { path: "/moderations", api: "moderations", dialect: "openai" },
  { path: "/rerank", api: "rerank", dialect: "openai" },
  { path: "/images/generations", api: "images_generations", dialect: "openai" },
  { path: "/audio/speech", api: "audio_speech", dialect: "openai" },
] as const satisfies readonly Surface[];

/** The error shape a client expects at a path: Anthropic's below `/v1/messages`, OpenAI's elsewhere. */
export function dialectOf(path: string): Dialect {
  return path === "/v1/messages" || path.startsWith("/v1/messages/") ? "anthropic" : "openai";
}
