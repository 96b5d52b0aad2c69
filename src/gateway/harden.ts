// What compliance changes in a request before it leaves, and what it cannot let through. Pure.
import type { ApiId, Endpoint } from "../catalog/schema.ts";
import type { RequirementId } from "../compliance/requirements.ts";
import { asksForLifetime, CACHED_MEMBERS, withoutLifetimes } from "./cache-lifetime.ts";
import { AMBIGUOUS, exactValueOf, isAbsent, isObject, type Json } from "./json-values.ts";
import { type JudgedName, looksOf } from "./judged-names.ts";
import { walkPrompt } from "./prompt-walk.ts";
import { isHosted } from "./remote-tools.ts";
import { isLocalShell, toolsOf } from "./tools.ts";

/** Top-level members to set (JSON text) or to leave out (null), and what the `portcullis-enforced` header says of it. */
export interface Hardening {
  readonly members: ReadonlyMap<JudgedName, string | null>;
  readonly said: readonly string[];
}

/** A field that asks the provider to keep or fetch what the policy says it must not have. */
export interface NotAllowed {
  /** A member of the request, or where in it: `tools.code_interpreter`. */
  readonly field: string;
  readonly requirement: RequirementId;
}

/** APIs that store exchanges unless told not to: https://developers.openai.com/api/docs/guides/your-data */
const STORING: ReadonlySet<ApiId> = new Set(["chat_completions", "responses"]);

/**
 * Hints by which a provider keeps a prompt for its cache for longer, or a fingerprint of it
 * (https://platform.claude.com/docs/en/build-with-claude/cache-diagnostics). No answer depends on them.
 */
const CACHE_HINTS: readonly JudgedName[] = ["prompt_cache_retention", "prompt_cache_options", "diagnostics"];
/** That its cache is used only where a breakpoint says so: without one it is not used at all. */
const EXPLICIT_CACHE = { mode: "explicit" };

const STORE_OFF = "store=false";
const LIFETIME_DROPPED = "cache_control.ttl=dropped";

/** Fields that need an exchange to be kept, by API, each with when it does. */
const STATEFUL: { readonly [A in ApiId]?: readonly (readonly [field: JudgedName, (value: unknown) => boolean])[] } = {
  // https://docs.x.ai/docs/guides/deferred-chat-completions: the answer is fetched later.
  chat_completions: [["deferred", (value) => value !== false]],
  responses: [
    ["background", (value) => value !== false],
    ["previous_response_id", () => true],
    ["conversation", () => true],
    // A stored prompt. On completions `prompt` is the text itself.
    ["prompt", (value) => typeof value === "object"],
    ["input", (value) => Array.isArray(value) && value.some(isReference)],
  ],
  messages: [
    // https://platform.claude.com/docs/en/build-with-claude/zero-data-retention: a container outlives the request.
    ["container", () => true],
    // https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/resources/beta/messages/messages.ts
    ["thread", () => true],
  ],
};

/**
 * Types of tools that have a machine or a store at the provider, which outlives the request:
 * https://developers.openai.com/api/docs/guides/your-data, https://docs.x.ai/docs/guides/tools/overview,
 * https://platform.claude.com/docs/en/build-with-claude/zero-data-retention
 */
const KEEPING_TOOLS = /^(code_interpreter|code_execution(_\d{8})?|shell|file_search|collections_search|retrieval)$/;

/** Members that name what a provider has stored, by their looks. */
const STORED: ReadonlyMap<string, string> = new Map(["file_id", "cached_content"].map((name) => [looksOf(name), name]));

/**
 * Members by which a provider would answer with a model that was not judged here, whatever the policy: it may be blocked,
 * or be one whose prompts are kept. `models` is the gateway's own way to fall back.
 * https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/resources/beta/messages/messages.ts
 */
const UNJUDGED_MODELS: readonly JudgedName[] = ["fallbacks"];

/**
 * What is changed in the request, or the field that cannot be let through where a provider must keep nothing, by the
 * `requirement` that says so.
 * `textOf` is the JSON text of a member that is there.
 */
export function harden(
  requirement: RequirementId | undefined,
  api: ApiId,
  { root, textOf }: { root: Json; textOf: (name: JudgedName) => string },
): Hardening | NotAllowed {
  const members = new Map<JudgedName, string | null>();
  const said: string[] = [];
  const drop = (names: readonly JudgedName[]) => {
    for (const name of names)
      if (name in root) {
        members.set(name, null);
        said.push(`${name}=dropped`);
      }
  };
  drop(UNJUDGED_MODELS);
  if (requirement === undefined) return { members, said };

  for (const [field, isStateful] of STATEFUL[api] ?? []) {
    const value = root[field];
    if (!isAbsent(value) && isStateful(value)) return { field, requirement };
  }
  const tools = toolsOf(api, root);
  const field = keepingTool(tools) ?? keptContent(api, { root, tools });
  if (field !== null) return { field, requirement };
  if (STORING.has(api)) {
    members.set("store", "false");
    said.push(STORE_OFF);
  }
  drop(CACHE_HINTS);
  const options = root.prompt_cache_options as { mode?: unknown } | null | undefined;
  if (options?.mode === EXPLICIT_CACHE.mode) members.set("prompt_cache_options", JSON.stringify(EXPLICIT_CACHE));
  if (api === "messages")
    for (const name of CACHED_MEMBERS)
      if (asksForLifetime(root[name], name)) {
        members.set(name, withoutLifetimes(textOf(name), name));
        if (!said.includes(LIFETIME_DROPPED)) said.push(LIFETIME_DROPPED);
      }
  return { members, said };
}

/**
 * The same for an endpoint that may not know `store`: such a one refuses a request with it, and stores nothing by it.
 * `root` is the request.
 */
export function hardenedFor(
  hardening: Hardening,
  { rejectsStore }: Pick<Endpoint, "rejectsStore">,
  root: Json,
): Hardening {
  if (!rejectsStore || !hardening.members.has("store")) return hardening;
  const said = hardening.said.flatMap((each) => (each !== STORE_OFF ? each : "store" in root ? "store=dropped" : []));
  return { members: new Map(hardening.members).set("store", null), said };
}

/** An input item that stands for one of an earlier exchange; its type may be left out. */
function isReference(item: unknown): boolean {
  if (!isObject(item)) return false;
  const { id, role, content, result } = item;
  const type = exactValueOf(item, "type");
  if (type === "item_reference" || type === AMBIGUOUS || (type === "image_generation_call" && isAbsent(result)))
    return true;
  return isAbsent(type) && !isAbsent(id) && isAbsent(role) && isAbsent(content);
}

/** The one among the tools that keeps something at the provider, as a field; null when there is none. */
function keepingTool(tools: readonly unknown[]): string | null {
  for (const tool of tools) {
    if (!isObject(tool)) continue;
    const type = exactValueOf(tool, "type");
    if (type === AMBIGUOUS) return "tools";
    if (typeof type === "string" && KEEPING_TOOLS.test(type) && !(type === "shell" && isLocalShell(tool)))
      return `tools.${type}`;
  }
  return null;
}

/** What the request would have looked up at the provider, as a field: a file, a cache, or an answer that was spoken. */
function keptContent(api: ApiId, { root, tools }: { root: Json; tools: readonly unknown[] }): string | null {
  let found: string | null = null;
  const fieldOf = (name: string, under: string) => {
    // https://developers.openai.com/api/docs/guides/audio: an earlier answer, by its id.
    if (api === "chat_completions" && name === "id" && under === "audio") return "audio.id";
    return STORED.get(looksOf(name));
  };
  const watch = (name: string, under: string) => {
    const field = fieldOf(name, under);
    if (field === undefined) return undefined;
    return (value: unknown) => {
      if (typeof value === "string") found ??= field;
    };
  };
  walkPrompt(api, root, watch);
  // What the caller runs itself is no provider's to look up: a name there belongs to the schema of its arguments.
  for (const tool of tools) if (isObject(tool) && isHosted(tool, api)) walkPrompt(api, tool, watch);
  return found;
}
