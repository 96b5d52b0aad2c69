// The chain of security events in D1: which event has which place, and the signed heads. Rows are only ever added; that
// two writers cannot fork a chain is the primary key's doing.
import type { Link, Seal, Tip } from "../chain/links.ts";
import type { SignedHead } from "../chain/signed-head.ts";
import type { Env } from "../env.ts";

/** A chain's name in the tables: an organization's id, or "" for events whose organization could not be read. */
export const chainOf = (org: string | null) => org ?? "";
export const orgOf = (chain: string) => (chain === "" ? null : chain);

/** Organizations with events that are not sealed yet. */
export async function orgsToSeal(env: Env): Promise<(string | null)[]> {
  const { results } = await env.DB.prepare("SELECT DISTINCT org FROM security_events WHERE sealed = 0").all<{
    org: string | null;
  }>();
  return results.map(({ org }) => org);
}

/** The end of a chain, also where retention removed all of its links; null while it never had one. */
export async function chainTip(env: Env, org: string | null): Promise<Tip | null> {
  return env.DB.prepare(
    `SELECT * FROM (SELECT seq, hash FROM event_seals WHERE chain = ?1 ORDER BY seq DESC LIMIT 1)
     UNION ALL SELECT * FROM (SELECT seq, hash FROM chain_cuts WHERE chain = ?1 ORDER BY seq DESC LIMIT 1)
     ORDER BY seq DESC LIMIT 1`,
  )
    .bind(chainOf(org))
    .first<Tip>();
}

/** The oldest events that are not sealed, as they are stored; without those that still count repeats at `now`. */
export async function unsealedEvents(
  env: Env,
  org: string | null,
  { now, limit }: { now: string; limit: number },
): Promise<{ id: string; event: string; at_least: number | null }[]> {
  const { results } = await env.DB.prepare(
    `SELECT id, event, at_least FROM security_events WHERE org IS ? AND sealed = 0
     AND COALESCE(event ->> '$.repeats.to', '') < ? ORDER BY id LIMIT ?`,
  )
    .bind(org, now, limit)
    .all<{ id: string; event: string; at_least: number | null }>();
  return results;
}

/** How many events of an organization wait for their seal. */
export async function countUnsealed(env: Env, org: string | null): Promise<number> {
  const row = await env.DB.prepare("SELECT COUNT(*) AS n FROM security_events WHERE org IS ? AND sealed = 0")
    .bind(org)
    .first<{ n: number }>();
  return row?.n ?? 0;
}

/** How SQLite says that an event is not as it was hashed any more: its seal then lacks its id. */
const NOT_AS_HASHED = /NOT NULL constraint failed: event_seals\.event/;

/**
 * Adds seals to a chain and the signed head with them, in one batch. False, with nothing written, when another writer
 * added to the chain meanwhile, or a block was counted in one of the events: `at_least` is what was hashed, and all of an
 * event that can change.
 */
export async function appendSeals(
  env: Env,
  org: string | null,
  seals: readonly (Seal & { event: string; at_least: number | null })[],
  head: SignedHead | null,
): Promise<boolean> {
  const chain = chainOf(org);
  const rows = JSON.stringify(seals);
  try {
    await env.DB.batch([
      env.DB.prepare(
        `INSERT INTO event_seals (chain, seq, event, prev_hash, hash)
         SELECT ?1, s.value ->> 'seq', e.id, s.value ->> 'prev_hash', s.value ->> 'hash'
         FROM json_each(?2) s LEFT JOIN security_events e
           ON e.id = s.value ->> 'event' AND e.at_least IS (s.value ->> 'at_least')`,
      ).bind(chain, rows),
      env.DB.prepare(
        "UPDATE security_events SET sealed = 1 WHERE id IN (SELECT s.value ->> 'event' FROM json_each(?) s)",
      ).bind(rows),
      ...(head ? [headStatement(env, head)] : []),
    ]);
    return true;
  } catch (error) {
    if (NOT_AS_HASHED.test(String(error))) return false;
    const tip = await chainTip(env, org);
    if (tip && tip.seq >= (seals[0]?.seq ?? 0)) return false;
    throw error;
  }
}

function headStatement(env: Env, { org, seq, hash, at, key_id, signature }: SignedHead): D1PreparedStatement {
  return env.DB.prepare(
    `INSERT INTO chain_heads (chain, seq, hash, at, key_id, signature) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  ).bind(chainOf(org), seq, hash, at, key_id, signature);
}

/** Stores a head that was signed after its links were written. */
export async function storeHead(env: Env, head: SignedHead): Promise<void> {
  await headStatement(env, head).run();
}

/** The links after `seq`, in order, with the JSON of their events, or null where one is gone; at most `limit`. */
export async function readLinks(
  env: Env,
  { org, after, limit }: { org: string | null; after: number; limit: number },
): Promise<(Seal & { event: string | null })[]> {
  const { results } = await env.DB.prepare(
    `SELECT s.seq, s.prev_hash, s.hash, e.event FROM event_seals s LEFT JOIN security_events e ON e.id = s.event
     WHERE s.chain = ? AND s.seq > ? ORDER BY s.seq LIMIT ?`,
  )
    .bind(chainOf(org), after, limit)
    .all<Seal & { event: string | null }>();
  return results;
}

/** A stored link with its event read. What is no JSON was tampered with: as good as gone. */
export function linkOf({ event, ...seal }: Seal & { event: string | null }): Link {
  try {
    return { ...seal, event: event === null ? null : JSON.parse(event) };
  } catch {
    return { ...seal, event: null };
  }
}

/** Events that are said to be sealed, although no seal names them: somebody put them in. At most `limit`. */
export async function unlinkedEvents(env: Env, org: string | null, limit: number): Promise<string[]> {
  const { results } = await env.DB.prepare(
    `SELECT e.id FROM security_events e WHERE e.org IS ? AND e.sealed = 1
     AND NOT EXISTS (SELECT 1 FROM event_seals s WHERE s.event = e.id AND s.chain = ?) ORDER BY e.id LIMIT ?`,
  )
    .bind(org, chainOf(org), limit)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

/** The signed heads of a chain after `seq`, in order; at most `limit`. */
export async function readHeads(
  env: Env,
  { org, after, limit }: { org: string | null; after: number; limit: number },
): Promise<SignedHead[]> {
  const { results } = await env.DB.prepare(
    "SELECT chain, seq, hash, at, key_id, signature FROM chain_heads WHERE chain = ? AND seq > ? ORDER BY seq LIMIT ?",
  )
    .bind(chainOf(org), after, limit)
    .all<Omit<SignedHead, "org"> & { chain: string }>();
  return results.map(({ chain, ...head }) => ({ org: orgOf(chain), ...head }));
}

/** The newest signed head of a chain, or null. */
export async function newestHead(env: Env, org: string | null): Promise<SignedHead | null> {
  return newestHeadUpTo(env, org, Number.MAX_SAFE_INTEGER);
}

/** The newest signed head of a chain at `seq` or before, or null. */
export async function newestHeadUpTo(env: Env, org: string | null, seq: number): Promise<SignedHead | null> {
  const row = await env.DB.prepare(
    "SELECT seq, hash, at, key_id, signature FROM chain_heads WHERE chain = ? AND seq <= ? ORDER BY seq DESC LIMIT 1",
  )
    .bind(chainOf(org), seq)
    .first<Omit<SignedHead, "org">>();
  return row && { org, ...row };
}
