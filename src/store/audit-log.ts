// The audit log: who did what to an organization. Rows are written in the same batch as what they record.
import type { Env } from "../env.ts";
import { newId, timestamp } from "./secrets.ts";

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
