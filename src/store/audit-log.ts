// The audit log: who did what to an organization. Rows are written in the same batch as what they record.
import * as z from "zod";
import type { Env } from "../env.ts";
import { type Condition, conditionsOf, idRange } from "./conditions.ts";
import { newId, timestamp } from "./secrets.ts";

/** All that can be recorded. */
export const AUDIT_ACTIONS = [
  ...["org.create", "org.change", "catalog.publish", "dead_letter.replay"],
  ...["member.put", "member.remove", "token.issue", "token.revoke", "sign_in.refuse"],
  ...["policy.save", "policy.restore", "routing.save", "project.policy.save", "project.policy.remove"],
  ...["project.create", "project.rename", "project.remove", "key.create", "key.change", "key.revoke"],
  ...["credential.save", "credential.remove", "credential.reseal", "events.retention"],
  ...["webhook.create", "webhook.change", "webhook.test", "webhook.pause", "webhook.resume"],
  ...["webhook.rotate_secret", "webhook.remove"],
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export interface AuditEntry {
  org: string | null;
  /** An email address, `operator`, or `system` for what Portcullis does by itself. */
  actor: string;
  action: AuditAction;
  target: string;
  detail: Record<string, unknown>;
}

const ALWAYS: Condition = { sql: "1", values: [] };

/** The statement that writes an entry, `where` something holds; batch it with the change it records. */
export function auditStatement(
  env: Env,
  { org, actor, action, target, detail }: AuditEntry,
  where: Condition = ALWAYS,
): D1PreparedStatement {
  const now = Date.now();
  return env.DB.prepare(
    `INSERT INTO audit_log (id, at, org, actor, action, target, detail) SELECT ?, ?, ?, ?, ?, ?, ? WHERE ${where.sql}`,
  ).bind(newId("log", now), timestamp(now), org, actor, action, target, JSON.stringify(detail), ...where.values);
}

/** An entry as it is read. Another build may have written it, so its action can be any. */
export interface AuditRow extends Omit<AuditEntry, "action"> {
  id: string;
  at: string;
  action: string;
}

export interface AuditFilter {
  org: string;
  actor?: string | undefined;
  action?: string | undefined;
  target?: string | undefined;
  /** RFC 3339, inclusive. */
  from?: string | undefined;
  /** RFC 3339, exclusive. */
  to?: string | undefined;
  /** Only entries with a smaller id, that is, older ones. */
  before?: string | undefined;
  limit: number;
}

const Detail = z.record(z.string(), z.unknown());

/** The entries that match, newest first. */
export async function listAuditLog(env: Env, filter: AuditFilter): Promise<AuditRow[]> {
  const { where, values } = conditionsOf([
    ["org = ?", filter.org],
    ["actor = ?", filter.actor],
    ["action = ?", filter.action],
    ["target = ?", filter.target],
    ...idRange("log", filter),
  ]);
  const { results } = await env.DB.prepare(
    `SELECT id, at, org, actor, action, target, detail FROM audit_log
     WHERE ${where} ORDER BY id DESC LIMIT ?`,
  )
    .bind(...values, filter.limit)
    .all<Omit<AuditRow, "detail"> & { detail: string }>();
  return results.map(({ detail, ...row }) => ({ ...row, detail: Detail.parse(JSON.parse(detail)) }));
}

/** What an organization's entries have in that column, in order, at most `limit` of it; one index look-up each. */
export async function auditLogValues(
  env: Env,
  { org, column, limit }: { org: string; column: "actor" | "action"; limit: number },
): Promise<string[]> {
  const { results } = await env.DB.prepare(
    `WITH RECURSIVE found (value) AS (
       SELECT MIN(${column}) FROM audit_log WHERE org = ?1
       UNION ALL
       SELECT (SELECT MIN(${column}) FROM audit_log WHERE org = ?1 AND ${column} > value) FROM found WHERE value IS NOT NULL
       LIMIT ?2
     ) SELECT value FROM found WHERE value IS NOT NULL`,
  )
    .bind(org, limit)
    .all<{ value: string }>();
  return results.map(({ value }) => value);
}
