// Which providers have been failing lately, per credential, so that one organization's exhausted key demotes nobody
// else's. Deterministic: `now` is an argument. A hint for ranking, never a reason to admit or refuse.

export interface Health {
  /** In a row; those that came while it rested count as the one that sent it to rest. */
  failures: number;
  /** Epoch milliseconds of the latest. */
  failedAt: number;
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

/** An answer that began at `began` arrived whole: whatever the provider had before that is over. */
export function noteSuccess(book: HealthBook, key: string, { began }: { began: number }): void {
  const health = book.get(key);
  if (health && began >= health.failedAt) book.delete(key);
}

/**
 * A provider failed. It rests after the second failure in a row, after each rest that did not help for longer, or as
 * long as it asked for. One outage fails many requests at once, which is no reason to rest longer.
 */
export function noteFailure(
  book: HealthBook,
  key: string,
  { now, retryAfterSeconds }: { now: number; retryAfterSeconds: number | null },
): void {
  const known = book.get(key) ?? { failures: 0, failedAt: now, sickUntil: now };
  const rests = now < known.sickUntil;
  const failures = rests ? known.failures : known.failures + 1;
  const grown = FIRST_REST_MS * 2 ** Math.min(failures - FAILURES_BEFORE_SICK, 20);
  const rest = Math.max(!rests && failures >= FAILURES_BEFORE_SICK ? grown : 0, (retryAfterSeconds ?? 0) * 1000);
  if (book.size >= MAX_ENTRIES && !book.has(key)) book.clear();
  const sickUntil = Math.max(known.sickUntil, now + Math.min(rest, LONGEST_REST_MS));
  book.set(key, { failures, failedAt: now, sickUntil });
}
