// Where retention cut the beginning off a chain. The signed cut is written in the very batch that removes what it stands
// for, so that neither is ever there without the other.
import { START, type Tip } from "../chain/links.ts";
import type { SignedCut } from "../chain/signed-cut.ts";
import { startAfter } from "../chain/signed-head.ts";
import type { Env } from "../env.ts";
import { chainOf } from "./chain.ts";
import type { Retention } from "./retention.ts";

const COLUMNS = "seq, hash, at, removed_before, key_id, signature";

/** The newest cut of a chain, or null while nothing was removed from it. */
async function newestCut(env: Env, org: string | null): Promise<SignedCut | null> {
  const row = await env.DB.prepare(`SELECT ${COLUMNS} FROM chain_cuts WHERE chain = ? ORDER BY seq DESC LIMIT 1`)
    .bind(chainOf(org))
    .first<Omit<SignedCut, "org">>();
  return row && { org, ...row };
}

/**
 * Behind which place a chain begins, and the cut that stands for what was before. A chain whose first links are gone
 * without one begins at its start all the same: they are missing.
 */
export async function beginningOf(env: Env, org: string | null): Promise<{ start: Tip; cut: SignedCut | null }> {
  const [cut, first] = await Promise.all([
    newestCut(env, org),
    env.DB.prepare("SELECT MIN(seq) AS seq FROM event_seals WHERE chain = ?")
      .bind(chainOf(org))
      .first<{ seq: number | null }>(),
  ]);
  const fits = cut !== null && (first?.seq ?? cut.seq + 1) === cut.seq + 1;
  return fits ? { start: startAfter(cut), cut } : { start: START, cut: null };
}

/**
 * Removes a chain's links up to a cut, their events, and the heads and cuts before it, in one batch with the cut itself.
 * How many events went: none where the rule was changed since it was read, or another run was faster.
 */
export async function removeUpTo(
  env: Env,
  { org, seq, hash, at, removed_before, key_id, signature }: SignedCut,
  rule: Retention,
): Promise<number> {
  const chain = chainOf(org);
  const ofThisCut = "EXISTS (SELECT 1 FROM chain_cuts WHERE chain = ?1 AND seq = ?2 AND signature = ?3)";
  const removing = (sql: string) => env.DB.prepare(`${sql} AND ${ofThisCut}`).bind(chain, seq, signature);
  const [, events] = await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO chain_cuts (chain, ${COLUMNS}) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
       WHERE EXISTS (SELECT 1 FROM event_seals WHERE chain = ?1 AND seq = ?2 AND hash = ?3)
         AND ?8 IS (SELECT changed_at FROM event_retention WHERE org = ?1)`,
    ).bind(chain, seq, hash, at, removed_before, key_id, signature, rule.changed_at),
    removing("DELETE FROM security_events WHERE id IN (SELECT event FROM event_seals WHERE chain = ?1 AND seq <= ?2)"),
    removing("DELETE FROM event_seals WHERE chain = ?1 AND seq <= ?2"),
    removing("DELETE FROM chain_heads WHERE chain = ?1 AND seq < ?2"),
    removing("DELETE FROM chain_cuts WHERE chain = ?1 AND seq < ?2"),
  ]);
  return events?.meta.changes ?? 0;
}
