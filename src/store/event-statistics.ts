// What was blocked most: the blocks of an organization counted by day, provider, requirement, model or project. By the
// same rules as the list filters, so that a count and the list behind it agree.
import type { Env } from "../env.ts";

/** Where the keys of an event come from. Events are grouped by that first: most of those with providers have the same. */
const SOURCES = {
  day: "substr(at, 1, 10)",
  model: "model",
  project: "project",
  provider: "providers",
  requirement: "providers",
};
/** Each key once for each source, however often it stands there. */
const KEYS = {
  day: "SELECT source AS key, blocks, folded FROM grouped",
  model: "SELECT source AS key, blocks, folded FROM grouped",
  project: "SELECT source AS key, blocks, folded FROM grouped",
  provider: "SELECT DISTINCT source, p.value ->> 'id' AS key, blocks, folded FROM grouped, json_each(source) p",
  requirement: `SELECT DISTINCT source, f.value ->> 'code' AS key, blocks, folded
     FROM grouped, json_each(source) p, json_each(p.value -> 'failures') f`,
} satisfies Record<keyof typeof SOURCES, string>;

export type StatisticsBy = keyof typeof KEYS;
export const STATISTICS_BY = Object.keys(KEYS) as [StatisticsBy, ...StatisticsBy[]];

/** Reading more would take seconds. What is older is left out, and the answer says so. */
export const MAX_EVENTS_COUNTED = 100_000;

export interface BlockCount {
  /** Null where the event names none: no model, or no project. */
  key: string | null;
  blocks: number;
  /** Whether repeats are folded in it, so that there may have been more. */
  at_least: boolean;
}

export interface Statistics {
  /** Days in their order; else the most first. */
  counts: BlockCount[];
  /** False where the period has more events than are counted: then the oldest are left out. */
  complete: boolean;
}

/** The blocks from `from` (inclusive) to `to` (exclusive), RFC 3339 in UTC, by at most `limit` keys. */
export async function countBlocks(
  env: Env,
  { org, by, from, to, limit }: { org: string; by: StatisticsBy; from: string; to: string; limit: number },
): Promise<Statistics> {
  const { results } = await env.DB.prepare(
    `WITH counted AS (
       SELECT ${SOURCES[by]} AS source, at_least FROM security_events
       WHERE org = ?1 AND at >= ?2 AND at < ?3 AND type = 'compliance.blocked' ORDER BY at DESC LIMIT ?4),
     grouped AS MATERIALIZED (
       SELECT source, SUM(COALESCE(at_least, 1)) AS blocks, COUNT(at_least) AS folded, COUNT(*) AS events
       FROM counted GROUP BY source)
     SELECT key, SUM(blocks) AS blocks, SUM(folded) AS folded, (SELECT SUM(events) FROM grouped) AS events
     FROM (${KEYS[by]}) GROUP BY key ORDER BY ${by === "day" ? "key" : "blocks DESC, key"} LIMIT ?5`,
  )
    .bind(org, from, to, MAX_EVENTS_COUNTED, limit)
    .all<{ key: string | null; blocks: number; folded: number; events: number }>();
  return {
    counts: results.map(({ key, blocks, folded }) => ({ key, blocks, at_least: folded > 0 })),
    complete: (results[0]?.events ?? 0) < MAX_EVENTS_COUNTED,
  };
}
