// What the stand-in says. It reads a request the way a model would, as far as a demo needs: it calls a tool, fills a
// JSON schema, counts when asked to (for a stream of any length), and else answers in a sentence. Pure.
import type { ChatCompletionRequest, ChatMessage, FixtureResponse } from "@copilotkit/aimock";

const MAX_QUOTED_CHARACTERS = 200;

/** The answer to a chat request, in the terms of the mock server, which puts it in each API's own form. */
export function answerTo(request: ChatCompletionRequest): FixtureResponse {
  const tool = toolToCall(request);
  if (tool) return { toolCalls: [{ name: tool.name, arguments: JSON.stringify(sample(tool.parameters)) }] };
  return { content: jsonAnswer(request) ?? textAnswer(request) };
}

interface Tool {
  name: string;
  parameters?: unknown;
}

/**
 * The tool the request insists on, or the only one it offers, unless its result is there already. A choice among
 * several is left alone: an agent would really run what a stand-in picked.
 */
function toolToCall({ messages, tools = [], tool_choice }: ChatCompletionRequest): Tool | null {
  if (tool_choice === "none" || messages.at(-1)?.role === "tool") return null;
  const offered: Tool[] = tools.map((tool) => tool.function);
  const wanted = nameOfChoice(tool_choice);
  if (wanted !== null) return offered.find(({ name }) => name === wanted) ?? null;
  if (tool_choice === "required" || offered.length === 1) return offered[0] ?? null;
  return null;
}

function nameOfChoice(choice: unknown): string | null {
  if (!isObject(choice)) return null;
  const name = isObject(choice.function) ? choice.function.name : choice.name;
  return typeof name === "string" ? name : null;
}

function jsonAnswer({ response_format }: ChatCompletionRequest): string | null {
  if (response_format?.type === "json_object") return JSON.stringify({ answer: "This JSON comes from the stand-in." });
  if (response_format?.type !== "json_schema" || !isObject(response_format.json_schema)) return null;
  return JSON.stringify(sample(response_format.json_schema.schema));
}

function textAnswer({ model, messages }: ChatCompletionRequest): string {
  const prompt = lastPrompt(messages);
  const limit = /\bcount to (\d{1,4})\b/i.exec(prompt)?.[1];
  if (limit) return Array.from({ length: Number(limit) }, (_, index) => index + 1).join(", ");
  const quoted = prompt.length > MAX_QUOTED_CHARACTERS ? `${prompt.slice(0, MAX_QUOTED_CHARACTERS)}…` : prompt;
  return `The stand-in for a provider answers as ${model}. You wrote: “${quoted}”`;
}

function lastPrompt(messages: readonly ChatMessage[]): string {
  const content = messages.findLast(({ role }) => role === "user")?.content ?? "";
  if (typeof content === "string") return content;
  return content.map((part) => (typeof part.text === "string" ? part.text : "")).join("");
}

/** The smallest value that a JSON schema describes, as far as its types go. */
function sample(schema: unknown): unknown {
  if (!isObject(schema)) return {};
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case "string":
      return "example";
    case "number":
    case "integer":
      return typeof schema.minimum === "number" ? schema.minimum : 1;
    case "boolean":
      return true;
    case "array":
      return [sample(schema.items)];
    case "null":
      return null;
    default:
      return sampleObject(schema);
  }
}

function sampleObject({ properties, required }: Record<string, unknown>): Record<string, unknown> {
  if (!isObject(properties)) return {};
  const names = Array.isArray(required) ? required : Object.keys(properties);
  return Object.fromEntries(names.map((name) => [name, sample(properties[name])]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
