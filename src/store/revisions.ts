// Revisions of what is enforced for an organization. D1 is the source of truth; `publish.ts` carries it to the edge.
import { DISABLED_POLICY, type StoredPolicy } from "../compliance/policy.ts";
import type { Env } from "../env.ts";
import { type AuditAction, auditStatement } from "./audit-log.ts";
import { OrgRecord, RECORD_SCHEMA } from "./records.ts";
import { timestamp } from "./secrets.ts";

/** What a revision was saved with. `cli` is what our own command line says of itself; `system` is a job of the Worker's. */
export const DOORS = ["page", "api", "cli", "system"] as const;

/** From where a revision was saved: no address and no browser, which would be kept for good and say little. */
export interface Provenance {
  via: (typeof DOORS)[number];
  /** Of the caller, ISO 3166-1 alpha-2 or Cloudflare's own (`T1` is Tor); null when it is not known. */
  country: string | null;
}

export interface Revision extends Provenance {
  record: OrgRecord;
  /** The change in words, against the revision before. */
  change: string;
  /** Why, in the words of whoever saved it. */
  reason: string | null;
  /** The revision whose policy this one brought back. */
  restores: number | null;
  created_at: string;
  created_by: string;
}

const COLUMNS = "record, change, reason, restores, via, country, created_at, created_by";

type Row = Omit<Revision, "record"> & { record: string };

const fromRow = ({ record, ...rest }: Row): Revision => ({ record: OrgRecord.parse(JSON.parse(record)), ...rest });

/** The newest revision, or null when there is no such organization. Throws when the stored record is malformed. */
export async function newestRevision(env: Env, org: string): Promise<Revision | null> {
  const row = await env.DB.prepare(`SELECT ${COLUMNS} FROM revisions WHERE org = ? ORDER BY revision DESC LIMIT 1`)
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
    `SELECT ${COLUMNS} FROM revisions WHERE org = ? AND revision < ? ORDER BY revision DESC LIMIT ?`,
  )
    .bind(org, before, limit)
    .all<Row>();
  return results.map(fromRow);
}

/** One revision of an organization, or null. */
export async function findRevision(env: Env, org: string, revision: number): Promise<Revision | null> {
  const row = await env.DB.prepare(`SELECT ${COLUMNS} FROM revisions WHERE org = ? AND revision = ?`)
    .bind(org, revision)
    .first<Row>();
  return row && fromRow(row);
}

/** The first record of an organization: off, unless it is created with a policy. */
export function firstRecord(org: string, policy: StoredPolicy = DISABLED_POLICY): OrgRecord {
  return { schema: RECORD_SCHEMA, org, revision: 1, policy, projects: {}, routing: { auto: [] }, credentials: {} };
}

/** The statement that stores a revision; it fails when one of that number exists. */
export function revisionStatement(env: Env, { record, ...saved }: Revision): D1PreparedStatement {
  const { change, reason, restores, via, country, created_at, created_by } = saved;
  return env.DB.prepare(`INSERT INTO revisions (org, revision, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).bind(
    record.org,
    record.revision,
    JSON.stringify(record),
    change,
    reason,
    restores,
    via,
    country,
    created_at,
    created_by,
  );
}

/**
 * Takes sealed secrets out of an organization's older revisions: a key that was removed is gone, and one that was sealed
 * with a key since replaced is not kept under it.
 */
function forgetCredentialsStatement(env: Env, { org, revision }: OrgRecord): D1PreparedStatement {
  return env.DB.prepare(
    `UPDATE revisions SET record = json_set(record, '$.credentials', json('{}'))
     WHERE org = ? AND revision < ? AND json_extract(record, '$.credentials') <> '{}'`,
  ).bind(org, revision);
}

export type Saved = { ok: true; saved: Revision } | { ok: false; newest: Revision };

/**
 * Saves what follows on `base`, with its audit row, in one batch. Not ok when another revision was saved meanwhile;
 * then nothing was written, and `newest` says whose it is. The audit row never holds credentials, not even sealed ones.
 */
export async function saveRevision(
  env: Env,
  {
    base,
    next,
    change,
    action,
    detail,
    actor,
    from,
    reason = null,
    restores = null,
  }: {
    base: Revision;
    next: Partial<Pick<OrgRecord, "policy" | "routing" | "credentials" | "projects">>;
    change: string;
    action: AuditAction;
    /** What the audit row says beside the change; what is saved, without credentials, when not given. */
    detail?: Record<string, unknown>;
    actor: string;
    from: Provenance;
    reason?: string | null;
    restores?: number | null;
  },
): Promise<Saved> {
  const record: OrgRecord = { ...base.record, ...next, revision: base.record.revision + 1 };
  const { org, revision } = record;
  const account = { change, reason, restores, ...from };
  const saved: Revision = { record, ...account, created_at: timestamp(), created_by: actor };
  const { credentials, ...shown } = next;
  try {
    await env.DB.batch([
      revisionStatement(env, saved),
      auditStatement(env, {
        org,
        actor,
        action,
        target: `revision ${revision}`,
        detail: { ...account, ...(detail ?? shown) },
      }),
      ...(credentials ? [forgetCredentialsStatement(env, record)] : []),
    ]);
    return { ok: true, saved };
  } catch (error) {
    const newest = await newestRevision(env, org);
    if (newest && newest.record.revision >= revision) return { ok: false, newest };
    throw error;
  }
}
