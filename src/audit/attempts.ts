// When a receiver is tried again, and when it is given up. Pure.
import { type Answer, isAccepted } from "../store/receiver.ts";
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

/** What comes next after the last answer of a run, null when nothing was sent, at `now` (epoch milliseconds). */
export function scheduleAfter(
  { failing_since, failures }: Pick<Webhook, "failing_since" | "failures">,
  { answer, progressed, now }: { answer: Answer | null; progressed: boolean; now: number },
): Schedule {
  if (answer === null || isAccepted(answer))
    return { next_attempt_at: timestamp(now), failing_since: null, failures: 0, paused_at: null };
  // Something got through in this run: the failure is a new one.
  const before = progressed ? null : failing_since;
  const count = before === null ? 1 : failures + 1;
  const since = before ?? timestamp(now);
  const givenUp = answer.status === GONE || now - Date.parse(since) >= PATIENCE_MS;
  return {
    next_attempt_at: timestamp(now + Math.min(FIRST_DELAY_MS * 2 ** (count - 1), LONGEST_DELAY_MS)),
    failing_since: since,
    failures: count,
    paused_at: givenUp ? timestamp(now) : null,
  };
}
