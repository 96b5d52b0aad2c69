// The tools that a request brings, wherever it does. Pure.
import type { ApiId } from "../catalog/schema.ts";
import { exactValueOf, isAbsent, isObject, type Json, valuesOf } from "./json-values.ts";
import { folded } from "./judged-names.ts";
import { isDefinition, walkPrompt } from "./prompt-walk.ts";

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
  const list = (tools: unknown) => {
    for (const tool of listed(tools, api)) found.push(tool);
  };
  const define = (tool: unknown) => {
    found.push(tool);
  };
  walkPrompt(api, root, (name, under) => {
    if (BRINGS_TOOLS.has(under) && folded(name) === "tools") return list;
    return isDefinition(name, under) ? define : undefined;
  });
  return found;
}

function listed(tools: unknown, api: ApiId): unknown[] {
  if (isAbsent(tools)) return [];
  if (!Array.isArray(tools)) return [NO_TOOL];
  return tools.flatMap((tool) => (api === "responses" && isNamespace(tool) ? membersOf(tool) : [tool]));
}

/** https://github.com/openai/codex: its tools come in namespaces. */
function isNamespace(tool: unknown): tool is Json {
  return isObject(tool) && exactValueOf(tool, "type") === "namespace";
}

function membersOf(namespace: Json): unknown[] {
  return valuesOf(namespace, "tools").flatMap((tools) => listed(tools, "responses"));
}

/** Whether a tool of the type `shell` runs at the caller. */
export function isLocalShell(tool: Json): boolean {
  const environment = exactValueOf(tool, "environment");
  return isObject(environment) && exactValueOf(environment, "type") === "local";
}
