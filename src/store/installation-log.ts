// The rows of the audit log that belong to no organization: catalogs that were published, dead letters that were replayed,
// and sign-ins refused to nobody that is known. The operator reads them; an organization's own rows are for its owners and
// admins.
import type { Env } from "../env.ts";
import type { AuditRow } from "./audit-log.ts";
import { ID_END } from "./secrets.ts";

/** The newest first, with an id below `before`; at most `limit`. */
export async function listInstallationLog(
  env: Env,
  { before = ID_END, limit }: { before?: string | undefined; limit: number },
): Promise<AuditRow[]> {
  const { results } = await env.DB.prepare(
    `SELECT id, at, org, actor, action, target, detail FROM audit_log
     WHERE org IS NULL AND id < ? ORDER BY id DESC LIMIT ?`,
  )
    .bind(before, limit)
    .all<Omit<AuditRow, "detail"> & { detail: string }>();
  return results.map(({ detail, ...row }) => ({ ...row, detail: JSON.parse(detail) as Record<string, unknown> }));
}
