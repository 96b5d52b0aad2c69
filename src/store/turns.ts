// Whose turn it is in a run of the repairs, where there is more to do than one run can: an invocation may ask D1 a
// thousand times, and KV a thousand times. Pure.

/** How often wrangler.toml has the repairs run. */
const RUN_EVERY_MS = 300_000;

/** Which of so many turns, counted from 0, it is at `now` (epoch milliseconds): the next one with each run. */
export function turnAt(now: number, turns: number): number {
  return Math.floor(now / RUN_EVERY_MS) % turns;
}

/** Those of `all` whose turn it is, at most `perRun`. While `all` is the same everybody has a turn within that many runs. */
export function turnOf<T>(all: readonly T[], { now, perRun }: { now: number; perRun: number }): readonly T[] {
  const turns = Math.max(1, Math.ceil(all.length / perRun));
  const begin = turnAt(now, turns) * perRun;
  return all.slice(begin, begin + perRun);
}

/** How much each of so many may take of a run's `total`: at the least one. */
export function shareOf(total: number, among: number): number {
  return Math.max(1, Math.floor(total / among));
}
