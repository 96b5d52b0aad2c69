// How many requests were refused or rerouted, by day and kind of event.
import type { Env } from "../env.ts";
import type { SecurityEvent } from "./event.ts";

export interface EventCount extends Pick<SecurityEvent, "type" | "outcome"> {
  /** A day in UTC, YYYY-MM-DD. */
  day: string;
  /** How many requests the events stand for: folded ones for as many as they count. */
  requests: number;
  /** Whether repeats are folded in it, so that there may have been more. */
  at_least: boolean;
}

/**
 * The events of an organization from `from` (inclusive) to `to` (exclusive), RFC 3339 in UTC, counted. It reads one index
 * entry per event; a total kept beside the events would be cheaper, and could disagree with them.
 */
export async function countEvents(
  env: Env,
  { org, from, to }: { org: string; from: string; to: string },
): Promise<EventCount[]> {
  const { results } = await env.DB.prepare(
    `SELECT substr(at, 1, 10) AS day, type, outcome, SUM(COALESCE(at_least, 1)) AS requests, COUNT(at_least) AS folded
     FROM security_events
     WHERE org = ? AND at >= ? AND at < ? GROUP BY day, type, outcome ORDER BY day`,
  )
    .bind(org, from, to)
    .all<Omit<EventCount, "at_least"> & { folded: number }>();
  return results.map(({ folded, ...count }) => ({ ...count, at_least: folded > 0 }));
}
