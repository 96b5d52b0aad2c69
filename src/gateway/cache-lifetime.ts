// Anthropic's prompt cache holds what a request marks with `cache_control`, for five minutes; `ttl` asks for longer. It can
// stand on any block: https://platform.claude.com/docs/en/build-with-claude/prompt-caching#1-hour-cache-duration. Pure.
import type { Json } from "./json-values.ts";

/** Members of a Messages request in which, or as which, a `cache_control` can stand. */
export const CACHED_MEMBERS = ["cache_control", "system", "tools", "messages"] as const;

/** Whether a lifetime is asked for anywhere in the value of that member. */
export function asksForLifetime(value: unknown, name = ""): boolean {
  if (Array.isArray(value)) return value.some((each) => asksForLifetime(each));
  if (typeof value !== "object" || value === null) return false;
  if (isLifetime(name, value)) return true;
  return Object.entries(value).some(([key, child]) => asksForLifetime(child, key));
}

/** The JSON text of that member without any lifetime; numbers stay as they are written. */
export function withoutLifetimes(json: string, member: string): string {
  const value: unknown = JSON.parse(json, (key, each: unknown, { source }: { source?: string } = {}) => {
    // A number that a double cannot hold would leave as another.
    if (typeof each === "number" && source !== undefined) return rawJson(source);
    return isLifetime(key, each) ? withoutLifetime(each) : each;
  });
  return JSON.stringify(isLifetime(member, value) ? withoutLifetime(value) : value);
}

/** An advisor tool has a cache of its own: https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool. */
const MARKS: ReadonlySet<string> = new Set(["cache_control", "caching"]);

function isLifetime(name: string, value: unknown): value is Json {
  if (!MARKS.has(name) || typeof value !== "object" || value === null) return false;
  return (value as Json).type === "ephemeral" && Object.hasOwn(value, "ttl");
}

function withoutLifetime({ ttl: _, ...rest }: Json): Json {
  return rest;
}

/** https://tc39.es/proposal-json-parse-with-source/, which the compiler's library does not declare yet. */
function rawJson(source: string): unknown {
  return (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON(source);
}
