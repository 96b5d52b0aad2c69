// What a webhook does at the moment. Pure.
import type { Webhook } from "../store/webhooks.ts";

/**
 * `retrying`: the last attempt failed, the next is due in time. `paused`: it failed for a day, and waits to be resumed.
 * `disabled`: somebody stopped it. In none of them is an event lost.
 */
export const WEBHOOK_STATES = ["delivering", "retrying", "paused", "disabled"] as const;
export type WebhookState = (typeof WEBHOOK_STATES)[number];

export function webhookState({ enabled, paused_at, failing_since }: Webhook): WebhookState {
  if (enabled === 0) return "disabled";
  if (paused_at !== null) return "paused";
  return failing_since === null ? "delivering" : "retrying";
}

/** Until when the secret before the newest signs too; null once it does not. */
export function overlapUntil({ previous_secret, previous_until }: Webhook, now: number): string | null {
  if (previous_secret === null || previous_until === null) return null;
  return Date.parse(previous_until) > now ? previous_until : null;
}
