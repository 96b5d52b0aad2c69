// The audit log: who did what to an organization. Rows are written in the same batch as what they record.
import type { Env } from "../env.ts";
import { ID_END, newId, timestamp } from "./secrets.ts";

export interface AuditEntry {
  org: string | null;
  /** An email address, or `operator`. */
  actor: string;
  action: string;
  target: string;
  detail: Record<string, unknown>;
}

/** The statement that writes an entry; batch it with the change it records. */
export function auditStatement(env: Env, { org, actor, action, target, detail }: AuditEntry): D1PreparedStatement {
  return env.DB.prepare(
    "INSERT INTO audit_log (id, at, org, actor, action, target, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
  ).bind(newId("log"), timestamp(), org, actor, action, target, JSON.stringify(detail));
}

export interface AuditRow extends AuditEntry {
  id: string;
  at: string;
}

/** The entries of an organization, newest first, with an id below `before`; at most `limit`. */
export async function listAuditLog(
  env: Env,
  { org, before = ID_END, limit }: { org: string; before?: string | undefined; limit: number },
): Promise<AuditRow[]> {
  const { results } = await env.DB.prepare(
    `SELECT id, at, org, actor, action, target, detail FROM audit_log
     WHERE org = ? AND id < ? ORDER BY id DESC LIMIT ?`,
  )
    .bind(org, before, limit)
    .all<Omit<AuditRow, "detail"> & { detail: string }>();
  return results.map(({ detail, ...row }) => ({ ...row, detail: JSON.parse(detail) as Record<string, unknown> }));
}
