// Revisions of what is enforced for an organization. D1 is the source of truth; `publish.ts` carries it to the edge.
import { DISABLED_POLICY, type StoredPolicy } from "../compliance/policy.ts";
import type { Env } from "../env.ts";
import { auditStatement } from "./audit-log.ts";
import { OrgRecord, RECORD_SCHEMA } from "./records.ts";
import { timestamp } from "./secrets.ts";

export interface Revision {
  record: OrgRecord;
  /** The change in words, against the revision before. */
  change: string;
  created_at: string;
  created_by: string;
}

type Row = { record: string; change: string; created_at: string; created_by: string };

const fromRow = ({ record, ...rest }: Row): Revision => ({ record: OrgRecord.parse(JSON.parse(record)), ...rest });

/** The newest revision, or null when there is no such organization. Throws when the stored record is malformed. */
export async function newestRevision(env: Env, org: string): Promise<Revision | null> {
  const row = await env.DB.prepare(
    "SELECT record, change, created_at, created_by FROM revisions WHERE org = ? ORDER BY revision DESC LIMIT 1",
  )
    .bind(org)
    .first<Row>();
  return row && fromRow(row);
}

/** The revisions of an organization, newest first, below `before`; at most `limit`. */
export async function listRevisions(
  env: Env,
  { org, before, limit }: { org: string; before: number; limit: number },
): Promise<Revision[]> {
  const { results } = await env.DB.prepare(
    `SELECT record, change, created_at, created_by FROM revisions
     WHERE org = ? AND revision < ? ORDER BY revision DESC LIMIT ?`,
  )
    .bind(org, before, limit)
    .all<Row>();
  return results.map(fromRow);
}

/** The first record of an organization: off, unless it is created with a policy. */
export function firstRecord(org: string, policy: StoredPolicy = DISABLED_POLICY): OrgRecord {
  return { schema: RECORD_SCHEMA, org, revision: 1, policy, projects: {}, routing: { auto: [] }, credentials: {} };
}

/** The statement that stores a revision; it fails when one of that number exists. */
export function revisionStatement(env: Env, { record, change, created_at, created_by }: Revision): D1PreparedStatement {
  return env.DB.prepare(
    "INSERT INTO revisions (org, revision, record, change, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?)",
  ).bind(record.org, record.revision, JSON.stringify(record), change, created_at, created_by);
}

export type Saved = { ok: true; saved: Revision } | { ok: false; newest: Revision };

/**
 * Saves what follows on `base`, with its audit row, in one batch. Not ok when another revision was saved meanwhile;
 * then nothing was written, and `newest` says whose it is.
 */
export async function saveRevision(
  env: Env,
  {
    base,
    next,
    change,
    action,
    detail = next,
    actor,
  }: {
    base: Revision;
    next: Partial<Pick<OrgRecord, "policy" | "routing" | "projects">>;
    change: string;
    action: string;
    /** What the audit row says beside the change; `next` itself when not given. */
    detail?: Record<string, unknown>;
    actor: string;
  },
): Promise<Saved> {
  const record: OrgRecord = { ...base.record, ...next, revision: base.record.revision + 1 };
  const { org, revision } = record;
  const saved: Revision = { record, change, created_at: timestamp(), created_by: actor };
  try {
    await env.DB.batch([
      revisionStatement(env, saved),
      auditStatement(env, { org, actor, action, target: `revision ${revision}`, detail: { change, ...detail } }),
    ]);
    return { ok: true, saved };
  } catch (error) {
    const newest = await newestRevision(env, org);
    if (newest && newest.record.revision >= revision) return { ok: false, newest };
    throw error;
  }
}
