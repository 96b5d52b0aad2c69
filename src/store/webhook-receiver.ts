// What is needed to call a webhook's receiver: its address, checked anew, and the secrets to sign with, opened.
import { type Env, readSettings } from "../env.ts";
import { checkReceiverUrl, type ReceiverUrl } from "./receiver-url.ts";
import { keyringOf } from "./sealing.ts";
import { openWebhookSecret } from "./webhook-secret.ts";
import type { Webhook } from "./webhooks.ts";

export interface Receiver {
  readonly url: ReceiverUrl;
  /** The newest first; during the overlap of a rotation two. */
  readonly secrets: readonly string[];
}

/** Where and how to send for a webhook now; not ok where the address may not be called, or nothing could be signed. */
export function receiverOf(env: Env, webhook: Webhook): ({ ok: true } & Receiver) | { ok: false; why: string } {
  const { org, id, secret, previous_secret, previous_until } = webhook;
  const checked = checkReceiverUrl(webhook.url, { sandbox: inSandbox(env) });
  if (!checked.ok) return { ok: false, why: `the address ${checked.why}` };
  const keyring = keyringOf(env);
  const current = openWebhookSecret(keyring, { org, id }, secret);
  if (current === null) return { ok: false, why: "the signing secret cannot be decrypted: rotate it" };
  const overlaps = previous_secret !== null && previous_until !== null && Date.parse(previous_until) > Date.now();
  const previous = overlaps ? openWebhookSecret(keyring, { org, id }, previous_secret) : null;
  return { ok: true, url: checked.url, secrets: previous === null ? [current] : [current, previous] };
}

/** Whether this is a developer's machine: only there a receiver may be on it. */
export function inSandbox(env: Env): boolean {
  const read = readSettings(env);
  return read.ok && read.settings.SANDBOX_UPSTREAM !== undefined;
}
