// By what a request would have the provider call somebody else: hosted and remote tools, in each format's own terms.
// What runs at the caller is listed here; every other type of tool counts as remote, also one that nobody knows yet. Pure.
import type { ApiId } from "../catalog/schema.ts";
import { fetchedAddresses } from "./fetched-addresses.ts";
import { AMBIGUOUS, exactValueOf, isAbsent, isObject, type Json } from "./json-values.ts";
import { SWITCHES } from "./judged-names.ts";
import { isLocalShell, toolsOf } from "./tools.ts";

/** As many as are told apart; one is enough to block. */
const MAX_TOLD = 16;

/** Tools that the caller runs: the provider only says that it wants them called. */
const CLIENT_TOOLS: Record<"chat_completions" | "responses" | "messages", RegExp> = {
  // https://github.com/openai/openai-node/blob/master/src/resources/chat/completions/completions.ts
  chat_completions: /^(function|custom)$/,
  // https://github.com/openai/openai-node/blob/master/src/resources/responses/responses.ts
  responses: /^(function|custom|local_shell|apply_patch|computer|computer_use_preview)$/,
  // https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/resources/beta/messages/messages.ts
  // A tool search looks through the tools of the request alone.
  messages:
    /^(custom|(bash|text_editor|computer|memory)_\d{8}|(computer|browser)_toolset_\d{8}|tool_search_tool_(regex|bm25)(_\d{8})?)$/,
};

/** The types of the tools, and the names of the members, by which the provider would call somebody else; each once. */
export function remoteTools(api: ApiId, root: Json): string[] {
  const found = new Set<string>([
    ...toolsOf(api, root).flatMap((tool) => remoteIn(tool, api)),
    ...SWITCHES.filter((name) => isOn(root[name])),
    ...storedContext(api, root),
    ...(isOn(root.extra_body) && !isHarmless(root.extra_body) ? ["extra_body"] : []),
    ...fetchedAddresses(api, root),
  ]);
  return [...found].slice(0, MAX_TOLD);
}

/** Whether the provider runs a tool, or may; else its caller does. */
export function isHosted(tool: unknown, api: ApiId): boolean {
  return remoteIn(tool, api).length > 0;
}

/** What is remote about one tool; nothing when the caller runs it. */
function remoteIn(tool: unknown, api: ApiId): string[] {
  if (!isObject(tool)) return ["tools"];
  const type = exactValueOf(tool, "type") ?? (api === "messages" ? "custom" : undefined);
  if (typeof type !== "string") return ["tools"];
  if (api === "responses") {
    if (type === "tool_search" && exactValueOf(tool, "execution") === "client") return [];
    if (type === "shell" && isLocalShell(tool)) return [];
  }
  const clientTools = CLIENT_TOOLS[api === "responses" || api === "messages" ? api : "chat_completions"];
  if (!clientTools.test(type)) return [typeInWords(type)];
  // Moonshot's own tools are functions by name: https://platform.kimi.ai/docs/guide/use-web-search
  const named = exactValueOf(tool, "function") ?? tool;
  const name = isObject(named) ? exactValueOf(named, "name") : AMBIGUOUS;
  if (name === AMBIGUOUS) return ["tools"];
  return typeof name === "string" && name.startsWith("$") ? [typeInWords(name)] : [];
}

/** Members by which a provider adds what it has stored, and who put it there could give it tools that nobody sees here. */
function storedContext(api: ApiId, { prompt, conversation, thread }: Json): string[] {
  // On completions `prompt` is the text itself.
  if (api === "responses")
    return [...(isObject(prompt) ? ["prompt"] : []), ...(isAbsent(conversation) ? [] : ["conversation"])];
  return api === "messages" && !isAbsent(thread) ? ["thread"] : [];
}

/** Off is what is absent, null, false, or an empty list. An empty object switches web search on. */
function isOn(value: unknown): boolean {
  return !isAbsent(value) && value !== false && !(Array.isArray(value) && value.length === 0);
}

/** What Google's compatible API takes there that calls nobody; all else could. */
function isHarmless(extraBody: unknown): boolean {
  if (!isObject(extraBody)) return false;
  return Object.entries(extraBody).every(
    ([vendor, options]) =>
      vendor === "google" && isObject(options) && Object.keys(options).every((name) => name === "thinking_config"),
  );
}

/** A type as the paper trail may keep it: it is the client's text, and not all text is a type. */
function typeInWords(type: string): string {
  return /^[\w.:$-]{1,64}$/.test(type) ? type : "unknown tool type";
}
