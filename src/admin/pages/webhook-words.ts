// Webhooks in words. Pure.
import type { Webhook } from "../../store/webhooks.ts";
import type { WebhookState } from "../webhook-state.ts";

/** How a state is called, and how its tag looks. */
export const STATES: Readonly<Record<WebhookState, { label: string; tag: string }>> = {
  delivering: { label: "delivering", tag: "tag allowed" },
  retrying: { label: "retrying", tag: "tag warn" },
  paused: { label: "paused", tag: "tag blocked" },
  disabled: { label: "paused by hand", tag: "tag" },
};

/** What a receiver answered, or why it did not: "204", "503", "no connection". */
export function answerInWords({ status, problem }: { status: number | null; problem: string | null }): string {
  return status === null ? (problem ?? "none yet") : `${status}${REDIRECTS.has(status) ? ", not followed" : ""}`;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** The last answer of a webhook, in words. */
export function lastAnswer({ last_status, last_problem }: Webhook): string {
  return answerInWords({ status: last_status, problem: last_problem });
}

/** "1 event waits", "3 events wait". */
export function waitingInWords(waiting: number): string {
  return `${waiting.toLocaleString("en")} ${waiting === 1 ? "event waits" : "events wait"}`;
}

const SHOWN_CHARACTERS = 28;

/** What tells a receiver from others at the same host, shortened. */
export function pathOf({ url }: Pick<Webhook, "url">): string {
  const { pathname = "", search = "" } = URL.parse(url) ?? {};
  const path = pathname + search;
  return path.length > SHOWN_CHARACTERS ? `${path.slice(0, SHOWN_CHARACTERS)}…` : path;
}
