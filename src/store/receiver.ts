// Calls the receiver of a webhook: the only function that does. It takes nothing but an address that was checked and a
// message that was signed, and of the answer it keeps the status, and when to ask again.
import { retryAfterOf } from "../routing/retry-after.ts";
import type { ReceiverUrl } from "./receiver-url.ts";
import type { SignedMessage } from "./webhook-message.ts";

/** How long a receiver may take to begin its answer. */
export const ANSWER_TIMEOUT_MS = 10_000;

/** What became of an attempt: the status of the answer, with how long it asks to be left alone; or why there was none. */
export type Answer =
  | { readonly status: number; readonly problem: null; readonly retryAfterMs: number | null }
  | { readonly status: null; readonly problem: string; readonly retryAfterMs: null };

export function noAnswer(problem: string): Answer {
  return { status: null, problem, retryAfterMs: null };
}

/** Sends a message. Redirects are not followed: they could lead where the address may not. Never throws. */
export async function callReceiver(
  url: ReceiverUrl,
  { headers, body }: SignedMessage,
  timeoutMs: number = ANSWER_TIMEOUT_MS,
): Promise<Answer> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    // Unread: it can be endless, and what it says is the receiver's own.
    await response.body?.cancel().catch(() => undefined);
    const seconds = retryAfterOf(response.headers, Date.now());
    return { status: response.status, problem: null, retryAfterMs: seconds && seconds * 1000 };
  } catch {
    return noAnswer(signal.aborted ? `no answer within ${timeoutMs / 1000} s` : "no connection");
  }
}

/** Whether a receiver has taken the message. */
export function isAccepted({ status }: Pick<Answer, "status">): boolean {
  return status !== null && status >= 200 && status <= 299;
}
