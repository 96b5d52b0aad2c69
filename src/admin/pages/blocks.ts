// Security events counted, arranged for the overview: the last 24 hours, and each of the last days. Pure.
import type { EventCount } from "../../store/event-counts.ts";

const DAYS = 14;
const DAY_MS = 86_400_000;

/** Requests of one kind or another. `blocked` is what the policy refused or took out of a request. */
export interface BlockTally {
  refused: number;
  rerouted: number;
  blocked: number;
  /** Refused because the policy could not be read. */
  unavailable: number;
  /** Whether repeats are folded in `blocked`, so that there may have been more. */
  atLeast: boolean;
}

export interface BlockDay extends BlockTally {
  /** YYYY-MM-DD, in UTC. */
  day: string;
}

/** The bounds to count between at `now` (epoch milliseconds): RFC 3339, `to` exclusive. */
export function windowsAt(now: number) {
  const today = now - (now % DAY_MS);
  const at = (milliseconds: number) => new Date(milliseconds).toISOString();
  return {
    lastDay: { from: at(now - DAY_MS), to: at(now + 1) },
    lastDays: { from: at(today - (DAYS - 1) * DAY_MS), to: at(today + DAY_MS) },
  };
}

/** The counts in one. */
export function tallyOf(counts: readonly EventCount[]): BlockTally {
  const of = (matches: (count: EventCount) => boolean) =>
    counts.filter(matches).reduce((sum, { requests }) => sum + requests, 0);
  const refused = of(({ type, outcome }) => type === "compliance.blocked" && outcome === "refused");
  const rerouted = of(({ type, outcome }) => type === "compliance.blocked" && outcome === "rerouted");
  return {
    refused,
    rerouted,
    blocked: refused + rerouted,
    unavailable: of(({ type }) => type === "policy.unavailable"),
    atLeast: counts.some(({ type, at_least }) => type === "compliance.blocked" && at_least),
  };
}

/** More bars than these tell nothing; counts by provider and the like are shown all the same. */
const MAX_DAYS_DRAWN = 100;

/** The days of a period (RFC 3339, `to` exclusive) as they are drawn, YYYY-MM-DD, oldest first; none of a longer one. */
export function daysDrawn({ from, to }: { from: string; to: string }): string[] {
  const first = Date.parse(`${from.slice(0, 10)}T00:00:00.000Z`);
  const days = Math.ceil((Date.parse(to) - first) / DAY_MS);
  if (days > MAX_DAYS_DRAWN) return [];
  return Array.from({ length: Math.max(0, days) }, (_, index) =>
    new Date(first + index * DAY_MS).toISOString().slice(0, 10),
  );
}

/** The counts of each of these days, also of those on which nothing happened. */
export function blockDays(counts: readonly EventCount[], days: readonly string[]): BlockDay[] {
  return days.map((day) => ({ day, ...tallyOf(counts.filter((count) => count.day === day)) }));
}
