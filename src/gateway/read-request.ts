// What a request asks of routing, read from its body through schemas.
import type * as z from "zod";
import { refuse, shown } from "../errors.ts";
import { FallbackModels, ModelName, Preferences } from "../routing/preferences.ts";
import type { JsonBody } from "./json-body.ts";
import type { JudgedName } from "./judged-names.ts";
import type { Body } from "./read-body.ts";
import { askedOfForm } from "./read-form-request.ts";

export interface Asked {
  /** Targets in the order the client wants them tried; at least one. */
  readonly targets: readonly string[];
  readonly preferences: Preferences;
  readonly needs: () => Needs;
}

/** What a model must offer so that `auto` may choose it. */
export interface Needs {
  readonly tools: boolean;
  readonly vision: boolean;
  readonly json: boolean;
  /** A lower bound of the prompt, in tokens. */
  readonly context: number;
}

/** A token is seldom more than this many bytes of JSON, so this never counts more tokens than there are. */
const MOST_BYTES_PER_TOKEN = 8;

const NO_PREFERENCES: Preferences = {};

/** Reads targets and preferences; refuses with 400 naming the field, or the provider, that is wrong. */
export function readRequest(body: Body, providers: ReadonlyMap<string, unknown>): Asked {
  if ("parts" in body) return askedOfForm(body);
  const model = read(body, "model", ModelName);
  const models = read(body, "models", FallbackModels) ?? [];
  const targets = [...new Set(model === undefined ? models : [model, ...models])];
  if (targets.length === 0)
    return refuse({
      code: "invalid_request",
      param: "model",
      why: "model is missing: name a model, provider/model, or auto.",
    });
  const preferences = read(body, "provider", Preferences) ?? NO_PREFERENCES;
  for (const field of ["only", "ignore", "order"] as const)
    for (const id of preferences[field] ?? []) if (!providers.has(id)) refuseUnknown(`provider.${field}`, id);
  return { targets, preferences, needs: () => needsOf(body) };
}

function refuseUnknown(param: string, id: string): never {
  return refuse({
    code: "invalid_request",
    param,
    why: `${param} names ${JSON.stringify(shown(id))}; the catalog has no such provider.`,
  });
}

/** The member as the schema has it; undefined where there is none. */
function read<T extends z.ZodType>({ root }: JsonBody, name: JudgedName, schema: T): z.infer<T> | undefined {
  const value = root[name];
  if (value === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: "is not valid" };
  const param = [name, ...path].join(".");
  return refuse({ code: "invalid_request", param, why: `${param} ${message}.` });
}

function needsOf({ root, bytes }: JsonBody): Needs {
  const { tools, response_format, text, messages, input } = root as Record<string, unknown>;
  const format = typeOf(response_format) ?? typeOf((text as { format?: unknown } | null | undefined)?.format);
  return {
    tools: Array.isArray(tools) && tools.length > 0,
    json: format === "json_object" || format === "json_schema",
    vision: [messages, input].some((list) => Array.isArray(list) && list.some(hasImage)),
    context: Math.floor(bytes.byteLength / MOST_BYTES_PER_TOKEN),
  };
}

/** What the formats call an image: chat completions, responses, messages. */
const IMAGE_TYPES: ReadonlySet<unknown> = new Set(["image_url", "input_image", "image"]);

function typeOf(value: unknown): unknown {
  return (value as { type?: unknown } | null | undefined)?.type;
}

function hasImage(message: unknown): boolean {
  const content = (message as { content?: unknown } | null)?.content;
  return Array.isArray(content) && content.some((part) => IMAGE_TYPES.has(typeOf(part)));
}
