// Refused attempts to sign in, as rows of the audit log: the only rows that somebody from outside can cause.
import type { Env } from "../env.ts";
import { type AuditEntry, auditStatement } from "./audit-log.ts";
import { newId } from "./secrets.ts";

const ACTION = "sign_in.refuse";
const WINDOW_MS = 60_000;
/** Of the whole installation, exactly: counted in the database, by the statement that writes. */
const MAX_ROWS_PER_WINDOW = 30;

/** Writes the row, unless the last minute had as many as it may. */
export async function recordRefusedSignIn(env: Env, entry: Omit<AuditEntry, "action">): Promise<void> {
  const since = newId("log", Date.now() - WINDOW_MS);
  await auditStatement(
    env,
    { ...entry, action: ACTION },
    {
      sql: "(SELECT COUNT(*) FROM audit_log WHERE id > ? AND action = ?) < ?",
      values: [since, ACTION, MAX_ROWS_PER_WINDOW],
    },
  ).run();
}
