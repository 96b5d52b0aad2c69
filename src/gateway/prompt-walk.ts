// What a request says, member by member, without what no provider acts on: a client's own notes, schemas, what was cited,
// and what earlier turns tell of. Pure.
import type { ApiId } from "../catalog/schema.ts";
import { exactValueOf, isObject, type Json } from "./json-values.ts";
import { folded } from "./judged-names.ts";

/** Members that are seen, but not looked into. What is inside `tools` is for those who judge tools. */
const INERT: ReadonlySet<string> = new Set([
  "tools",
  "functions",
  "response_format",
  "output_format",
  "output_config",
  "text",
  "metadata",
  "client_metadata",
  "annotations",
  "citations",
]);

/** Whether nothing is looked for inside that member. */
export function isInert(name: string, under = ""): boolean {
  return INERT.has(folded(name)) || isDefinition(name, under);
}

const DEFINITION = "definition";
const TOOL = "tool";

/** Whether a member defines a tool in the middle of a conversation, in a block of Anthropic's. */
export function isDefinition(name: string, under: string): boolean {
  // No letter folds to several, so that other lengths need not be folded to tell.
  if (name.length !== DEFINITION.length || under.length !== TOOL.length) return false;
  return folded(name) === DEFINITION && folded(under) === TOOL;
}

/** An object that tells of something: where it stands, its type, and the members in which it does. */
interface Told {
  readonly under: string;
  readonly type: RegExp;
  readonly members: ReadonlySet<string>;
}

/** Only in the places that the format has for them: elsewhere a provider does not look at the type. */
const TOLD: { readonly [A in ApiId]?: readonly Told[] } = {
  responses: [
    { under: "input", type: /_call$/, members: new Set(["action", "actions", "arguments", "outputs", "results"]) },
  ],
  messages: [
    { under: "content", type: /(^|_)tool_use$/, members: new Set(["input"]) },
    { under: "content", type: /^web_search_tool_result$/, members: new Set(["content"]) },
    // Its document can be a file or an address again.
    { under: "content", type: /^web_fetch_result$/, members: new Set(["url"]) },
    // A document that is written out, also where it begins with an address.
    { under: "source", type: /^text$/, members: new Set(["data"]) },
  ],
};

/** Takes the value of a member, and each item of one that is a list. */
export type See = (value: unknown) => void;

/**
 * Goes through every member of the request that a provider could act on, at any depth, and those that are inert. `watch` is
 * asked once for each, by its name and that of the member it is in, who is to see it; nobody, where it says nothing.
 */
export function walkPrompt(api: ApiId, root: Json, watch: (name: string, under: string) => See | undefined): void {
  const walk = (value: unknown, name: string, see: See | undefined, isSealed: boolean): void => {
    see?.(value);
    if (isSealed) return;
    if (Array.isArray(value)) for (const each of value) walk(each, name, see, isSealed);
    else if (isObject(value)) {
      const told = toldBy(value, name, api);
      for (const [key, child] of Object.entries(value))
        if (!told?.has(key)) walk(child, key, watch(key, name), isInert(key, name));
    }
  };
  walk(root, "", undefined, false);
}

function toldBy(object: Json, under: string, api: ApiId): ReadonlySet<string> | undefined {
  const here = TOLD[api]?.filter((told) => told.under === under) ?? [];
  if (here.length === 0) return undefined;
  const type = exactValueOf(object, "type");
  return typeof type === "string" ? here.find((told) => told.type.test(type))?.members : undefined;
}
