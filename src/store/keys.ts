// API keys of an organization's projects. D1 first, then the edge; cron repairs what the edge did not take.
import type { Env } from "../env.ts";
import { auditStatement } from "./audit-log.ts";
import { projectStatements } from "./projects.ts";
import { publishKey } from "./publish-key.ts";
import { API_KEY_PREFIX, hashSecret, ID_END, newId, newSecret, shownPrefix, timestamp } from "./secrets.ts";

export interface ApiKey {
  id: string;
  prefix: string;
  project: string;
  name: string;
  created_at: string;
  created_by: string;
  expires_at: string | null;
  revoked_at: string | null;
  /** A UTC day, YYYY-MM-DD; null when no use was noted. */
  last_used_on: string | null;
  /** Whether the edge is believed to accept it, with this expiry. */
  published: boolean;
}

type Row = Omit<ApiKey, "published"> & { published: number };

const COLUMNS = "id, prefix, project, name, created_at, created_by, expires_at, revoked_at, last_used_on, published";

const fromRow = (row: Row): ApiKey => ({ ...row, published: row.published === 1 });

/** A key as D1 has it now, and whether the edge is in step with that. */
export interface ChangedKey {
  key: ApiKey;
  inStep: boolean;
}

/**
 * Creates a key, and its project when there is none of that name. The key itself is returned this once. Throws for an `id`
 * that is taken.
 */
export async function createKey(
  env: Env,
  {
    id = newId("key"),
    org,
    project,
    name,
    expires_at = null,
    actor,
  }: { id?: string; org: string; project: string; name: string; expires_at?: string | null; actor: string },
): Promise<{ id: string; key: string; published: boolean }> {
  const key = newSecret(API_KEY_PREFIX);
  const hash = hashSecret(key);
  const now = timestamp();
  await env.DB.batch([
    ...projectStatements(env, { org, id: project, name: project, actor }),
    env.DB.prepare(
      `INSERT INTO api_keys (id, hash, prefix, org, project, name, created_at, created_by, expires_at, changed_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?7)`,
    ).bind(id, hash, shownPrefix(key), org, project, name, now, actor, expires_at),
    auditStatement(env, { org, actor, action: "key.create", target: id, detail: { project, name, expires_at } }),
  ]);
  return { id, key, published: await publishKey(env, id) };
}

/** The keys of an organization, or of one of its projects, newest first, with an id below `before`; at most `limit`. */
export async function listKeys(
  env: Env,
  {
    org,
    project,
    before = ID_END,
    limit,
  }: { org: string; project?: string | undefined; before?: string | undefined; limit: number },
): Promise<ApiKey[]> {
  const ofProject = project === undefined ? "" : "AND project = ?4";
  const { results } = await env.DB.prepare(
    `SELECT ${COLUMNS} FROM api_keys WHERE org = ?1 AND id < ?2 ${ofProject} ORDER BY id DESC LIMIT ?3`,
  )
    .bind(org, before, limit, ...(project === undefined ? [] : [project]))
    .all<Row>();
  return results.map(fromRow);
}

/** One key of an organization, or null. */
export async function findKey(env: Env, org: string, id: string): Promise<ApiKey | null> {
  const row = await env.DB.prepare(`SELECT ${COLUMNS} FROM api_keys WHERE org = ? AND id = ?`)
    .bind(org, id)
    .first<Row>();
  return row && fromRow(row);
}

/** Changes a key's name or expiry. Null when the organization has no such key; nothing changes once it is revoked. */
export async function changeKey(
  env: Env,
  {
    org,
    id,
    change,
    actor,
  }: {
    org: string;
    id: string;
    change: { name?: string | undefined; expires_at?: string | null | undefined };
    actor: string;
  },
): Promise<ChangedKey | "revoked" | null> {
  const before = await findKey(env, org, id);
  if (!before) return null;
  if (before.revoked_at !== null) return "revoked";
  const { name, expires_at } = change;
  const statements: D1PreparedStatement[] = [];
  if (name !== undefined) statements.push(env.DB.prepare("UPDATE api_keys SET name = ? WHERE id = ?").bind(name, id));
  if (expires_at !== undefined)
    statements.push(
      env.DB.prepare(
        "UPDATE api_keys SET expires_at = ?, changed_at = ?, published = 0 WHERE id = ? AND revoked_at IS NULL",
      ).bind(expires_at, timestamp(), id),
    );
  const was = { name: before.name, expires_at: before.expires_at };
  const detail = { project: before.project, ...change, was };
  await env.DB.batch([...statements, auditStatement(env, { org, actor, action: "key.change", target: id, detail })]);
  return changed(env, { org, id, inStep: expires_at === undefined ? before.published : await publishKey(env, id) });
}

/** Revokes a key; null when the organization has no such key. */
export async function revokeKey(
  env: Env,
  { org, id, actor }: { org: string; id: string; actor: string },
): Promise<ChangedKey | null> {
  const before = await findKey(env, org, id);
  if (!before) return null;
  const { project, name } = before;
  const now = timestamp();
  await env.DB.batch([
    // Believed to be at the edge until it is known to be gone, whatever was believed before.
    env.DB.prepare(
      "UPDATE api_keys SET revoked_at = COALESCE(revoked_at, ?1), changed_at = ?1, published = 1 WHERE id = ?2",
    ).bind(now, id),
    auditStatement(env, { org, actor, action: "key.revoke", target: id, detail: { project, name } }),
  ]);
  return changed(env, { org, id, inStep: await publishKey(env, id) });
}

async function changed(
  env: Env,
  { org, id, inStep }: { org: string; id: string; inStep: boolean },
): Promise<ChangedKey | null> {
  const key = await findKey(env, org, id);
  return key && { key, inStep };
}
