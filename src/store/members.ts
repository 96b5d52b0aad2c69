// Members of organizations, whom a token, a session or an address stands for, and the browser sessions.
import type { Env } from "../env.ts";
import { auditStatement } from "./audit-log.ts";
import type { Plan } from "./orgs.ts";
import { hashSecret, newSecret, timestamp } from "./secrets.ts";

export type Role = "owner" | "admin" | "developer";

/** Who is signed in: a member of exactly one organization. */
export interface Member {
  org: string;
  org_name: string;
  plan: Plan;
  email: string;
  role: Role;
  /** The admin token in use; null when Cloudflare Access says who it is. */
  token: string | null;
  /** How many organizations the person may choose among. */
  memberships: number;
}

/** A member as they are listed. */
export interface ListedMember {
  email: string;
  role: Role;
  created_at: string;
  /** Days, YYYY-MM-DD in UTC: the last sign-in through Cloudflare Access, and the last use of any of their tokens. */
  signed_in_on: string | null;
  last_used_on: string | null;
}

const SESSION_HOURS = 8;
export const SESSION_SECONDS = SESSION_HOURS * 3600;

type TokenMember = Member & { token: string };

const MEMBER_OF_TOKEN = `SELECT m.org, o.name AS org_name, o.plan, m.email, m.role, t.id AS token, 1 AS memberships,
    t.last_used_on
  FROM tokens t JOIN members m ON m.org = t.org AND m.email = t.email JOIN orgs o ON o.id = m.org`;
const TOKEN_IS_VALID = "t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > ?2)";

/** The member whose admin token this is, or null when there is none, or it is revoked or expired. */
export async function memberByToken(env: Env, token: string): Promise<TokenMember | null> {
  const row = await env.DB.prepare(`${MEMBER_OF_TOKEN} WHERE t.hash = ?1 AND ${TOKEN_IS_VALID}`)
    .bind(hashSecret(token), timestamp())
    .first<TokenMember & { last_used_on: string | null }>();
  return row && used(env, row);
}

/** The member whose session this is, or null when there is none, or it is over, or its token is. */
export async function memberBySession(env: Env, session: string): Promise<TokenMember | null> {
  const row = await env.DB.prepare(
    `${MEMBER_OF_TOKEN} JOIN sessions s ON s.token = t.id WHERE s.hash = ?1 AND s.expires_at > ?2 AND ${TOKEN_IS_VALID}`,
  )
    .bind(hashSecret(session), timestamp())
    .first<TokenMember & { last_used_on: string | null }>();
  return row && used(env, row);
}

/** What the person with that address, in lower case, is a member of; for whom Cloudflare Access says who they are. */
export async function membershipsOf(env: Env, email: string): Promise<Member[]> {
  const { results } = await env.DB.prepare(
    `SELECT m.org, o.name AS org_name, o.plan, m.email, m.role, NULL AS token, COUNT(*) OVER () AS memberships,
       m.signed_in_on
     FROM members m JOIN orgs o ON o.id = m.org WHERE m.email = ? ORDER BY o.name, o.id`,
  )
    .bind(email)
    .all<Member & { signed_in_on: string | null }>();
  const today = dayOf(timestamp());
  if (results.some(({ signed_in_on }) => signed_in_on !== today))
    await noted(env.DB.prepare("UPDATE members SET signed_in_on = ? WHERE email = ?").bind(today, email));
  return results.map(({ signed_in_on: _, ...member }) => member);
}

async function used(
  env: Env,
  { last_used_on, ...member }: TokenMember & { last_used_on: string | null },
): Promise<TokenMember> {
  const today = dayOf(timestamp());
  if (last_used_on !== today)
    await noted(env.DB.prepare("UPDATE tokens SET last_used_on = ? WHERE id = ?").bind(today, member.token));
  return member;
}

/** When somebody was last here is worth a write a day, and not worth turning them away when it fails. */
async function noted(statement: D1PreparedStatement): Promise<void> {
  await statement.run().catch(() => undefined);
}

const dayOf = (time: string) => time.slice(0, 10);

/** Opens a session for the token; returns the value of its cookie, of which only the hash is kept. */
export async function openSession(env: Env, member: TokenMember): Promise<string> {
  const session = newSecret("");
  const expires = timestamp(Date.now() + SESSION_SECONDS * 1000);
  await env.DB.prepare("INSERT INTO sessions (hash, token, expires_at) VALUES (?, ?, ?)")
    .bind(hashSecret(session), member.token, expires)
    .run();
  return session;
}

/** Ends a session. */
export async function closeSession(env: Env, session: string): Promise<void> {
  await env.DB.prepare("DELETE FROM sessions WHERE hash = ?").bind(hashSecret(session)).run();
}

/** Removes sessions that are over. */
export async function removeEndedSessions(env: Env): Promise<void> {
  await env.DB.prepare("DELETE FROM sessions WHERE expires_at <= ?").bind(timestamp()).run();
}

/** The role of a member, or null. */
export async function roleOf(env: Env, org: string, email: string): Promise<Role | null> {
  const row = await env.DB.prepare("SELECT role FROM members WHERE org = ? AND email = ?")
    .bind(org, email)
    .first<{ role: Role }>();
  return row?.role ?? null;
}

/** Whether the organization has an owner, other than `except`. */
export async function hasOwner(env: Env, org: string, except = ""): Promise<boolean> {
  const row = await env.DB.prepare("SELECT 1 FROM members WHERE org = ? AND role = 'owner' AND email <> ? LIMIT 1")
    .bind(org, except)
    .first();
  return row !== null;
}

/**
 * Whether an owner of the organization can sign in: with an admin token that is valid, or, while Cloudflare Access is on
 * (`byAccess`), as they once did through it.
 */
export async function ownerIsIn(env: Env, org: string, { byAccess }: { byAccess: boolean }): Promise<boolean> {
  const row = await env.DB.prepare(
    `SELECT 1 FROM members m WHERE m.org = ?1 AND m.role = 'owner' AND (?3 AND m.signed_in_on IS NOT NULL OR EXISTS
       (SELECT 1 FROM tokens t WHERE t.org = m.org AND t.email = m.email AND ${TOKEN_IS_VALID})) LIMIT 1`,
  )
    .bind(org, timestamp(), byAccess ? 1 : 0)
    .first();
  return row !== null;
}

const LISTED = `SELECT m.email, m.role, m.created_at, m.signed_in_on,
    (SELECT MAX(t.last_used_on) FROM tokens t WHERE t.org = m.org AND t.email = m.email) AS last_used_on
  FROM members m`;

/** The members of an organization by address, those after `after`; at most `limit`. */
export async function listMembers(
  env: Env,
  { org, after = "", limit }: { org: string; after?: string | undefined; limit: number },
): Promise<ListedMember[]> {
  const { results } = await env.DB.prepare(`${LISTED} WHERE m.org = ? AND m.email > ? ORDER BY m.email LIMIT ?`)
    .bind(org, after, limit)
    .all<ListedMember>();
  return results;
}

/** One member of an organization, or null. */
export async function findMember(env: Env, org: string, email: string): Promise<ListedMember | null> {
  return env.DB.prepare(`${LISTED} WHERE m.org = ? AND m.email = ?`).bind(org, email).first<ListedMember>();
}

/** Adds a member or changes a role. False when no owner would be left; then nothing was written. */
export async function putMember(
  env: Env,
  { org, email, role, actor }: { org: string; email: string; role: Role; actor: string },
): Promise<boolean> {
  const now = timestamp();
  try {
    await env.DB.batch([
      env.DB.prepare(
        `INSERT INTO members (org, email, role, created_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (org, email) DO UPDATE SET role = excluded.role`,
      ).bind(org, email, role, now),
      someOwnerIsLeft(env, org),
      auditStatement(env, { org, actor, action: "member.put", target: email, detail: { role } }),
    ]);
    return true;
  } catch (error) {
    if (role !== "owner" && !(await hasOwner(env, org, email))) return false;
    throw error;
  }
}

/** Removes a member with their tokens and sessions. When no owner would be left nothing is written. */
export async function removeMember(
  env: Env,
  { org, email, actor }: { org: string; email: string; actor: string },
): Promise<"removed" | "not_found" | "last_owner"> {
  const role = await roleOf(env, org, email);
  if (role === null) return "not_found";
  try {
    await env.DB.batch([
      env.DB.prepare("DELETE FROM members WHERE org = ? AND email = ?").bind(org, email),
      someOwnerIsLeft(env, org),
      auditStatement(env, { org, actor, action: "member.remove", target: email, detail: { role } }),
    ]);
    return "removed";
  } catch (error) {
    if (role === "owner" && !(await hasOwner(env, org, email))) return "last_owner";
    throw error;
  }
}

/** Breaks the check on roles, and with it the batch: two owners who remove each other must not both succeed. */
function someOwnerIsLeft(env: Env, org: string): D1PreparedStatement {
  return env.DB.prepare(
    `INSERT INTO members (org, email, role, created_at) SELECT ?1, '', 'no owner is left', ''
     WHERE NOT EXISTS (SELECT 1 FROM members WHERE org = ?1 AND role = 'owner')`,
  ).bind(org);
}
