// The API surfaces a client can call: one entry each. Routes, candidates and tests derive from this table.
import type { ApiId } from "../catalog/schema.ts";
import type { Dialect } from "../errors.ts";

export interface Surface {
  /** The path below `/v1`. */
  readonly path: `/${string}`;
  /** What a provider's mapping must list to be called through it. */
  readonly api: ApiId;
  readonly dialect: Dialect;
}

export const SURFACES = [
  { path: "/chat/completions", api: "chat_completions", dialect: "openai" },
] as const satisfies readonly Surface[];

/** The error shape a client expects at a path: Anthropic's below `/v1/messages`, OpenAI's elsewhere. */
export function dialectOf(path: string): Dialect {
  return path === "/v1/messages" || path.startsWith("/v1/messages/") ? "anthropic" : "openai";
}
