// Organizations and their plans.
import type { StoredPolicy } from "../compliance/policy.ts";
import type { Env } from "../env.ts";
import { auditStatement } from "./audit-log.ts";
import { firstRecord, type Provenance, type Revision, revisionStatement } from "./revisions.ts";
import { timestamp } from "./secrets.ts";

export type Plan = "free" | "pro" | "enterprise";

export interface Org {
  id: string;
  name: string;
  plan: Plan;
  /** The newest revision known to have reached the edge. */
  published_revision: number;
  created_at: string;
}

/** The organization, or null. */
export async function findOrg(env: Env, id: string): Promise<Org | null> {
  return env.DB.prepare("SELECT id, name, plan, published_revision, created_at FROM orgs WHERE id = ?")
    .bind(id)
    .first<Org>();
}

/** Creates an organization with revision 1, disabled unless a first policy is given. False when the id is taken. */
export async function createOrg(
  env: Env,
  {
    id,
    name,
    plan,
    policy,
    from,
  }: { id: string; name: string; plan: Plan; policy?: StoredPolicy | undefined; from: Provenance },
): Promise<boolean> {
  if (await findOrg(env, id)) return false;
  const actor = "operator";
  const created_at = timestamp();
  const first: Revision = {
    record: firstRecord(id, policy),
    change: "Organization created.",
    reason: null,
    restores: null,
    ...from,
    created_at,
    created_by: actor,
  };
  try {
    await env.DB.batch([
      env.DB.prepare("INSERT INTO orgs (id, name, plan, created_at) VALUES (?, ?, ?, ?)").bind(
        id,
        name,
        plan,
        created_at,
      ),
      revisionStatement(env, first),
      auditStatement(env, { org: id, actor, action: "org.create", target: id, detail: { name, plan } }),
    ]);
    return true;
  } catch (error) {
    // Another request created it in the meantime.
    if (await findOrg(env, id)) return false;
    throw error;
  }
}

/** Changes an organization's name or plan. What is enforced does not depend on either. */
export async function changeOrg(
  env: Env,
  org: Org,
  change: { name?: string | undefined; plan?: Plan | undefined },
): Promise<Org> {
  const changed = { ...org, name: change.name ?? org.name, plan: change.plan ?? org.plan };
  await env.DB.batch([
    env.DB.prepare("UPDATE orgs SET name = ?, plan = ? WHERE id = ?").bind(changed.name, changed.plan, org.id),
    auditStatement(env, {
      org: org.id,
      actor: "operator",
      action: "org.change",
      target: org.id,
      detail: { ...change, was: { name: org.name, plan: org.plan } },
    }),
  ]);
  return changed;
}

/** For the job that keeps the edge in step. */
export interface Publication extends Pick<Org, "id" | "published_revision"> {
  /** Whether the newest revision is not known to have reached the edge: 1 or 0. */
  outstanding: number;
}

/** How far every organization is published, the oldest first: a new one does not change the place of another. */
export async function allPublications(env: Env): Promise<Publication[]> {
  const { results } = await env.DB.prepare(
    `SELECT id, published_revision,
       published_revision < (SELECT MAX(revision) FROM revisions WHERE org = orgs.id) AS outstanding
     FROM orgs ORDER BY created_at, id`,
  ).all<Publication>();
  return results;
}
