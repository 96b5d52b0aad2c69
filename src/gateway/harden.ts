// What compliance changes in a request before it leaves, and what it cannot let through. Pure.
import type { ApiId } from "../catalog/schema.ts";
import type { Rules } from "../compliance/evaluate.ts";
import type { RequirementId } from "../compliance/requirements.ts";
import { requiredOf } from "../compliance/rules.ts";

type Json = Readonly<Record<string, unknown>>;

/** Top-level members to set (JSON text) or to leave out (null), and what the `portcullis-enforced` header says of it. */
export interface Hardening {
  readonly members: ReadonlyMap<string, string | null>;
  readonly said: readonly string[];
}

/** A field that asks the provider to keep or fetch what the policy says it must not have. */
export interface NotAllowed {
  readonly field: string;
  readonly requirement: RequirementId;
}

/** APIs that store exchanges unless told not to: https://developers.openai.com/api/docs/guides/your-data */
const STORING: ReadonlySet<ApiId> = new Set(["chat_completions", "responses"]);

/** Hints that lengthen how long a provider keeps a prompt for its cache. */
const CACHE_HINTS = ["prompt_cache_retention", "prompt_cache_options"];

/** Fields of the Responses API that need an exchange to be kept, each with when it does. */
const STATEFUL: readonly (readonly [field: string, (value: unknown) => boolean])[] = [
  ["background", (value) => value !== false],
  ["previous_response_id", () => true],
  ["conversation", () => true],
  // A stored prompt. On completions `prompt` is the text itself.
  ["prompt", (value) => typeof value === "object"],
  ["input", (value) => Array.isArray(value) && value.some(isReference)],
];

/**
 * Members by which a provider would answer with a model that was not judged here, whatever the policy: it may be blocked,
 * or be one whose prompts are kept. `models` is the gateway's own way to fall back.
 * https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/resources/beta/messages/messages.ts
 */
const UNJUDGED_MODELS = ["fallbacks"];

/** What is changed in the request, or the field that cannot be let through where prompts must not be logged or kept. */
export function harden(rules: Rules, api: ApiId, root: Json): Hardening | NotAllowed {
  const members = new Map<string, string | null>();
  const said: string[] = [];
  const drop = (names: readonly string[]) => {
    for (const name of names)
      if (Object.hasOwn(root, name)) {
        members.set(name, null);
        said.push(`${name}=dropped`);
      }
  };
  drop(UNJUDGED_MODELS);
  const [requirement] = requiredOf(rules, ["no_logging", "zero_retention"]);
  if (requirement === undefined) return { members, said };

  if (api === "responses")
    for (const [field, isStateful] of STATEFUL) {
      const value = root[field];
      if (value !== undefined && value !== null && isStateful(value)) return { field, requirement };
    }
  if (STORING.has(api)) {
    members.set("store", "false");
    said.push("store=false");
  }
  drop(CACHE_HINTS);
  return { members, said };
}

/** An input item that stands for one of an earlier exchange; its type may be left out. */
function isReference(item: unknown): boolean {
  if (typeof item !== "object" || item === null) return false;
  const { type, id, role, content } = item as Json;
  if (type === "item_reference") return true;
  return (type === undefined || type === null) && id !== undefined && role === undefined && content === undefined;
}
