// The difference between two revisions as data: for each field of the record that differs, what was added and removed.
// Credentials are no part of it: a revision is shown to people. Pure.
import * as z from "zod";
import { DISABLED_POLICY, type StoredPolicy } from "../compliance/policy.ts";
import type { OrgRecord } from "../store/records.ts";

const entries = z.array(z.string());

/** One field: a list whose order means nothing, a list whose order matters, or a switch. */
export const Difference = z.union([
  z.strictObject({ path: z.string(), added: entries, removed: entries }),
  z.strictObject({ path: z.string(), before: entries, after: entries }),
  z.strictObject({ path: z.string(), before: z.boolean(), after: z.boolean() }),
]);
export type Difference = z.infer<typeof Difference>;

type Shown = Pick<OrgRecord, "policy" | "projects" | "routing">;

/** What a first revision stands against. */
export const NOTHING: Shown = { policy: DISABLED_POLICY, projects: {}, routing: { auto: [] } };

/** The fields that differ, in the order of the record; empty when both ask for the same. */
export function differenceBetween(before: Shown, after: Shown): Difference[] {
  const projects = [...new Set([...Object.keys(before.projects), ...Object.keys(after.projects)])].sort();
  return [
    ...ofPolicies("policy", before.policy, after.policy),
    ...ofSets("projects", Object.keys(before.projects), Object.keys(after.projects)),
    ...projects.flatMap((id) =>
      ofPolicies(`projects.${id}.policy`, policyOf(before.projects, id), policyOf(after.projects, id)),
    ),
    ...ofSequences("routing.auto", before.routing.auto, after.routing.auto),
  ];
}

/** A project without a policy of its own asks for nothing more. */
function policyOf(projects: Shown["projects"], id: string): StoredPolicy {
  return (Object.hasOwn(projects, id) ? projects[id]?.policy : undefined) ?? DISABLED_POLICY;
}

function ofPolicies(path: string, before: StoredPolicy, after: StoredPolicy): Difference[] {
  return [
    ...(before.enabled === after.enabled
      ? []
      : [{ path: `${path}.enabled`, before: before.enabled, after: after.enabled }]),
    ...ofSets(`${path}.requirements`, before.requirements, after.requirements),
    ...ofSets(`${path}.headquarters`, before.headquarters, after.headquarters),
    ...ofSets(`${path}.providers.allow`, before.providers.allow, after.providers.allow),
    ...ofSets(`${path}.providers.block`, before.providers.block, after.providers.block),
    ...ofSets(`${path}.models.allow`, before.models.allow, after.models.allow),
    ...ofSets(`${path}.models.block`, before.models.block, after.models.block),
  ];
}

function ofSets(path: string, before: readonly string[], after: readonly string[]): Difference[] {
  const added = after.filter((entry) => !before.includes(entry));
  const removed = before.filter((entry) => !after.includes(entry));
  return added.length + removed.length > 0 ? [{ path, added, removed }] : [];
}

function ofSequences(path: string, before: readonly string[], after: readonly string[]): Difference[] {
  const same = before.length === after.length && before.every((entry, index) => entry === after[index]);
  return same ? [] : [{ path, before: [...before], after: [...after] }];
}
