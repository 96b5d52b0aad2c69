// The API surfaces a client can call: one entry each. Routes, candidates and tests derive from this table.
import type { ApiId } from "../catalog/schema.ts";
import type { Dialect } from "../errors.ts";

export interface Surface {
  /** The path below `/v1`, and below a provider's base URL. */
  readonly path: `/${string}`;
  /** What a provider's mapping must list to be called through it. */
  readonly api: ApiId;
  readonly dialect: Dialect;
  readonly body: BodyKind;
}

/** What a client sends: JSON, multipart/form-data, or either of them where the API is documented with both. */
export type BodyKind = "json" | "form" | "either";

export const SURFACES = [
  { path: "/chat/completions", api: "chat_completions", dialect: "openai", body: "json" },
  { path: "/responses", api: "responses", dialect: "openai", body: "json" },
  { path: "/embeddings", api: "embeddings", dialect: "openai", body: "json" },
  { path: "/messages", api: "messages", dialect: "anthropic", body: "json" },
  { path: "/messages/count_tokens", api: "messages", dialect: "anthropic", body: "json" },
  { path: "/completions", api: "completions", dialect: "openai", body: "json" },
  { path: "/moderations", api: "moderations", dialect: "openai", body: "json" },
  { path: "/rerank", api: "rerank", dialect: "openai", body: "json" },
  { path: "/images/generations", api: "images_generations", dialect: "openai", body: "json" },
  // JSON: https://developers.openai.com/api/reference/resources/images/methods/edit
  { path: "/images/edits", api: "images_edits", dialect: "openai", body: "either" },
  { path: "/audio/speech", api: "audio_speech", dialect: "openai", body: "json" },
  { path: "/audio/transcriptions", api: "audio_transcriptions", dialect: "openai", body: "form" },
  { path: "/audio/translations", api: "audio_translations", dialect: "openai", body: "form" },
] as const satisfies readonly Surface[];

/** The error shape a client expects at a path: Anthropic's below `/v1/messages`, OpenAI's elsewhere. */
export function dialectOf(path: string): Dialect {
  return path === "/v1/messages" || path.startsWith("/v1/messages/") ? "anthropic" : "openai";
}
