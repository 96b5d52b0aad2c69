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

/** Whether a member defines a tool in the middle of a conversation, in a block of Anthropic's. */
export function isDefinition(name: string, under: string): boolean {
  return folded(name) === "definition" && folded(under) === "tool";
}

/** An object that tells of something: where it stands, its type, and the members in which it does. */
interface Told {
  readonly under: string;
  readonly type: RegExp;
  readonly members: ReadonlySet<string>;
}

/** Only in the places that the format has for them: elsewhere a provider does not look at the type. */
const TOLD: { readonly [A in ApiId]?: readonly Told[] } = {
  responses: [{ under: "input", type: /_call$/, members: new Set(["action", "actions", "outputs", "results"]) }],
  messages: [
    { under: "content", type: /(^|_)tool_use$/, members: new Set(["input"]) },
    { under: "content", type: /^web_[a-z]+_tool_result$/, members: new Set(["content"]) },
    // A document that is written out, also where it begins with an address.
    { under: "source", type: /^text$/, members: new Set(["data"]) },
  ],
};

/** Takes a value, the name of its member (of a list's items, the list's), and the name of the member that it is in. */
export type Visit = (value: unknown, name: string, under: string) => void;

/** Shows `visit` every member of the request that a provider could act on, at any depth, and those that are inert. */
export function walkPrompt(api: ApiId, root: Json, visit: Visit): void {
  const look = (value: unknown, name: string, under: string): void => {
    visit(value, name, under);
    if (isInert(name, under)) return;
    if (Array.isArray(value)) for (const each of value) look(each, name, under);
    else if (isObject(value)) {
      const told = toldBy(value, name, api);
      for (const [key, child] of Object.entries(value)) if (!told?.has(key)) look(child, key, name);
    }
  };
  look(root, "", "");
}

function toldBy(object: Json, under: string, api: ApiId): ReadonlySet<string> | undefined {
  const here = TOLD[api]?.filter((told) => told.under === under) ?? [];
  if (here.length === 0) return undefined;
  const type = exactValueOf(object, "type");
  return typeof type === "string" ? here.find((told) => told.type.test(type))?.members : undefined;
}
