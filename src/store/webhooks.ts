// Webhooks in D1: what an organization's people see and change of them. How events are sent is in webhook-lease.ts.
import type { Env } from "../env.ts";
import { auditStatement } from "./audit-log.ts";
import { chainTip } from "./chain.ts";
import { timestamp } from "./secrets.ts";
import type { WebhookFormat } from "./webhook-message.ts";

/** A webhook as it is stored, without who is sending for it at the moment. */
export interface Webhook {
  readonly id: string;
  readonly org: string;
  readonly url: string;
  readonly format: WebhookFormat;
  readonly enabled: 0 | 1;
  readonly paused_at: string | null;
  /** Sealed, like the one before it. */
  readonly secret: string;
  readonly previous_secret: string | null;
  readonly previous_until: string | null;
  readonly delivered_seq: number;
  readonly head_seq: number;
  readonly next_attempt_at: string;
  readonly failing_since: string | null;
  readonly failures: number;
  readonly last_attempt_at: string | null;
  readonly last_status: number | null;
  readonly last_problem: string | null;
  readonly created_at: string;
  readonly created_by: string;
}

/** With how many sealed events wait for it. */
export type ListedWebhook = Webhook & { readonly waiting: number };

export const WEBHOOK_COLUMNS = `id, org, url, format, enabled, paused_at, secret, previous_secret, previous_until, delivered_seq,
  head_seq, next_attempt_at, failing_since, failures, last_attempt_at, last_status, last_problem, created_at, created_by`;

const WAITING = `MAX(0, COALESCE((SELECT MAX(s.seq) FROM event_seals s WHERE s.chain = webhooks.org), 0) - delivered_seq)`;

/** An organization's webhooks, oldest first. */
export async function listWebhooks(env: Env, org: string): Promise<ListedWebhook[]> {
  const { results } = await env.DB.prepare(
    `SELECT ${WEBHOOK_COLUMNS}, ${WAITING} AS waiting FROM webhooks WHERE org = ? ORDER BY id`,
  )
    .bind(org)
    .all<ListedWebhook>();
  return results;
}

/** One of them, or null. */
export async function findWebhook(env: Env, org: string, id: string): Promise<ListedWebhook | null> {
  return env.DB.prepare(`SELECT ${WEBHOOK_COLUMNS}, ${WAITING} AS waiting FROM webhooks WHERE org = ? AND id = ?`)
    .bind(org, id)
    .first<ListedWebhook>();
}

/** Adds a webhook that begins behind today's end of the chain. False, with nothing added, when there are `most` already. */
export async function addWebhook(
  env: Env,
  { id, org, url, format, secret }: Pick<Webhook, "id" | "org" | "url" | "format" | "secret">,
  { enabled, most, actor }: { enabled: boolean; most: number; actor: string },
): Promise<boolean> {
  const tip = await chainTip(env, org);
  const { meta } = await env.DB.prepare(
    `INSERT INTO webhooks (id, org, url, format, enabled, secret, delivered_seq, next_attempt_at, created_at, created_by)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9 WHERE (SELECT COUNT(*) FROM webhooks WHERE org = ?2) < ?10`,
  )
    .bind(id, org, url, format, enabled ? 1 : 0, secret, tip?.seq ?? 0, timestamp(), actor, most)
    .run();
  if (meta.changes === 0) return false;
  await audit(
    env,
    { id, org },
    { action: "webhook.create", actor, detail: { host: hostOf({ url }), format, enabled } },
  ).run();
  return true;
}

/** What people may change of a webhook. */
export interface WebhookChange {
  readonly url?: string | undefined;
  readonly format?: WebhookFormat | undefined;
  readonly enabled?: boolean | undefined;
}

/** Changes what is given; a failing one is tried at once then. */
export async function changeWebhook(
  env: Env,
  before: Webhook,
  { change, actor }: { change: WebhookChange; actor: string },
): Promise<void> {
  const { url = before.url, format = before.format, enabled = before.enabled === 1 } = change;
  const detail = {
    host: hostOf({ url }),
    format,
    enabled,
    was: { host: hostOf(before), format: before.format, enabled: before.enabled === 1 },
  };
  await env.DB.batch([
    env.DB.prepare(
      "UPDATE webhooks SET url = ?, format = ?, enabled = ?, next_attempt_at = ? WHERE org = ? AND id = ?",
    ).bind(url, format, enabled ? 1 : 0, timestamp(), before.org, before.id),
    audit(env, before, { action: "webhook.change", actor, detail }),
  ]);
}

/** Has a webhook go on where it stopped, whoever or whatever stopped it. */
export async function resumeWebhook(env: Env, webhook: ListedWebhook, actor: string): Promise<void> {
  const { org, id, waiting } = webhook;
  await env.DB.batch([
    env.DB.prepare(
      `UPDATE webhooks SET enabled = 1, paused_at = NULL, failing_since = NULL, failures = 0, next_attempt_at = ?
       WHERE org = ? AND id = ?`,
    ).bind(timestamp(), org, id),
    audit(env, webhook, { action: "webhook.resume", actor, detail: { waiting } }),
  ]);
}

/** Puts a new secret in place, sealed; `previous` signs beside it until then, where it can still be opened. */
export async function replaceWebhookSecret(
  env: Env,
  webhook: Webhook,
  { secret, previous, until, actor }: { secret: string; previous: string | null; until: string | null; actor: string },
): Promise<void> {
  await env.DB.batch([
    env.DB.prepare(
      "UPDATE webhooks SET secret = ?, previous_secret = ?, previous_until = ? WHERE org = ? AND id = ?",
    ).bind(secret, previous, until, webhook.org, webhook.id),
    audit(env, webhook, { action: "webhook.rotate_secret", actor, detail: { previous_until: until } }),
  ]);
}

/** Removes a webhook, with its place in the chain. */
export async function removeWebhook(env: Env, webhook: Webhook, actor: string): Promise<void> {
  const { org, id, delivered_seq } = webhook;
  await env.DB.batch([
    env.DB.prepare("DELETE FROM webhooks WHERE org = ? AND id = ?").bind(org, id),
    audit(env, webhook, { action: "webhook.remove", actor, detail: { host: hostOf(webhook), delivered_seq } }),
  ]);
}

/** Records an act that changes nothing of the webhook itself. */
export async function noteWebhookAct(
  env: Env,
  webhook: Pick<Webhook, "org" | "id">,
  act: { action: "webhook.test" | "webhook.pause"; actor: string; detail: Record<string, unknown> },
): Promise<void> {
  await audit(env, webhook, act).run();
}

function audit(
  env: Env,
  { org, id }: Pick<Webhook, "org" | "id">,
  act: { action: string; actor: string; detail: Record<string, unknown> },
): D1PreparedStatement {
  return auditStatement(env, { org, target: id, ...act });
}

/** The host of an address: all that the audit log keeps of it, since the path is often what a receiver lets senders in by. */
export function hostOf({ url }: Pick<Webhook, "url">): string {
  return URL.parse(url)?.host ?? "";
}
