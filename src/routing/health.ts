// Which providers have been failing lately, per credential, so that one organization's exhausted key demotes nobody
// else's. Deterministic: `now` is an argument. A hint for ranking, never a reason to admit or refuse.

export interface Health {
  failures: number;
  /** Epoch milliseconds until which it is ranked last. */
  sickUntil: number;
}
/** By provider and credential. */
export type HealthBook = Map<string, Health>;

const FAILURES_BEFORE_SICK = 2;
const FIRST_REST_MS = 5_000;
const LONGEST_REST_MS = 300_000;
const MAX_ENTRIES = 5_000;

export function isHealthy(book: HealthBook, key: string, now: number): boolean {
  const health = book.get(key);
  return !health || now >= health.sickUntil;
}

/** A provider answered: whatever it had is over. */
export function noteSuccess(book: HealthBook, key: string): void {
  book.delete(key);
}

/** A provider failed. It rests after the second failure in a row, each time longer, or as long as it asked for. */
export function noteFailure(
  book: HealthBook,
  key: string,
  { now, retryAfterSeconds }: { now: number; retryAfterSeconds: number | null },
): void {
  const failures = (book.get(key)?.failures ?? 0) + 1;
  const grown = FIRST_REST_MS * 2 ** Math.min(failures - FAILURES_BEFORE_SICK, 20);
  const rest = Math.max(failures >= FAILURES_BEFORE_SICK ? grown : 0, (retryAfterSeconds ?? 0) * 1000);
  if (book.size >= MAX_ENTRIES && !book.has(key)) book.clear();
  book.set(key, { failures, sickUntil: now + Math.min(rest, LONGEST_REST_MS) });
}
