// The tools that a request brings, wherever it does. Pure.
import type { ApiId } from "../catalog/schema.ts";
import { folded } from "./judged-names.ts";
import { walkPrompt } from "./prompt-walk.ts";

export type Json = Readonly<Record<string, unknown>>;

/** The request itself, and the lists of its prompt. */
const BRINGS_TOOLS: ReadonlySet<string> = new Set(["", "input", "messages"]);

/** Stands for tools that are none: no list where one is due. */
const NO_TOOL = null;

/**
 * Every tool in the members of `root`, also those that a prompt brings by itself: items of a Responses input, messages
 * (https://docs.morphllm.com/sdk/components/dynamic-tool-loading), and definitions in the blocks of a Messages request
 * (https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/resources/beta/messages/messages.ts).
 */
export function toolsOf(api: ApiId, root: Json): unknown[] {
  const found: unknown[] = [];
  walkPrompt(api, root, (value, name, under) => {
    if (folded(name) === "tools" && BRINGS_TOOLS.has(under)) found.push(...listed(value, api));
    else if (api === "messages" && folded(name) === "definition") found.push(value);
  });
  return found;
}

function listed(tools: unknown, api: ApiId): unknown[] {
  if (tools === undefined || tools === null) return [];
  if (!Array.isArray(tools)) return [NO_TOOL];
  return tools.flatMap((tool) => (api === "responses" && isNamespace(tool) ? membersOf(tool) : [tool]));
}

/** https://github.com/openai/codex: its tools come in namespaces. */
function isNamespace(tool: unknown): tool is Json {
  return isObject(tool) && tool.type === "namespace" && valuesOf(tool, "type").length === 1;
}

function membersOf(namespace: Json): unknown[] {
  return valuesOf(namespace, "tools").flatMap((tools) => listed(tools, "responses"));
}

/** What stands under a name, in whatever case: a provider may read either. */
export function valuesOf(object: Json, name: string): unknown[] {
  return Object.entries(object).flatMap(([key, value]) => (folded(key) === name ? [value] : []));
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
