// A project's own policy: the same document, composed by AND with the organization's. It stands in the organization's
// record and counts in the same revisions, so that no part of what is enforced can be read or saved alone.
import type { CatalogIndex } from "../catalog/lookup.ts";
import type { StoredPolicy } from "../compliance/policy.ts";
import { type Preview, preview } from "../compliance/preview.ts";
import { projectPolicyOf, rulesOf } from "../compliance/rules.ts";
import { withSources } from "../compliance/sources.ts";
import type { Env } from "../env.ts";
import type { Edge } from "../store/edge.ts";
import type { Member } from "../store/members.ts";
import { findProject } from "../store/projects.ts";
import type { OrgRecord } from "../store/records.ts";
import { changeInWords } from "./change-in-words.ts";
import {
  doubtAbout,
  draftErrors,
  MAX_CHANGE_CHARACTERS,
  onlySwitchesOff,
  type PolicySave,
  readPolicy,
  type Saving,
  save,
} from "./policy.ts";
import { noProjectPolicy, noSuchProject } from "./problem.ts";

/** D1 takes rows of 2,000,000 bytes; an organization's own policy, of a mebibyte at most, must still fit beside. */
const MAX_RECORD_BYTES = 900_000;

/** A project with its policy, null when it carries none, and the revision that says so. Throws 404. */
export async function readProjectPolicy(env: Env, org: string, id: string) {
  const [project, { newest, record }] = await Promise.all([findProject(env, org, id), readPolicy(env, org)]);
  if (!project) throw noSuchProject();
  return { project, newest, record, policy: projectPolicyOf(record.projects, id) ?? null };
}

/** The record in which the project carries `draft`, or no policy when that is null. Pure. */
function recordWith(record: OrgRecord, project: string, draft: StoredPolicy | null): OrgRecord {
  const { [project]: _, ...others } = record.projects;
  return { ...record, projects: draft ? { ...others, [project]: { policy: draft } } : others };
}

/**
 * What the organization's policy and `draft` together would do to the project beside what is in force for it, with the
 * source of each failure; by that catalog, at `now` (epoch milliseconds). Composed as a request's rules are. Pure.
 */
export function previewProjectPolicy(
  draft: StoredPolicy,
  { record, project, catalog, now }: { record: OrgRecord; project: string; catalog: CatalogIndex; now: number },
): { catalog_version: string; revision: number } & Preview {
  const inForce = rulesOf(record, project);
  const judged = { providers: [...catalog.providers.values()], models: [...catalog.models.values()] };
  const composed = preview({ draft: rulesOf(recordWith(record, project, draft), project), inForce }, judged, now);
  const organization = preview({ draft: rulesOf(record, null), inForce }, judged, now);
  return { catalog_version: catalog.version, revision: record.revision, ...withSources(composed, organization) };
}

/**
 * Saves `policy` as the project's, or takes its policy away when that is null, in the revision after `base`; publishes it.
 * Off the enterprise plan as for the organization's policy: nobody may, except that an owner may always switch it off.
 */
export async function saveProjectPolicy(
  edge: Edge,
  {
    member,
    project,
    base,
    policy,
    from,
    reason = "",
    confirmed = false,
  }: Saving & { project: string; policy: StoredPolicy | null },
): Promise<PolicySave> {
  const { newest, record, policy: inForce } = await readProjectPolicy(edge.env, member.org, project);
  if (!mayChange(member, inForce, policy)) return { kind: "plan_required" };
  if (base !== record.revision) return { kind: "conflict", newest };
  if (!policy && !inForce) throw noProjectPolicy();
  const { projects } = recordWith(record, project, policy);
  const errors = policy ? await draftErrors(edge, policy, inForce ?? undefined) : [];
  if (errors.length > 0) return { kind: "invalid", errors };
  if (Buffer.byteLength(JSON.stringify({ ...record, projects })) > MAX_RECORD_BYTES)
    return { kind: "invalid", errors: [{ path: "", message: "leaves no room: the projects' policies are too long" }] };
  const doubt =
    policy && !confirmed
      ? await doubtAbout(edge, policy, (catalog, now) =>
          previewProjectPolicy(policy, { record, project, catalog, now }),
        )
      : null;
  if (doubt !== null) return { kind: "unconfirmed", doubt };
  return save(edge.env, {
    base: newest,
    next: { projects },
    change: projectChangeInWords(project, inForce, policy).slice(0, MAX_CHANGE_CHARACTERS),
    action: policy ? "project.policy.save" : "project.policy.remove",
    detail: { project, policy },
    actor: member.email,
    from,
    reason: reason || null,
  });
}

/** What a save would change, for the revision and the audit log: "Project web: now requires GDPR." Pure. */
function projectChangeInWords(project: string, before: StoredPolicy | null, after: StoredPolicy | null): string {
  if (!after) return `Project ${project}: no longer has a policy of its own.`;
  return `Project ${project}: ${changeInWords(before, after) || "saved without a change."}`;
}

function mayChange({ plan, role }: Member, before: StoredPolicy | null, after: StoredPolicy | null): boolean {
  if (plan === "enterprise") return true;
  return role === "owner" && before !== null && after !== null && onlySwitchesOff(before, after);
}
