// What a request says, member by member, without what no provider acts on: a client's own notes, what was cited, and
// what earlier turns tell of. Pure.
import type { ApiId } from "../catalog/schema.ts";
import { folded } from "./judged-names.ts";

/** Members that tell of a tool, of what the caller keeps, or of what was cited: seen, but not looked into. */
export const INERT: ReadonlySet<string> = new Set([
  "tools",
  "functions",
  "response_format",
  "text",
  "metadata",
  "client_metadata",
  "annotations",
  "citations",
]);

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

/** Shows `visit` every member in the request that a provider could act on, at any depth. */
export function walkPrompt(api: ApiId, root: Readonly<Record<string, unknown>>, visit: Visit): void {
  const look = (value: unknown, name: string, under: string): void => {
    visit(value, name, under);
    if (INERT.has(folded(name))) return;
    if (Array.isArray(value)) for (const each of value) look(each, name, under);
    else if (typeof value === "object" && value !== null) {
      const told = toldBy(value, name, api);
      for (const [key, child] of Object.entries(value)) if (!told?.has(key)) look(child, key, name);
    }
  };
  look(root, "", "");
}

function toldBy({ type }: { type?: unknown }, under: string, api: ApiId): ReadonlySet<string> | undefined {
  if (typeof type !== "string") return undefined;
  return TOLD[api]?.find((told) => told.under === under && told.type.test(type))?.members;
}
