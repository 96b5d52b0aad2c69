// From D1 to the edge, for keys. A put may be overtaken by another change of the same key, so that the row counts as
// published only if it still is what was put; else it is read and put again.
import type { Env } from "../env.ts";
import { forget } from "./edge.ts";
import { untilNextWrite } from "./publish.ts";
import { type KeyRecord, kvKeys, RECORD_SCHEMA } from "./records.ts";
import { timestamp } from "./secrets.ts";
import { turnAt } from "./turns.ts";

const MAX_WRITES = 2;
/** Each asks D1 and KV once. */
const REPAIRED_AT_ONCE = 200;
/** Sixteen times as many keys have their turn. */
const LOOKED_AT_ONCE = 5_000;
/** As many keys as KV reads at once; it counts as one call. */
const KV_BULK_READ = 100;
const HASH_DIGITS = "0123456789abcdef";
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

/**
 * Carries keys to the edge that are not there as they should be, and removes revoked ones that still are. What KV has lost
 * or holds otherwise although it once took it is found by looking: at a sixteenth of all keys in each run.
 */
export async function repairKeys(env: Env, now: number): Promise<void> {
  const turn = turnAt(now, HASH_DIGITS.length);
  const { results } = await env.DB.prepare(
    `SELECT ${COLUMNS}, (revoked_at IS NULL) = (published = 1) AS believed FROM api_keys
     WHERE NOT believed OR changed_at > ?1 OR (revoked_at IS NULL AND substr(hash, 1, 1) = ?2)
     ORDER BY believed, changed_at DESC LIMIT ${LOOKED_AT_ONCE}`,
  )
    .bind(timestamp(now - LATELY_MS), HASH_DIGITS[turn])
    .all<Row & { believed: number }>();
  const believed = results.filter((row) => row.believed === 1);
  await carryAll(
    env,
    results.filter((row) => row.believed === 0),
  );
  const held = await edgeValues(env, believed);
  await carryAll(
    env,
    believed.filter((row) => held.get(kvKeys.key(row.hash)) !== edgeValueOf(row)),
  );
}

/** One that fails does not keep the rest from being repaired; it is still due the next time. */
async function carryAll(env: Env, rows: readonly Row[]): Promise<void> {
  for (const row of rows.slice(0, REPAIRED_AT_ONCE)) {
    const asRead = await carry(env, row).catch(() => true);
    // Changed since it was read: it may have been revoked, and must not stay at the edge until the next run.
    if (!asRead) await publishKey(env, row.id);
  }
}

/** What KV holds of these keys, by KV's own key. Throws when KV fails. */
async function edgeValues(env: Env, rows: readonly Row[]): Promise<ReadonlyMap<string, string | null>> {
  const values = new Map<string, string | null>();
  for (let at = 0; at < rows.length; at += KV_BULK_READ) {
    const names = rows.slice(at, at + KV_BULK_READ).map(({ hash }) => kvKeys.key(hash));
    for (const [name, value] of await env.CONFIG.get(names, "text")) values.set(name, value);
  }
  return values;
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
