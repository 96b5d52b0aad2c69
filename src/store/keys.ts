// API keys of an organization's projects. D1 first, then the edge; cron repairs what the edge did not take.
import type { Env } from "../env.ts";
import { auditStatement } from "./audit-log.ts";
import { forget } from "./edge.ts";
import { type KeyRecord, kvKeys, RECORD_SCHEMA } from "./records.ts";
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
  /** Whether the edge is believed to accept it. */
  published: boolean;
}

type Row = Omit<ApiKey, "published"> & { org: string; hash: string; published: number };

const COLUMNS = "id, hash, prefix, org, project, name, created_at, created_by, expires_at, revoked_at, published";

const fromRow = ({ org: _, hash: __, published, ...key }: Row): ApiKey => ({ ...key, published: published === 1 });

/** Creates a key, and its project when there is none of that name. The key itself is returned this once. */
export async function createKey(
  env: Env,
  { org, project, name, actor }: { org: string; project: string; name: string; actor: string },
): Promise<{ id: string; key: string; published: boolean }> {
  const key = newSecret(API_KEY_PREFIX);
  const row: Row = {
    id: newId("key"),
    hash: hashSecret(key),
    prefix: shownPrefix(key),
    org,
    project,
    name,
    created_at: timestamp(),
    created_by: actor,
    expires_at: null,
    revoked_at: null,
    published: 0,
  };
  await env.DB.batch([
    env.DB.prepare("INSERT INTO projects (org, id, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING").bind(
      org,
      project,
      row.created_at,
    ),
    env.DB.prepare(
      `INSERT INTO api_keys (id, hash, prefix, org, project, name, created_at, created_by)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ).bind(row.id, row.hash, row.prefix, org, project, name, row.created_at, actor),
    auditStatement(env, { org, actor, action: "key.create", target: row.id, detail: { project, name } }),
  ]);
  return { id: row.id, key, published: await publishKey(env, row) };
}

/** The keys of an organization, newest first, with an id below `before`; at most `limit`. */
export async function listKeys(
  env: Env,
  { org, before = ID_END, limit }: { org: string; before?: string | undefined; limit: number },
): Promise<ApiKey[]> {
  const { results } = await env.DB.prepare(
    `SELECT ${COLUMNS} FROM api_keys WHERE org = ? AND id < ? ORDER BY id DESC LIMIT ?`,
  )
    .bind(org, before, limit)
    .all<Row>();
  return results.map(fromRow);
}

/** Revokes a key; null when the organization has no such key, else whether the edge has forgotten it. */
export async function revokeKey(
  env: Env,
  { org, id, actor }: { org: string; id: string; actor: string },
): Promise<{ published: boolean } | null> {
  const row = await env.DB.prepare(`SELECT ${COLUMNS} FROM api_keys WHERE org = ? AND id = ?`)
    .bind(org, id)
    .first<Row>();
  if (!row) return null;
  const revoked = { ...row, revoked_at: row.revoked_at ?? timestamp() };
  await env.DB.batch([
    // Believed to be at the edge until it is known to be gone, whatever was believed before.
    env.DB.prepare("UPDATE api_keys SET revoked_at = ?, published = 1 WHERE id = ?").bind(revoked.revoked_at, id),
    auditStatement(env, {
      org,
      actor,
      action: "key.revoke",
      target: id,
      detail: { project: row.project, name: row.name },
    }),
  ]);
  return { published: !(await publishKey(env, revoked)) };
}

/** Carries keys to the edge that are not there yet, and removes revoked ones that still are. */
export async function repairKeys(env: Env): Promise<void> {
  const { results } = await env.DB.prepare(
    `SELECT ${COLUMNS} FROM api_keys WHERE (revoked_at IS NULL) <> (published = 1) LIMIT 500`,
  ).all<Row>();
  for (const row of results) await publishKey(env, row);
}

/** Marks an organization's keys as missing at the edge, so that they are carried there again. */
export async function distrustKeys(env: Env, org: string): Promise<void> {
  await env.DB.prepare("UPDATE api_keys SET published = 0 WHERE org = ? AND revoked_at IS NULL").bind(org).run();
}

/** Brings the edge in step with one key; returns whether the edge is now believed to accept it. Never throws. */
async function publishKey(env: Env, row: Row): Promise<boolean> {
  try {
    if (row.revoked_at === null) {
      await env.CONFIG.put(kvKeys.key(row.hash), JSON.stringify(recordOf(row)));
      const marked = await env.DB.prepare("UPDATE api_keys SET published = 1 WHERE id = ? AND revoked_at IS NULL")
        .bind(row.id)
        .run();
      if (marked.meta.changes > 0) return true;
      // Revoked while it was being published: it must not stay.
    }
    await env.CONFIG.delete(kvKeys.key(row.hash));
    forget(env, { key: row.hash });
    await env.DB.prepare("UPDATE api_keys SET published = 0 WHERE id = ?").bind(row.id).run();
    return false;
  } catch {
    return row.revoked_at !== null;
  }
}

function recordOf({ org, project, id, expires_at }: Row): KeyRecord {
  return { schema: RECORD_SCHEMA, org, project, key_id: id, expires_at };
}
