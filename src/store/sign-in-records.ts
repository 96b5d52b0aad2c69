// Refused attempts to sign in, as rows of the audit log: the only rows that somebody from outside can cause.
import type { Env } from "../env.ts";
import type { AuditEntry } from "./audit-log.ts";
import { newId, timestamp } from "./secrets.ts";

const ACTION = "sign_in.refuse";
const WINDOW_MS = 60_000;
/** Of the whole installation, exactly: counted in the database, by the statement that writes. */
const MAX_ROWS_PER_WINDOW = 30;

/** Writes the row, unless the last minute had as many as it may. */
export async function recordRefusedSignIn(env: Env, entry: Omit<AuditEntry, "action">): Promise<void> {
  const { org, actor, target, detail } = entry;
  const now = Date.now();
  await env.DB.prepare(
    `INSERT INTO audit_log (id, at, org, actor, action, target, detail) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
     WHERE (SELECT COUNT(*) FROM audit_log WHERE id > ?8 AND action = ?5) < ?9`,
  )
    .bind(
      newId("log", now),
      timestamp(now),
      org,
      actor,
      ACTION,
      target,
      JSON.stringify(detail),
      newId("log", now - WINDOW_MS),
      MAX_ROWS_PER_WINDOW,
    )
    .run();
}
