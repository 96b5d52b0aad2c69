// The use cases of webhooks: set up, change, resume, rotate the secret, try out, remove. A secret is given out once.
import type { Env } from "../env.ts";
import type { Member } from "../store/members.ts";
import { type Answer, callReceiver } from "../store/receiver.ts";
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
  noteWebhookAct,
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
  const webhook = await findWebhook(env, org, id);
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
  const webhook = { id, org, url: address, format, secret: sealed };
  if (!(await addWebhook(env, webhook, { enabled, most: MAX_WEBHOOKS, actor })))
    throw new Problem({
      status: 409,
      code: "conflict",
      title: "There are too many webhooks",
      detail: `An organization has at most ${MAX_WEBHOOKS}. Remove one that is not needed any more.`,
    });
  return { webhook: await requireWebhook(env, org, id), secret };
}

/** Changes a webhook. Throws 404, and 400 for an address that may not be called. */
export async function editWebhook(
  env: Env,
  { org, email: actor }: Member,
  { id, change }: { id: string; change: WebhookChange },
): Promise<ListedWebhook> {
  const before = await requireWebhook(env, org, id);
  const url = change.url === undefined ? undefined : requireUrl(env, change.url);
  await changeWebhook(env, before, { change: { ...change, url }, actor });
  return requireWebhook(env, org, id);
}

/** Has a webhook go on behind the last event that its receiver accepted. Throws 404. */
export async function resume(env: Env, { org, email: actor }: Member, id: string): Promise<ListedWebhook> {
  await resumeWebhook(env, await requireWebhook(env, org, id), actor);
  return requireWebhook(env, org, id);
}

/** Removes a webhook. Throws 404. */
export async function remove(env: Env, { org, email: actor }: Member, id: string): Promise<void> {
  await removeWebhook(env, await requireWebhook(env, org, id), actor);
}

/**
 * Gives a webhook a new secret; the one that it replaces signs beside it for a day, where it can still be opened. Throws
 * 404, and 503 without a key to seal with.
 */
export async function rotateSecret(
  env: Env,
  { org, email: actor }: Member,
  id: string,
): Promise<{ webhook: ListedWebhook; secret: string }> {
  const key = requireSealingKey(env);
  const before = await requireWebhook(env, org, id);
  const secret = newWebhookSecret();
  const opens = openWebhookSecret(keyringOf(env), { org, id }, before.secret) !== null;
  await replaceWebhookSecret(env, before, {
    secret: sealWebhookSecret(key, { org, id }, secret),
    previous: opens ? before.secret : null,
    until: opens ? timestamp(Date.now() + OVERLAP_MS) : null,
    actor,
  });
  return { webhook: await requireWebhook(env, org, id), secret };
}

/** Sends a test now, whatever state the webhook is in; its place in the chain stays. Throws 404. */
export async function sendTest(env: Env, { org, email: actor }: Member, id: string): Promise<Answer> {
  const webhook = await requireWebhook(env, org, id);
  const answer = await callWithTest(env, webhook);
  const detail = { last_status: answer.status, last_problem: answer.problem };
  await noteWebhookAct(env, webhook, { action: "webhook.test", actor, detail });
  return answer;
}

async function callWithTest(env: Env, webhook: Webhook): Promise<Answer> {
  const receiver = receiverOf(env, webhook);
  if (!receiver.ok) return { status: null, problem: receiver.why };
  const message = testMessage(webhook, { uid: `test_${newId("evt").slice(4)}_${webhook.id}`, at: timestamp() });
  return callReceiver(receiver.url, signMessage(message, receiver.secrets, Date.now()));
}

function requireUrl(env: Env, text: string): string {
  const checked = checkReceiverUrl(text, { sandbox: inSandbox(env) });
  if (checked.ok) return checked.url;
  throw invalid([{ path: "url", message: checked.why }]);
}
