// The difference between two revisions, field by field, in the words of the compliance page. Pure.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import { countryName, type StoredPolicy } from "../../compliance/policy.ts";
import { requirementOf } from "../../compliance/requirements.ts";
import type { Provenance } from "../../store/revisions.ts";
import type { Difference } from "../difference.ts";
import { unknownEntry } from "../listed.ts";

const FIELDS: Record<string, string> = {
  enabled: "Enforcement",
  requirements: "Requirements",
  headquarters: "Headquarters",
  "providers.allow": "Allowed providers",
  "providers.block": "Blocked providers",
  "models.allow": "Allowed models",
  "models.block": "Blocked models",
};

/** A field that differs: what stands only on the one side, and only on the other. */
export interface ComparedField {
  label: string;
  before: readonly string[];
  after: readonly string[];
}

/** One row of a comparison. */
export function fieldOf(difference: Difference): ComparedField {
  const { path } = difference;
  const [, project, field = path.replace(/^policy\./, "")] = /^projects\.([^.]+)\.policy\.(.+)$/.exec(path) ?? [];
  const label = project === undefined ? labelOf(field) : `Project ${project}: ${labelOf(field)}`;
  if ("added" in difference) {
    const words = (entries: readonly string[]) => entries.map((entry) => entryInWords(field, entry));
    return { label, before: words(difference.removed), after: words(difference.added) };
  }
  const words = (value: boolean | readonly string[]) => (typeof value === "boolean" ? [value ? "on" : "off"] : value);
  return { label, before: words(difference.before), after: words(difference.after) };
}

function labelOf(field: string): string {
  if (field === "projects") return "Projects with a policy of their own";
  if (field === "routing.auto") return "Order of models for auto";
  return FIELDS[field] ?? field;
}

function entryInWords(field: string, entry: string): string {
  if (field === "requirements") return requirementOf(entry)?.label ?? entry;
  if (field === "headquarters") return countryName(entry) ?? entry;
  return entry;
}

/** What `policy` names that nobody knows today, a sentence each. */
export function unknownToday(policy: StoredPolicy, catalog: CatalogIndex | null): string[] {
  const requirements = policy.requirements
    .filter((id) => !requirementOf(id))
    .map((id) => `This version of the gateway cannot check ${id}, so no provider meets it.`);
  if (catalog === null) return requirements;
  const names = (["providers", "models"] as const).flatMap((kind) =>
    [...policy[kind].allow, ...policy[kind].block].flatMap((id) => unknownEntry(catalog, kind, id) ?? []),
  );
  return [...requirements, ...new Set(names)];
}

/** From where somebody saved: "in the browser (France)". */
export function provenanceInWords({ via, country }: Provenance): string {
  const place = country === null ? "" : ` (${countryName(country) ?? country})`;
  const door = {
    page: "in the browser",
    api: "through the API",
    cli: "from the command line",
    system: "by the gateway itself",
  }[via];
  return `${door}${place}`;
}
