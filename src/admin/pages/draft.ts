// The policy form as it was posted: a draft of the policy, and what was typed to be added to its lists. Pure.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import { StoredPolicy } from "../../compliance/policy.ts";
import { unknownEntry } from "../listed.ts";

/** The four lists of exceptions, by their path in the policy. */
export const LISTS = ["providers.block", "providers.allow", "models.block", "models.allow"] as const;
export type ListName = (typeof LISTS)[number];

/** What stands in a list's input, and what is wrong with it. */
export interface Typed {
  readonly text: string;
  readonly error: string | null;
}

export interface Draft {
  /** The revision that the form was opened on. */
  readonly base: number;
  readonly policy: StoredPolicy;
  readonly typed: { readonly [L in ListName]: Typed };
}

/** Nothing typed in any list. */
export const NOTHING_TYPED: Draft["typed"] = {
  "providers.block": { text: "", error: null },
  "providers.allow": { text: "", error: null },
  "models.block": { text: "", error: null },
  "models.allow": { text: "", error: null },
};

/** The entries of one list. */
export function entriesOf({ providers, models }: StoredPolicy, list: ListName): readonly string[] {
  const [kind, effect] = list.split(".") as ["providers" | "models", "allow" | "block"];
  return (kind === "providers" ? providers : models)[effect];
}

/** Reads a posted form; a filled input adds to its list. Null when it is not one that the page could have sent. */
export function readDraft(form: URLSearchParams, catalog: CatalogIndex | null): Draft | null {
  const base = Number(form.get("base"));
  if (!Number.isSafeInteger(base) || base < 1) return null;

  const typed: Record<ListName, Typed> = { ...NOTHING_TYPED };
  const read = (list: ListName): string[] => {
    const kept = form.getAll(list);
    const { known, unknown, error } = sortTyped(form.get(`add.${list}`) ?? "", list, catalog);
    typed[list] = { text: unknown.join(", "), error };
    return distinct([...kept, ...known]);
  };
  const policy = StoredPolicy.safeParse({
    enabled: form.get("enabled") === "on",
    requirements: distinct(form.getAll("requirements")),
    headquarters: distinct(form.getAll("headquarters")),
    providers: { block: read("providers.block"), allow: read("providers.allow") },
    models: { block: read("models.block"), allow: read("models.allow") },
  });
  return policy.success ? { base, policy: policy.data, typed } : null;
}

/** Several may be typed at once, apart by commas or spaces. What cannot be added stays typed, with the reason. */
function sortTyped(text: string, list: ListName, catalog: CatalogIndex | null) {
  const ids = distinct(text.split(/[\s,]+/).filter((id) => id !== ""));
  if (catalog === null)
    return {
      known: [],
      unknown: ids,
      error: ids.length > 0 ? "The catalog cannot be read, so nothing can be added." : null,
    };
  const kind = list.startsWith("providers") ? "providers" : "models";
  const known: string[] = [];
  const unknown: string[] = [];
  const errors: string[] = [];
  for (const id of ids) {
    const problem = unknownEntry(catalog, kind, id);
    if (problem === null) known.push(id);
    else {
      unknown.push(id);
      errors.push(problem);
    }
  }
  return { known, unknown, error: errors.length > 0 ? errors.join(" ") : null };
}

const distinct = (items: readonly string[]) => [...new Set(items)];
