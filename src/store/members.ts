// Members of organizations, their admin tokens, and the browser sessions opened with them.
import type { Env } from "../env.ts";
import { auditStatement } from "./audit-log.ts";
import type { Plan } from "./orgs.ts";
import { ADMIN_TOKEN_PREFIX, hashSecret, newId, newSecret, timestamp } from "./secrets.ts";

export type Role = "owner" | "admin" | "developer";

/** Who is signed in: a member of exactly one organization. */
export interface Member {
  org: string;
  org_name: string;
  plan: Plan;
  email: string;
  role: Role;
  /** The admin token in use. */
  token: string;
}

const SESSION_HOURS = 8;
export const SESSION_SECONDS = SESSION_HOURS * 3600;

const MEMBER_OF_TOKEN = `SELECT m.org, o.name AS org_name, o.plan, m.email, m.role, t.id AS token
  FROM tokens t JOIN members m ON m.org = t.org AND m.email = t.email JOIN orgs o ON o.id = m.org`;

/** The member whose admin token this is, or null. */
export async function memberByToken(env: Env, token: string): Promise<Member | null> {
  return env.DB.prepare(`${MEMBER_OF_TOKEN} WHERE t.hash = ?`).bind(hashSecret(token)).first<Member>();
}

/** The member whose session this is, or null when there is none or it is over. */
export async function memberBySession(env: Env, session: string): Promise<Member | null> {
  return env.DB.prepare(`${MEMBER_OF_TOKEN} JOIN sessions s ON s.token = t.id WHERE s.hash = ? AND s.expires_at > ?`)
    .bind(hashSecret(session), timestamp())
    .first<Member>();
}

/** Opens a session for the token; returns the value of its cookie, of which only the hash is kept. */
export async function openSession(env: Env, member: Member): Promise<string> {
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

/** Whether an owner of the organization holds an admin token. */
export async function ownerHasToken(env: Env, org: string): Promise<boolean> {
  const row = await env.DB.prepare(
    `SELECT 1 FROM tokens t JOIN members m ON m.org = t.org AND m.email = t.email
     WHERE m.org = ? AND m.role = 'owner' LIMIT 1`,
  )
    .bind(org)
    .first();
  return row !== null;
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
      // Breaks the check on roles, and with it the batch: two owners who demote each other must not both succeed.
      env.DB.prepare(
        `INSERT INTO members (org, email, role, created_at) SELECT ?1, '', 'no owner is left', ?2
         WHERE NOT EXISTS (SELECT 1 FROM members WHERE org = ?1 AND role = 'owner')`,
      ).bind(org, now),
      auditStatement(env, { org, actor, action: "member.put", target: email, detail: { role } }),
    ]);
    return true;
  } catch (error) {
    if (role !== "owner" && !(await hasOwner(env, org, email))) return false;
    throw error;
  }
}

/** Issues an admin token to a member; it is returned this once. */
export async function issueToken(
  env: Env,
  { org, email, actor }: { org: string; email: string; actor: string },
): Promise<string> {
  const token = newSecret(ADMIN_TOKEN_PREFIX);
  const id = newId("tok");
  await env.DB.batch([
    env.DB.prepare("INSERT INTO tokens (id, hash, org, email, created_at) VALUES (?, ?, ?, ?, ?)").bind(
      id,
      hashSecret(token),
      org,
      email,
      timestamp(),
    ),
    auditStatement(env, { org, actor, action: "token.issue", target: email, detail: { id } }),
  ]);
  return token;
}
