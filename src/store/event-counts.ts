// How many security events there were, by day and kind.
import type { Env } from "../env.ts";
import type { SecurityEvent } from "./event.ts";

export interface EventCount extends Pick<SecurityEvent, "type" | "outcome"> {
  /** A day in UTC, YYYY-MM-DD. */
  day: string;
  events: number;
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
    `SELECT substr(at, 1, 10) AS day, type, outcome, COUNT(*) AS events FROM security_events
     WHERE org = ? AND at >= ? AND at < ? GROUP BY day, type, outcome ORDER BY day`,
  )
    .bind(org, from, to)
    .all<EventCount>();
  return results;
}
