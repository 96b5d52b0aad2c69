// How long security events are kept, organization by organization, and whether a legal hold keeps them all.
import type { Env } from "../env.ts";
import { auditStatement } from "./audit-log.ts";
import { orgOf } from "./chain.ts";
import type { Condition } from "./conditions.ts";
import { timestamp } from "./secrets.ts";

const DEFAULT_RETENTION_DAYS = 400;
/** The schema has the lower bound too. */
export const MIN_RETENTION_DAYS = 180;
export const MAX_RETENTION_DAYS = 3_650;
/** Nothing goes so soon after a change: what a mistake or a stolen token would destroy does not come back. */
const DAYS_TO_RECONSIDER = 7;

const DAY_MS = 86_400_000;

interface Rule {
  days: number;
  legal_hold: boolean;
}

export interface Retention extends Rule {
  /** Null where nothing was ever changed. */
  changed_at: string | null;
  changed_by: string | null;
}

const DEFAULT: Retention = { days: DEFAULT_RETENTION_DAYS, legal_hold: false, changed_at: null, changed_by: null };

/** What holds for an organization; for events of none, the default. */
export async function retentionOf(env: Env, org: string | null): Promise<Retention> {
  const row = await env.DB.prepare("SELECT days, legal_hold, changed_at, changed_by FROM event_retention WHERE org = ?")
    .bind(org)
    .first<Omit<Retention, "legal_hold"> & { legal_hold: number }>();
  return row ? { ...row, legal_hold: row.legal_hold === 1 } : DEFAULT;
}

/**
 * Changes what holds for an organization, with its audit row. What holds already is not written anew: then the answer is
 * what it `was`. Null, with nothing written, when it is not that any more: a legal hold that somebody sets meanwhile is not
 * lifted unawares.
 */
export async function putRetention(
  env: Env,
  { org, days, legal_hold, actor, ...seen }: Rule & { org: string; actor: string; was?: Retention },
): Promise<Retention | null> {
  const was = seen.was ?? (await retentionOf(env, org));
  if (was.days === days && was.legal_hold === legal_hold) return was;
  const changed_at = timestamp();
  const detail = { days, legal_hold, was: { days: was.days, legal_hold: was.legal_hold } };
  const isAsItWas: Condition = {
    sql: "(SELECT changed_at FROM event_retention WHERE org = ?) IS ?",
    values: [org, was.changed_at],
  };
  const [, written] = await env.DB.batch([
    auditStatement(env, { org, actor, action: "events.retention", target: org, detail }, isAsItWas),
    env.DB.prepare(
      `INSERT INTO event_retention (org, days, legal_hold, changed_at, changed_by)
       SELECT ?, ?, ?, ?, ? WHERE ${isAsItWas.sql}
       ON CONFLICT (org) DO UPDATE SET days = excluded.days, legal_hold = excluded.legal_hold,
         changed_at = excluded.changed_at, changed_by = excluded.changed_by`,
    ).bind(org, days, Number(legal_hold), changed_at, actor, ...isAsItWas.values),
  ]);
  return written?.meta.changes ? { days, legal_hold, changed_at, changed_by: actor } : null;
}

/** From when on a change counts for what is removed; null where nothing was ever changed. */
export function countsFrom({ changed_at }: Pick<Retention, "changed_at">): string | null {
  return changed_at && timestamp(Date.parse(changed_at) + DAYS_TO_RECONSIDER * DAY_MS);
}

/** Before when events are to go at `now` (epoch milliseconds), as RFC 3339; null while nothing may. */
export function removedBefore({ days, legal_hold, changed_at }: Retention, now: number): string | null {
  const from = countsFrom({ changed_at });
  if (legal_hold || (from !== null && from > timestamp(now))) return null;
  return timestamp(now - days * DAY_MS);
}

/** SQL: whether retention of `r`, which may be absent, lets go at ?1 what is as old as `at`; ?2 is the default, ?3 a week ago. */
const isDue = (at: string) => `COALESCE(r.legal_hold, 0) = 0 AND COALESCE(r.changed_at, '') <= ?3
  AND ${at} < strftime('%Y-%m-%dT%H:%M:%fZ', ?1, '-' || COALESCE(r.days, ?2) || ' days')`;
const duenessAt = (now: number) =>
  [timestamp(now), DEFAULT_RETENTION_DAYS, timestamp(now - DAYS_TO_RECONSIDER * DAY_MS)] as const;

/** Whose oldest sealed event is due at `now` (epoch milliseconds); null among them stands for events of no organization. */
export async function orgsWithDueEvents(env: Env, now: number): Promise<(string | null)[]> {
  const { results } = await env.DB.prepare(
    `SELECT c.chain FROM (SELECT id AS chain FROM orgs UNION ALL SELECT '') c
     LEFT JOIN event_retention r ON r.org = c.chain
     WHERE ${isDue("(SELECT e.at FROM event_seals s JOIN security_events e ON e.id = s.event WHERE s.chain = c.chain ORDER BY s.seq LIMIT 1)")}`,
  )
    .bind(...duenessAt(now))
    .all<{ chain: string }>();
  return results.map(({ chain }) => orgOf(chain));
}

/** Removes dead letters that were replayed as long ago as their organization keeps events; at most `limit`. */
export async function removeReplayedLetters(env: Env, { now, limit }: { now: number; limit: number }): Promise<number> {
  const { meta } = await env.DB.prepare(
    `DELETE FROM dead_letters WHERE id IN (
       SELECT d.id FROM dead_letters d
       LEFT JOIN event_retention r ON r.org = CASE WHEN json_valid(d.body) THEN d.body ->> 'org' END
       WHERE ${isDue("d.replayed_at")} LIMIT ?4)`,
  )
    .bind(...duenessAt(now), limit)
    .run();
  return meta.changes;
}
