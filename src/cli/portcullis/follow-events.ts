// Following the list of security events by asking for it again and again. Every time is the server's own; nothing hangs
// on this machine's clock. An event may be stored a while after it happened, and so turn up behind one that is younger:
// each reading therefore goes back a little, and what was shown is remembered for as long.
import type { EventRow } from "./event-row.ts";

/** Longer than the audit queue takes to deliver what the database did not take at once. */
const OVERLAP_MS = 60_000;

export interface Following {
  /** From when on, as RFC 3339; without it, from the next event on. */
  begin: string | undefined;
  /** Events since a time, inclusive, newest first. */
  read(since: { from: string | undefined; limit?: number }): Promise<EventRow[]>;
  show(row: EventRow): void;
  /** Rejects to end it. */
  pause(): Promise<unknown>;
}

/** Shows each event once, in order of time as far as they come so. Ends by what `read` or `pause` reject with. */
export async function followEvents({ begin, read, show, pause }: Following): Promise<never> {
  const shown = new Map<string, number>();
  let newest = begin === undefined ? Number.NEGATIVE_INFINITY : Date.parse(begin);
  const earliest = begin === undefined ? Number.NEGATIVE_INFINITY : newest;
  /** Those not seen before, oldest first. */
  const fresh = async (): Promise<EventRow[]> => {
    const rows = await read({ from: timeOf(Math.max(newest - OVERLAP_MS, earliest)) });
    const unseen = rows.filter(({ id }) => !shown.has(id)).reverse();
    for (const { id, at } of unseen) {
      shown.set(id, Date.parse(at));
      newest = Math.max(newest, Date.parse(at));
    }
    for (const [id, at] of shown) if (at < newest - 2 * OVERLAP_MS) shown.delete(id);
    return unseen;
  };

  if (begin === undefined) {
    const [last] = await read({ from: undefined, limit: 1 });
    if (last) newest = Date.parse(last.at);
    // What is there already is not shown.
    if (last) await fresh();
  }
  for (;;) {
    for (const row of await fresh()) show(row);
    await pause();
  }
}

function timeOf(milliseconds: number): string | undefined {
  return Number.isFinite(milliseconds) ? new Date(milliseconds).toISOString() : undefined;
}
