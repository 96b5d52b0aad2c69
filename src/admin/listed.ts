// What a policy names: ids that the catalog does not have are found before they are saved. Pure.
import type { CatalogIndex } from "../catalog/lookup.ts";
import type { StoredPolicy } from "../compliance/policy.ts";
import { REQUIREMENT_IDS, requirementOf } from "../compliance/requirements.ts";
import { type FieldError, MAX_FIELD_ERRORS } from "./problem.ts";

/** As many edits apart two ids may be for one to be a typing error of the other. */
const MAX_TYPO_EDITS = 2;
const MAX_TYPO_LENGTH = 64;

const LISTS = [
  ["providers", "allow"],
  ["providers", "block"],
  ["models", "allow"],
  ["models", "block"],
] as const;

/** Whether `draft` lists a provider or model that `inForce` does not, so that a catalog is needed to judge it. */
export function listsMore(draft: StoredPolicy, inForce: StoredPolicy): boolean {
  return LISTS.some(([kind, effect]) => draft[kind][effect].some((id) => !inForce[kind][effect].includes(id)));
}

/** What `draft` names that nobody knows. What `inForce` names already may stay: it may be known again one day. */
export function unknownNames(
  draft: StoredPolicy,
  inForce: StoredPolicy,
  catalog: Pick<CatalogIndex, "providers" | "models" | "aliases"> | null,
): FieldError[] {
  const errors = draft.requirements.flatMap((id, index) =>
    requirementOf(id) || inForce.requirements.includes(id)
      ? []
      : [{ path: `requirements.${index}`, message: `must be one of ${REQUIREMENT_IDS.join(", ")}` }],
  );
  if (catalog === null) return errors;
  for (const [kind, effect] of LISTS)
    for (const [index, id] of draft[kind][effect].entries()) {
      if (errors.length >= MAX_FIELD_ERRORS) return errors;
      if (inForce[kind][effect].includes(id)) continue;
      const message = unknownEntry(catalog, kind, id);
      if (message !== null) errors.push({ path: `${kind}.${effect}.${index}`, message });
    }
  return errors;
}

/** Why a list may not name `id`, in a sentence with what was perhaps meant; null when the catalog has it. */
export function unknownEntry(
  catalog: Pick<CatalogIndex, "providers" | "models" | "aliases">,
  kind: "providers" | "models",
  id: string,
): string | null {
  const known: ReadonlyMap<string, unknown> = catalog[kind];
  if (known.has(id)) return null;
  const canonical = kind === "models" ? catalog.aliases.get(id) : undefined;
  if (canonical !== undefined) return `${id} is another name of ${canonical}; name that.`;
  const meant = nearest(id, known.keys());
  const noun = kind === "providers" ? "provider" : "model";
  return `The catalog has no ${noun} ${id}${meant === null ? "." : `; did you mean ${meant}?`}`;
}

function nearest(id: string, known: Iterable<string>): string | null {
  if (id.length > MAX_TYPO_LENGTH) return null;
  const lower = id.toLowerCase();
  let best: string | null = null;
  let fewest = Math.min(MAX_TYPO_EDITS, Math.floor(id.length / 2)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - id.length) >= fewest) continue;
    const edits = editsBetween(lower, candidate.toLowerCase());
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

/** The optimal string alignment distance: a swap of neighbours is one edit. */
function editsBetween(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (above[column - 1] ?? 0) + Number(a[row - 1] !== b[column - 1]);
      const swapped =
        row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
          ? (before[column - 2] ?? 0) + 1
          : replaced;
      current.push(Math.min(replaced, swapped, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    [before, above] = [above, current];
  }
  return above[b.length] ?? 0;
}
