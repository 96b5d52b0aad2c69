// What a look at the paper trail amounts to: each check in words, with what to do. Pure. Nothing is well that could not
// be looked at: that is the caller's to say, as `unknown`.
import type { WaitingLetters } from "../store/dead-letters.ts";
import type { Retention } from "../store/retention.ts";
import { countsFrom } from "../store/retention.ts";
import type { Backlog, LastSealed } from "../store/trail-state.ts";
import type { WebhookState } from "./webhook-state.ts";

export const STATES = ["ok", "warn", "bad", "unknown"] as const;
export type State = (typeof STATES)[number];

export interface Finding {
  readonly state: State;
  /** A few words, for a line. */
  readonly summary: string;
  /** A sentence or two. */
  readonly detail: string;
  /** What to do about it; null where nothing is to be done. */
  readonly action: string | null;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/**
 * The consumer takes seconds. What it has not done cron does within five minutes, or later where many organizations wait:
 * it seals for 40 in a run. That too is worth a look, since then it is the consumer that fails.
 */
const LATE_MS = 15 * MINUTE_MS;
const VERY_LATE_MS = 60 * MINUTE_MS;
/** Removal is cron's, some thousand events at a time. */
const OVERDUE_MS = 2 * DAY_MS;
/** Of D1 on Workers Paid; on Workers Free it is 500 MB. */
const D1_LIMIT_BYTES = 10_000_000_000;
const [NEAR, AT_THE_LIMIT] = [0.8, 0.95];

const TELL = "Tell whoever operates this gateway";

export function sealedFinding(last: LastSealed | null, { signs }: { signs: boolean }): Finding {
  const summary = last === null ? "nothing to seal yet" : `last event sealed: ${last.at ? moment(last.at) : "gone"}`;
  const detail = last === null ? "No event has been sealed yet." : `The last event in the chain is number ${last.seq}.`;
  if (!signs)
    return {
      state: "warn",
      summary: `${summary}, unsigned`,
      detail: `${detail} No head of the chain is signed, so that an end cut off, or a chain built anew, does not show.`,
      action: `${TELL}: AUDIT_SIGNING_KEY is not set. Until it is, nothing is removed by retention either.`,
    };
  if (last === null) return ok(summary, detail);
  if (last.signed < last.seq)
    return {
      state: "warn",
      summary,
      detail: `${detail} The newest signed head is of number ${last.signed}.`,
      action: "The next head is signed within minutes. If this stays, tell whoever operates this gateway.",
    };
  return ok(summary, `${detail} A signed head covers it.`);
}

export function webhooksFinding(states: readonly WebhookState[]): Finding {
  const count = (state: WebhookState) => states.filter((each) => each === state).length;
  const [paused, retrying] = [count("paused"), count("retrying")];
  const action = "Webhooks shows the last answer, and resumes without loss.";
  if (paused > 0)
    return {
      state: "bad",
      summary: `${paused} of ${states.length} webhooks paused`,
      detail: "A receiver failed for a day, so nothing is sent to it any more. Its events wait.",
      action,
    };
  if (retrying > 0)
    return {
      state: "warn",
      summary: `${retrying} of ${states.length} webhooks retrying`,
      detail: "A receiver does not accept events at the moment. They wait, and are sent in their order.",
      action,
    };
  const disabled = count("disabled");
  if (states.length === 0) return ok("no webhooks", "Events are sent nowhere else.");
  return ok(
    `${states.length - disabled} of ${states.length} webhooks delivering`,
    "Every receiver accepted what was sent last.",
  );
}

export function waitingFinding(oldest: string | null, now: number): Finding {
  if (oldest === null) return ok("nothing waits for its seal", "Every event in the list is sealed.");
  const age = now - Date.parse(oldest);
  return {
    state: lateness(age),
    summary: `oldest unsealed event: ${span(age)}`,
    detail: `The oldest event that waits for its seal is of ${moment(oldest)}.`,
    action: age < LATE_MS ? null : `${TELL}: the audit consumer does not seal, and cron has not caught up.`,
  };
}

export function queueFinding({ backlogCount, oldestMessageTimestamp: oldest }: Backlog, now: number): Finding {
  if (backlogCount === 0) return ok("queue empty", "No message waits on the audit queue.");
  const waiting = `Of all organizations ${count(backlogCount, "message")} ${backlogCount === 1 ? "waits" : "wait"} on the audit queue`;
  if (oldest === undefined)
    return {
      ...unknownFinding("Queue"),
      detail: `${waiting}; for how long is not known.`,
    };
  const age = Math.max(0, now - oldest.valueOf());
  return {
    state: lateness(age),
    summary: `queue: oldest message ${span(age)}`,
    detail: `${waiting}, the oldest for ${span(age)}. Events that D1 did not take at once are among them, and not in the list yet.`,
    action: age < LATE_MS ? null : `${TELL}: the audit consumer does not keep up, or fails.`,
  };
}

export function deadLettersFinding({ count: waiting, since }: WaitingLetters): Finding {
  if (waiting === 0) return ok("no dead letters", "Every message about this organization could be stored.");
  return {
    state: "bad",
    summary: count(waiting, "dead letter"),
    detail: `${count(waiting, "message")} about this organization could not be stored as events${since ? `, the first on ${moment(since)}` : ""}. They are kept whole; the list and its export may lack what they tell.`,
    action: `${TELL}: an operator can look at them and replay them (GET /admin/api/dead-letters).`,
  };
}

export function edgeFinding(
  { published, newest, savedAt }: { published: number; newest: number; savedAt: string },
  now: number,
): Finding {
  if (published >= newest)
    return ok(`edge has revision ${newest}`, `The edge enforces revision ${newest}, the newest.`);
  const age = now - Date.parse(savedAt);
  return {
    state: age < LATE_MS ? "warn" : "bad",
    summary: `edge lacks revision ${newest}`,
    detail: `Revision ${newest} was saved on ${moment(savedAt)} and has not reached the edge: ${published > 0 ? `revision ${published}` : "what was there before"} is still enforced.`,
    action:
      age < LATE_MS ? "Publishing is tried again every few minutes." : `${TELL}: publishing to the edge keeps failing.`,
  };
}

export function retentionFinding(
  rule: Retention,
  { oldest, signs, now }: { oldest: string | null; signs: boolean; now: number },
): Finding {
  const { days, legal_hold } = rule;
  if (legal_hold) return ok("legal hold", "Under a legal hold: no event is removed.");
  const from = countsFrom(rule);
  const pending = from !== null && Date.parse(from) > now;
  const kept = `Events are kept for ${days} days${pending ? `; none is removed before ${moment(from)}, a week after that was changed` : ""}.`;
  const overdue = oldest !== null && now - Date.parse(oldest) > days * DAY_MS + OVERDUE_MS;
  if (!overdue || pending) return ok(`kept ${days} days`, kept);
  return {
    state: "warn",
    summary: `kept longer than ${days} days`,
    detail: `${kept} The oldest is of ${moment(oldest)}: ${signs ? "removing it fails, or the chain there does not verify, and then nothing is removed" : "without AUDIT_SIGNING_KEY nothing is removed, since nothing could stand for it"}.`,
    action: signs ? `Verify the chain (GET …/events/verify), and tell whoever operates this gateway.` : `${TELL}.`,
  };
}

export function storageFinding(bytes: number): Finding {
  const share = bytes / D1_LIMIT_BYTES;
  const summary = `database ${share < 0.01 ? "below 1" : Math.floor(share * 100)} % full`;
  const detail = `The database of this installation holds ${(bytes / 1e9).toFixed(1)} of at most 10 GB.`;
  if (share < NEAR) return ok(summary, detail);
  return {
    state: share < AT_THE_LIMIT ? "warn" : "bad",
    summary,
    detail: `${detail} Beyond that no event and no policy can be saved.`,
    action: `${TELL}. Export what has to be kept, and shorten the retention of events where that is allowed.`,
  };
}

export function unknownFinding(label: string): Finding {
  return {
    state: "unknown",
    summary: `${label}: unknown`,
    detail: "This could not be looked at.",
    action: "Load this again shortly. If it stays, tell whoever operates this gateway.",
  };
}

function ok(summary: string, detail: string): Finding {
  return { state: "ok", summary, detail, action: null };
}

function lateness(age: number): State {
  if (age < LATE_MS) return "ok";
  return age < VERY_LATE_MS ? "warn" : "bad";
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** `2026-11-26 12:00 UTC` */
function moment(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}

/** How long, in the largest unit that fits: "40 seconds", "3 hours". */
function span(milliseconds: number): string {
  const units = [
    ["day", DAY_MS],
    ["hour", 60 * MINUTE_MS],
    ["minute", MINUTE_MS],
  ] as const;
  const [unit, size] = units.find(([, size]) => milliseconds >= size) ?? ["second", 1_000];
  return count(Math.floor(milliseconds / size), unit);
}
