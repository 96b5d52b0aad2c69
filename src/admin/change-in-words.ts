// The difference between two policies in words, a sentence for each: for revisions, the audit log and the save bar. Pure.
import { countryName, EMPTY_POLICY, type StoredPolicy } from "../compliance/policy.ts";
import { requirementOf } from "../compliance/requirements.ts";

/**
 * "Now requires No prompt logging. No longer blocks xai."; empty when both ask for the same. `before` is null for a
 * project that carried no policy.
 */
export function changeInWords(before: StoredPolicy | null, after: StoredPolicy): string {
  if (before === null) return `Has a policy of its own. ${changeInWords(EMPTY_POLICY, after)}`.trim();
  return [
    switched(before.enabled, after.enabled),
    ...added(before.requirements, after.requirements, (ids) => `Now requires ${requirements(ids)}.`),
    ...added(after.requirements, before.requirements, (ids) => `No longer requires ${requirements(ids)}.`),
    ...headquarters(before.headquarters, after.headquarters),
    ...exceptions(before.providers, after.providers, { each: "", all: "providers" }),
    ...exceptions(before.models, after.models, { each: "the model ", all: "models" }),
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

function switched(before: boolean, after: boolean): string {
  if (before === after) return "";
  return after ? "Switched on." : "Switched off.";
}

function headquarters(before: readonly string[], after: readonly string[]): string[] {
  if (before.length === 0) return added([], after, (codes) => `Now requires headquarters in ${countries(codes)}.`);
  if (after.length === 0) return ["No longer restricts headquarters."];
  return [
    ...added(before, after, (codes) => `Headquarters may now also be in ${countries(codes)}.`),
    ...added(after, before, (codes) => `Headquarters may no longer be in ${countries(codes)}.`),
  ];
}

function exceptions(
  before: StoredPolicy["providers"],
  after: StoredPolicy["providers"],
  noun: { each: string; all: string },
): string[] {
  const listed = (ids: readonly string[]) => series(ids.map((id) => `${noun.each}${id}`));
  return [
    ...allowed(before.allow, after.allow, { listed, all: noun.all }),
    ...added(before.block, after.block, (ids) => `Now blocks ${listed(ids)}.`),
    ...added(after.block, before.block, (ids) => `No longer blocks ${listed(ids)}.`),
  ];
}

function allowed(
  before: readonly string[],
  after: readonly string[],
  { listed, all }: { listed: (ids: readonly string[]) => string; all: string },
): string[] {
  if (before.length === 0) return added([], after, (ids) => `Now allows only ${listed(ids)}.`);
  if (after.length === 0) return [`No longer allows only listed ${all}.`];
  return [
    ...added(before, after, (ids) => `Now also allows ${listed(ids)}.`),
    ...added(after, before, (ids) => `No longer allows ${listed(ids)}.`),
  ];
}

function added(before: readonly string[], after: readonly string[], say: (ids: string[]) => string): string[] {
  const more = after.filter((id) => !before.includes(id));
  return more.length > 0 ? [say(more)] : [];
}

const requirements = (ids: readonly string[]) => series(ids.map((id) => requirementOf(id)?.label ?? id));
const countries = (codes: readonly string[]) => series(codes.map((code) => countryName(code) ?? code));

/** "a", "a and b", "a, b and c". */
export function series(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
