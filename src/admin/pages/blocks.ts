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

/** Each of the last days up to `now`, oldest first, also those on which nothing happened. */
export function daysOf(counts: readonly EventCount[], now: number): BlockDay[] {
  const first = Date.parse(windowsAt(now).lastDays.from);
  return Array.from({ length: DAYS }, (_, index) => {
    const day = new Date(first + index * DAY_MS).toISOString().slice(0, 10);
    return { day, ...tallyOf(counts.filter((count) => count.day === day)) };
  });
}
