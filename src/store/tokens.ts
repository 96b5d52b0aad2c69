// Admin tokens of members: issued once, listed without their secret, revoked.
import type { Env } from "../env.ts";
import { auditStatement } from "./audit-log.ts";
import { ADMIN_TOKEN_PREFIX, hashSecret, ID_END, newId, newSecret, shownPrefix, timestamp } from "./secrets.ts";

/** A token that has not been revoked, as it is listed: never its hash. */
export interface AdminToken {
  id: string;
  prefix: string;
  email: string;
  name: string | null;
  created_at: string;
  created_by: string;
  expires_at: string | null;
  /** A day, YYYY-MM-DD in UTC; null when it was never used. */
  last_used_on: string | null;
}

const COLUMNS = "id, prefix, email, name, created_at, created_by, expires_at, last_used_on";

/** Issues an admin token to a member; the token itself is returned this once. Throws for an `id` that is taken. */
export async function issueToken(
  env: Env,
  {
    id = newId("tok"),
    org,
    email,
    name,
    expires_at,
    actor,
  }: { id?: string; org: string; email: string; name: string | null; expires_at: string | null; actor: string },
): Promise<AdminToken & { token: string }> {
  const token = newSecret(ADMIN_TOKEN_PREFIX);
  const [prefix, created_at] = [shownPrefix(token), timestamp()];
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO tokens (id, hash, prefix, org, email, name, created_at, created_by, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).bind(id, hashSecret(token), prefix, org, email, name, created_at, actor, expires_at),
    auditStatement(env, { org, actor, action: "token.issue", target: email, detail: { id, name, expires_at } }),
  ]);
  return { id, token, prefix, email, name, created_at, created_by: actor, expires_at, last_used_on: null };
}

/** Whether the organization issued a token of that id, in use or not. */
export async function wasIssued(env: Env, org: string, id: string): Promise<boolean> {
  return (await env.DB.prepare("SELECT 1 FROM tokens WHERE org = ? AND id = ?").bind(org, id).first()) !== null;
}

/** A member's tokens, newest first, with an id below `before`; at most `limit`. */
export async function listTokens(
  env: Env,
  { org, email, before = ID_END, limit }: { org: string; email: string; before?: string | undefined; limit: number },
): Promise<AdminToken[]> {
  const { results } = await env.DB.prepare(
    `SELECT ${COLUMNS} FROM tokens
     WHERE org = ? AND email = ? AND revoked_at IS NULL AND id < ? ORDER BY id DESC LIMIT ?`,
  )
    .bind(org, email, before, limit)
    .all<AdminToken>();
  return results;
}

/** The newest tokens of each of these members, at most `each`, with how many the member has in all. */
export async function newestTokens(
  env: Env,
  { org, emails, each }: { org: string; emails: readonly string[]; each: number },
): Promise<(AdminToken & { of: number })[]> {
  const { results } = await env.DB.prepare(
    `SELECT ${COLUMNS}, "of" FROM (
       SELECT *, COUNT(*) OVER (PARTITION BY email) AS "of",
         ROW_NUMBER() OVER (PARTITION BY email ORDER BY id DESC) AS place
       FROM tokens WHERE org = ? AND revoked_at IS NULL AND email IN (SELECT value FROM json_each(?))
     ) WHERE place <= ? ORDER BY id DESC`,
  )
    .bind(org, JSON.stringify(emails), each)
    .all<AdminToken & { of: number }>();
  return results;
}

/** Revokes a member's token and ends the sessions opened with it. False when the member has no such token in use. */
export async function revokeToken(
  env: Env,
  { org, email, id, actor }: { org: string; email: string; id: string; actor: string },
): Promise<boolean> {
  const token = await env.DB.prepare(
    "SELECT name FROM tokens WHERE id = ? AND org = ? AND email = ? AND revoked_at IS NULL",
  )
    .bind(id, org, email)
    .first<{ name: string | null }>();
  if (!token) return false;
  await env.DB.batch([
    env.DB.prepare("UPDATE tokens SET revoked_at = ? WHERE id = ?").bind(timestamp(), id),
    env.DB.prepare("DELETE FROM sessions WHERE token = ?").bind(id),
    auditStatement(env, { org, actor, action: "token.revoke", target: email, detail: { id, name: token.name } }),
  ]);
  return true;
}

/** Whose token was refused, and why; null for one that was never issued, or whose member is gone. */
export async function refusedToken(
  env: Env,
  token: string,
): Promise<{ org: string; email: string; id: string; reason: "revoked" | "expired" } | null> {
  const row = await env.DB.prepare("SELECT org, email, id, revoked_at FROM tokens WHERE hash = ?")
    .bind(hashSecret(token))
    .first<{ org: string; email: string; id: string; revoked_at: string | null }>();
  if (!row) return null;
  const { org, email, id, revoked_at } = row;
  return { org, email, id, reason: revoked_at === null ? "expired" : "revoked" };
}
