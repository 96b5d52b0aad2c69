// The policy's use cases, shared by the JSON API and the pages: read, preview, save, restore.
import type { CatalogIndex } from "../catalog/lookup.ts";
import { DISABLED_POLICY, type StoredPolicy } from "../compliance/policy.ts";
import { type Preview, preview } from "../compliance/preview.ts";
import type { Env } from "../env.ts";
import { RefusalError } from "../errors.ts";
import { type Edge, loadCatalog } from "../store/edge.ts";
import type { Member } from "../store/members.ts";
import { type Published, publishOrg } from "../store/publish.ts";
import type { OrgRecord } from "../store/records.ts";
import { newestRevision, type Provenance, type Revision, saveRevision } from "../store/revisions.ts";
import { changeInWords } from "./change-in-words.ts";
import { type Doubt, doubtOf } from "./confirmation.ts";
import { listsMore, unknownNames } from "./listed.ts";
import { type FieldError, noSuchOrg } from "./problem.ts";
import { revisionNamed } from "./revisions.ts";

/** A policy changes enough in words to fill a page; a revision keeps this much of it. */
export const MAX_CHANGE_CHARACTERS = 2000;

/** The policy as D1 has it, with the revision that it came from. */
export async function readPolicy(env: Env, org: string) {
  const newest = await newestRevision(env, org);
  if (!newest) throw noSuchOrg();
  const { record, created_at, created_by } = newest;
  const { policy, revision } = record;
  return { policy, revision, updated_at: created_at, updated_by: created_by, record, newest };
}

/** What `draft` would do beside the revision in `record`, by that catalog, at `now` (epoch milliseconds). Pure. */
export function previewPolicy(
  draft: StoredPolicy,
  { record, catalog, now }: { record: OrgRecord; catalog: CatalogIndex; now: number },
): { catalog_version: string; revision: number } & Preview {
  const rules = (asked: StoredPolicy) => ({ policies: [asked], requirements: [] });
  const impact = preview(
    { draft: rules(draft), inForce: rules(record.policy) },
    { providers: catalog.providers.values(), models: catalog.models.values() },
    now,
  );
  return { catalog_version: catalog.version, revision: record.revision, ...impact };
}

/** What is wrong with the names in `draft`. The catalog is read only when the draft lists more than `inForce` does. */
export async function draftErrors(
  edge: Edge,
  draft: StoredPolicy,
  inForce: StoredPolicy = DISABLED_POLICY,
): Promise<FieldError[]> {
  return unknownNames(draft, inForce, listsMore(draft, inForce) ? await loadCatalog(edge) : null);
}

export type PolicySave =
  | { kind: "saved"; revision: number; published: Published; change: string; saved: Revision }
  | { kind: "conflict"; newest: Revision }
  | { kind: "plan_required" }
  | { kind: "invalid"; errors: FieldError[] }
  | { kind: "unconfirmed"; doubt: Doubt };

/** Who saves, on top of which revision, from where and why. */
export interface Saving {
  member: Member;
  base: number;
  from: Provenance;
  reason?: string | undefined;
  /** Save even when no provider would be left. */
  confirmed?: boolean;
}

/**
 * Saves `policy` as the revision after `base`, and publishes it. Off the enterprise plan nobody may change a policy,
 * except that an owner may always switch it off: so that a lapsed plan can neither loosen a policy nor lock it.
 */
export async function savePolicy(edge: Edge, saving: Saving & { policy: StoredPolicy }): Promise<PolicySave> {
  return saveOrRestore(edge, { ...saving, restores: null });
}

/**
 * Saves the policy of an older revision as the one after `base`; all else of the record stays as it is. Names that the
 * catalog no longer has come back with it: in a list they match nothing, and an unknown requirement fails everyone.
 * Throws 404 when the organization has no such revision.
 */
export async function restorePolicy(
  edge: Edge,
  { revision: given, ...saving }: Saving & { revision: string },
): Promise<PolicySave> {
  const { policy, revision } = (await revisionNamed(edge.env, saving.member.org, given)).record;
  return saveOrRestore(edge, { ...saving, policy, restores: revision });
}

async function saveOrRestore(
  edge: Edge,
  {
    member,
    base,
    policy,
    restores,
    from,
    reason = "",
    confirmed = false,
  }: Saving & { policy: StoredPolicy; restores: number | null },
): Promise<PolicySave> {
  const { env } = edge;
  const { org } = member;
  const gated = member.plan !== "enterprise";
  if (gated && member.role !== "owner") return { kind: "plan_required" };
  const { newest, policy: inForce, revision } = await readPolicy(env, org);
  if (base !== revision) return { kind: "conflict", newest };
  if (gated && !onlySwitchesOff(inForce, policy)) return { kind: "plan_required" };
  const errors = restores === null ? await draftErrors(edge, policy, inForce) : [];
  if (errors.length > 0) return { kind: "invalid", errors };
  const { record } = newest;
  const doubt = confirmed
    ? null
    : await doubtAbout(edge, policy, (catalog, now) => previewPolicy(policy, { record, catalog, now }));
  if (doubt !== null) return { kind: "unconfirmed", doubt };

  const words = changeInWords(inForce, policy) || "Saved without a change.";
  return save(env, {
    base: newest,
    next: { policy },
    change: (restores === null ? words : `Restored revision ${restores}. ${words}`).slice(0, MAX_CHANGE_CHARACTERS),
    action: restores === null ? "policy.save" : "policy.restore",
    actor: member.email,
    from,
    reason: reason || null,
    restores,
  });
}

/** Why saving `policy` takes a confirmation, by its preview; null when it takes none. */
export async function doubtAbout(
  edge: Edge,
  policy: StoredPolicy,
  previewBy: (catalog: CatalogIndex, now: number) => Preview,
): Promise<Doubt | null> {
  if (!policy.enabled) return null;
  const catalog = await readableCatalog(edge);
  return doubtOf(policy, catalog && previewBy(catalog, Date.now()).summary);
}

/** The catalog in force, or null while it cannot be read. */
export async function readableCatalog(edge: Edge): Promise<CatalogIndex | null> {
  try {
    return await loadCatalog(edge);
  } catch (error) {
    if (error instanceof RefusalError) return null;
    throw error;
  }
}

/** Saves the order of models for `auto`: on top of `base`, or of whatever is newest when there is none. */
export async function saveRouting(
  { env }: Edge,
  {
    member,
    base,
    routing,
    from,
    reason = "",
  }: Pick<Saving, "member" | "from" | "reason"> & { base: number | undefined; routing: OrgRecord["routing"] },
): Promise<Extract<PolicySave, { kind: "saved" | "conflict" }>> {
  const { newest, revision } = await readPolicy(env, member.org);
  if (base !== undefined && base !== revision) return { kind: "conflict", newest };
  const change = routing.auto.length > 0 ? `Tries ${routing.auto.join(", ")} for auto.` : "Leaves auto to the price.";
  return save(env, {
    base: newest,
    next: { routing },
    change: change.slice(0, MAX_CHANGE_CHARACTERS),
    action: "routing.save",
    actor: member.email,
    from,
    reason: reason || null,
  });
}

/** Saves a revision and publishes it. */
export async function save(
  env: Env,
  change: Parameters<typeof saveRevision>[1],
): Promise<Extract<PolicySave, { kind: "saved" | "conflict" }>> {
  const result = await saveRevision(env, change);
  if (!result.ok) return { kind: "conflict", newest: result.newest };
  const { saved } = result;
  const { org, revision } = saved.record;
  return { kind: "saved", revision, published: await publishOrg(env, org), change: saved.change, saved };
}

/** Whether `after` is `before`, switched off. */
export function onlySwitchesOff(before: StoredPolicy, after: StoredPolicy): boolean {
  const switchedOff = before.enabled && !after.enabled;
  return switchedOff && changeInWords({ ...before, enabled: false }, after) === "";
}
