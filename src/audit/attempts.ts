// When a receiver is tried again, and when it is given up. Pure.
import type { Answer } from "../store/receiver.ts";
import { timestamp } from "../store/secrets.ts";
import type { Progress } from "../store/webhook-lease.ts";
import type { Webhook } from "../store/webhooks.ts";

const FIRST_DELAY_MS = 10_000;
const LONGEST_DELAY_MS = 3_600_000;
/** A receiver that has failed for so long is paused, until somebody resumes it by hand. */
const PATIENCE_MS = 24 * 3_600_000;
/** A receiver says by this that it is gone for good; asking on would be rude (Standard Webhooks). */
const GONE = 410;

type Schedule = Pick<Progress, "next_attempt_at" | "failing_since" | "failures" | "paused_at">;

/** How a run of one webhook ended: with its last answer, null when nothing was sent. */
export interface Ended {
  readonly answer: Answer | null;
  /** Whether the receiver has what was sent last, or wants no more of it. */
  readonly settled: boolean;
  /** Whether anything got through. */
  readonly progressed: boolean;
}

/** What comes next after a run that ended at `now` (epoch milliseconds). */
export function scheduleAfter(
  { next_attempt_at, failing_since, failures }: Pick<Webhook, "next_attempt_at" | "failing_since" | "failures">,
  { answer, settled, progressed }: Ended,
  now: number,
): Schedule {
  if (answer === null) return { next_attempt_at, failing_since, failures, paused_at: null };
  if (settled) return { next_attempt_at: timestamp(now), failing_since: null, failures: 0, paused_at: null };
  // Something got through in this run: the failure is a new one.
  const before = progressed ? null : failing_since;
  const count = before === null ? 1 : failures + 1;
  const since = before ?? timestamp(now);
  const backoff = Math.min(FIRST_DELAY_MS * 2 ** (count - 1), LONGEST_DELAY_MS);
  const givenUp = answer.status === GONE || now - Date.parse(since) >= PATIENCE_MS;
  return {
    next_attempt_at: timestamp(now + Math.max(backoff, answer.retryAfterMs ?? 0)),
    failing_since: since,
    failures: count,
    paused_at: givenUp ? timestamp(now) : null,
  };
}

/**
 * Whether a receiver that did not accept a signed head refuses heads as such. Another attempt would not help, and must
 * not keep events waiting: a later head says all that this one says.
 */
export function refusesHeads({ status }: Pick<Answer, "status">): boolean {
  return status !== null && status >= 400 && status <= 499 && ![408, GONE, 429].includes(status);
}
