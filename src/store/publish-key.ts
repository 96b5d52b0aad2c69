// From D1 to the edge, for keys. A put may be overtaken by another change of the same key, so that the row counts as
// published only if it still is what was put; else it is read and put again.
import type { Env } from "../env.ts";
import { forget } from "./edge.ts";
import { untilNextWrite } from "./publish.ts";
import { type KeyRecord, kvKeys, RECORD_SCHEMA } from "./records.ts";
import { timestamp } from "./secrets.ts";

const MAX_WRITES = 2;
const REPAIRED_AT_ONCE = 500;
/**
 * A Worker can die between its put and the check after it, with a newer change of the same key put meanwhile: the edge
 * then holds the older one, believed published. So every repair looks what the edge holds of keys that changed lately.
 */
const LATELY_MS = 900_000;

interface Row {
  id: string;
  hash: string;
  org: string;
  project: string;
  expires_at: string | null;
  revoked_at: string | null;
}
const COLUMNS = "id, hash, org, project, expires_at, revoked_at";

/** Brings the edge in step with one key; false when that is not known to be done, and cron tries again. Never throws. */
export async function publishKey(env: Env, id: string): Promise<boolean> {
  for (let writes = 0; writes < MAX_WRITES; writes++) {
    if (writes > 0) await untilNextWrite();
    try {
      const row = await env.DB.prepare(`SELECT ${COLUMNS} FROM api_keys WHERE id = ?`).bind(id).first<Row>();
      if (row && (await carry(env, row))) return true;
    } catch {
      // KV or D1 did not answer; they may next time.
    }
  }
  return false;
}

/** Carries keys to the edge that are not there yet, and removes revoked ones that still are. */
export async function repairKeys(env: Env): Promise<void> {
  const { results } = await env.DB.prepare(
    `SELECT ${COLUMNS}, published FROM api_keys WHERE (revoked_at IS NULL) <> (published = 1) OR changed_at > ?
     ORDER BY changed_at LIMIT ${REPAIRED_AT_ONCE}`,
  )
    .bind(timestamp(Date.now() - LATELY_MS))
    .all<Row & { published: number }>();
  // One that fails does not keep the rest from being repaired; it is still due the next time.
  for (const row of results) await repair(env, row).catch(() => false);
}

async function repair(env: Env, row: Row & { published: number }): Promise<void> {
  const believed = (row.revoked_at === null) === (row.published === 1);
  if (believed && (await env.CONFIG.get(kvKeys.key(row.hash), "text")) === edgeValueOf(row)) return;
  await carry(env, row);
}

/** Marks an organization's keys as missing at the edge, so that they are carried there again. */
export async function distrustKeys(env: Env, org: string): Promise<void> {
  await env.DB.prepare("UPDATE api_keys SET published = 0 WHERE org = ? AND revoked_at IS NULL").bind(org).run();
}

/** Writes one key to the edge; false when it changed in D1 meanwhile. Throws when KV or D1 fails. */
async function carry(env: Env, row: Row): Promise<boolean> {
  const { id, hash, expires_at, revoked_at } = row;
  const value = edgeValueOf(row);
  if (value === null) await env.CONFIG.delete(kvKeys.key(hash));
  else await env.CONFIG.put(kvKeys.key(hash), value);
  forget(env, { key: hash });
  const marked = await env.DB.prepare(
    `UPDATE api_keys SET published = (revoked_at IS NULL)
     WHERE id = ?1 AND (revoked_at IS NULL) = ?2 AND expires_at IS ?3`,
  )
    .bind(id, revoked_at === null ? 1 : 0, expires_at)
    .run();
  return marked.meta.changes > 0;
}

/** What the edge should hold of it; null once it is revoked. */
function edgeValueOf({ org, project, id, expires_at, revoked_at }: Row): string | null {
  const record: KeyRecord = { schema: RECORD_SCHEMA, org, project, key_id: id, expires_at };
  return revoked_at === null ? JSON.stringify(record) : null;
}
