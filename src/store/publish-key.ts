// From D1 to the edge, for keys. A put may be overtaken by another change of the same key, so that the row counts as
// published only if it still is what was put; else it is read and put again.
import type { Env } from "../env.ts";
import { forget } from "./edge.ts";
import { edgeValues } from "./edge-values.ts";
import { untilNextWrite } from "./publish.ts";
import { type KeyRecord, kvKeys, RECORD_SCHEMA } from "./records.ts";
import { timestamp } from "./secrets.ts";
import { turnAt } from "./turns.ts";

const MAX_WRITES = 2;
/** Each asks KV once. As many as the organizations of a turn may well have, should KV lose them all. */
const CARRIED_PER_RUN = 600;
/** Together they ask D1 once. */
const CARRIED_AT_ONCE = 100;
/** Sixteen times as many keys have their turn. */
const LOOKED_AT_ONCE = 5_000;
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
      if (row && (await carry(env, [row])).get(id)) return true;
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
  const doubted = results.filter((row) => row.believed === 0).slice(0, CARRIED_PER_RUN);
  await carryAll(env, doubted);
  const believed = results.filter((row) => row.believed === 1);
  const held = await edgeValues(
    env,
    believed.map(({ hash }) => kvKeys.key(hash)),
  );
  const lost = believed.filter((row) => held.get(kvKeys.key(row.hash)) !== edgeValueOf(row));
  await carryAll(env, lost.slice(0, CARRIED_PER_RUN - doubted.length));
}

/** One that fails does not keep the rest from being repaired; it is still due the next time. */
async function carryAll(env: Env, rows: readonly Row[]): Promise<void> {
  for (let at = 0; at < rows.length; at += CARRIED_AT_ONCE) {
    const taken = await carry(env, rows.slice(at, at + CARRIED_AT_ONCE));
    // Changed since it was read: it may have been revoked, and must not stay at the edge until the next run.
    for (const [id, asRead] of taken) if (!asRead) await publishKey(env, id);
  }
}

/** Marks keys of organizations as missing at the edge, so that they are carried there again. */
export async function distrustKeys(env: Env, orgs: readonly string[]): Promise<void> {
  await env.DB.prepare(
    "UPDATE api_keys SET published = 0 WHERE org IN (SELECT value FROM json_each(?)) AND revoked_at IS NULL",
  )
    .bind(JSON.stringify(orgs))
    .run();
}

/**
 * Writes keys to the edge. Returns the ids of those that KV took, and whether D1 still has them as they were read. Throws
 * when D1 fails.
 */
async function carry(env: Env, rows: readonly Row[]): Promise<ReadonlyMap<string, boolean>> {
  const puts = await Promise.all(rows.map((row) => put(env, row)));
  const taken = rows.filter((_, index) => puts[index]);
  if (taken.length === 0) return new Map();
  const { results } = await env.DB.prepare(
    `UPDATE api_keys SET published = (revoked_at IS NULL) FROM json_each(?) r
     WHERE api_keys.id = r.value ->> 'id' AND revoked_at IS (r.value ->> 'revoked_at')
       AND expires_at IS (r.value ->> 'expires_at') RETURNING id`,
  )
    .bind(JSON.stringify(taken.map(({ id, expires_at, revoked_at }) => ({ id, expires_at, revoked_at }))))
    .all<{ id: string }>();
  const asRead = new Set(results.map(({ id }) => id));
  return new Map(taken.map(({ id }) => [id, asRead.has(id)]));
}

/** False when KV does not take it. */
async function put(env: Env, row: Row): Promise<boolean> {
  const name = kvKeys.key(row.hash);
  const value = edgeValueOf(row);
  try {
    await (value === null ? env.CONFIG.delete(name) : env.CONFIG.put(name, value));
  } catch {
    return false;
  }
  forget(env, { key: row.hash });
  return true;
}

/** What the edge should hold of it; null once it is revoked. */
function edgeValueOf({ org, project, id, expires_at, revoked_at }: Row): string | null {
  const record: KeyRecord = { schema: RECORD_SCHEMA, org, project, key_id: id, expires_at };
  return revoked_at === null ? JSON.stringify(record) : null;
}
