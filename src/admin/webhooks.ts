// The use cases of webhooks: set up, change, resume, rotate the secret, try out, remove. A secret is given out once.
import type { Env } from "../env.ts";
import type { Member } from "../store/members.ts";
import { type Answer, callReceiver, noAnswer } from "../store/receiver.ts";
import { checkReceiverUrl } from "../store/receiver-url.ts";
import { keyringOf } from "../store/sealing.ts";
import { newId, timestamp } from "../store/secrets.ts";
import { signMessage, testMessage, type WebhookFormat } from "../store/webhook-message.ts";
import { inSandbox, receiverOf } from "../store/webhook-receiver.ts";
import { newWebhookSecret, openWebhookSecret, sealWebhookSecret } from "../store/webhook-secret.ts";
import {
  addWebhook,
  changeWebhook,
  findWebhook,
  type ListedWebhook,
  noteWebhookTest,
  removeWebhook,
  replaceWebhookSecret,
  resumeWebhook,
  type Webhook,
  type WebhookChange,
} from "../store/webhooks.ts";
import { requireSealingKey } from "./credentials.ts";
import { invalid, Problem } from "./problem.ts";

/** Each costs a request for every block. */
export const MAX_WEBHOOKS = 10;
/** How long the secret before the newest signs too. */
const OVERLAP_MS = 24 * 3_600_000;

/** The webhook of that id. Throws 404. */
export async function requireWebhook(env: Env, org: string, id: string): Promise<ListedWebhook> {
  return found(await findWebhook(env, org, id));
}

function found(webhook: ListedWebhook | null): ListedWebhook {
  if (webhook) return webhook;
  throw new Problem({ status: 404, code: "not_found", detail: "The organization has no such webhook." });
}

/** Sets up a webhook. Throws 400 for an address that may not be called, 409 for one too many, 503 without a key to seal with. */
export async function createWebhook(
  env: Env,
  { org, email: actor }: Member,
  { id = newId("whk"), url, format, enabled }: { id?: string; url: string; format: WebhookFormat; enabled: boolean },
): Promise<{ webhook: ListedWebhook; secret: string }> {
  const key = requireSealingKey(env);
  const address = requireUrl(env, url);
  const secret = newWebhookSecret();
  const sealed = sealWebhookSecret(key, { org, id }, secret);
  const asked = { id, org, url: address, format, secret: sealed };
  const webhook = await addWebhook(env, asked, { enabled, most: MAX_WEBHOOKS, actor });
  if (webhook) return { webhook, secret };
  throw new Problem({
    status: 409,
    code: "conflict",
    title: "There are too many webhooks",
    detail: `An organization has at most ${MAX_WEBHOOKS}. Remove one that is not needed any more.`,
  });
}

/** Changes a webhook. Throws 404, and 400 for an address that may not be called. */
export async function editWebhook(
  env: Env,
  { org, email: actor }: Member,
  { id, change }: { id: string; change: WebhookChange },
): Promise<ListedWebhook> {
  const before = await requireWebhook(env, org, id);
  const url = change.url === undefined ? undefined : requireUrl(env, change.url);
  return found(await changeWebhook(env, before, { change: { ...change, url }, actor }));
}

/** Has a webhook go on behind the last event that its receiver accepted. Throws 404. */
export async function resume(env: Env, { org, email: actor }: Member, id: string): Promise<ListedWebhook> {
  return found(await resumeWebhook(env, await requireWebhook(env, org, id), actor));
}

/** Removes a webhook. Throws 404. */
export async function remove(env: Env, { org, email: actor }: Member, id: string): Promise<void> {
  await removeWebhook(env, await requireWebhook(env, org, id), actor);
}

export type Rotation =
  | { readonly ok: true; readonly webhook: ListedWebhook; readonly secret: string }
  /** Another one came first: nothing was changed, and this is how it left the webhook. */
  | { readonly ok: false; readonly webhook: ListedWebhook };

/**
 * Gives a webhook a new secret; the one that it replaces signs beside it for a day, where it can still be opened. `seen` is
 * the end of the overlap that whoever asks was shown, empty for none: a button that is pressed twice must not end the
 * secret which the receiver knows. Throws 404, and 503 without a key to seal with.
 */
export async function rotateSecret(
  env: Env,
  { org, email: actor }: Member,
  { id, seen }: { id: string; seen?: string | null },
): Promise<Rotation> {
  const key = requireSealingKey(env);
  const before = await requireWebhook(env, org, id);
  if (seen !== undefined && seen !== (before.previous_until ?? "")) return { ok: false, webhook: before };
  const secret = newWebhookSecret();
  const opens = openWebhookSecret(keyringOf(env), { org, id }, before.secret) !== null;
  const webhook = await replaceWebhookSecret(env, before, {
    secret: sealWebhookSecret(key, { org, id }, secret),
    previous: opens ? before.secret : null,
    until: opens ? timestamp(Date.now() + OVERLAP_MS) : null,
    actor,
  });
  return webhook ? { ok: true, webhook, secret } : { ok: false, webhook: await requireWebhook(env, org, id) };
}

/** What to do about a rotation that came first. */
export const ROTATED_MEANWHILE =
  "It was rotated meanwhile, and the new secret was shown then. If nobody has it, rotate once more and give the receiver that secret without delay: the one it knows stops signing then, and what it refuses until it knows the new one is sent again.";

/** Sends a test now, whatever state the webhook is in; its place in the chain stays. Throws 404. */
export async function sendTest(env: Env, { org, email: actor }: Member, id: string): Promise<Answer> {
  const webhook = await requireWebhook(env, org, id);
  const answer = await callWithTest(env, webhook);
  const detail = { last_status: answer.status, last_problem: answer.problem };
  await noteWebhookTest(env, webhook, { actor, detail });
  return answer;
}

async function callWithTest(env: Env, webhook: Webhook): Promise<Answer> {
  const receiver = receiverOf(env, webhook);
  if (!receiver.ok) return noAnswer(receiver.why);
  const message = testMessage(webhook, { uid: `test_${newId("evt").slice(4)}_${webhook.id}`, at: timestamp() });
  return callReceiver(receiver.url, signMessage(message, receiver.secrets, Date.now()));
}

function requireUrl(env: Env, text: string): string {
  const checked = checkReceiverUrl(text, { sandbox: inSandbox(env) });
  if (checked.ok) return checked.url;
  throw invalid([{ path: "url", message: checked.why }]);
}
