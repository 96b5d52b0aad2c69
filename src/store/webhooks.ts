// Webhooks in D1: what an organization's people see and change of them. How events are sent is in webhook-lease.ts.
import type { Env } from "../env.ts";
import { type AuditEntry, auditStatement } from "./audit-log.ts";
import { chainTip } from "./chain.ts";
import type { Condition } from "./conditions.ts";
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

const LISTED = `${WEBHOOK_COLUMNS}, ${WAITING} AS waiting`;

/** An organization's webhooks, oldest first. */
export async function listWebhooks(env: Env, org: string): Promise<ListedWebhook[]> {
  const { results } = await env.DB.prepare(`SELECT ${LISTED} FROM webhooks WHERE org = ? ORDER BY id`)
    .bind(org)
    .all<ListedWebhook>();
  return results;
}

/** One of them, or null. */
export async function findWebhook(env: Env, org: string, id: string): Promise<ListedWebhook | null> {
  return env.DB.prepare(`SELECT ${LISTED} FROM webhooks WHERE org = ? AND id = ?`).bind(org, id).first<ListedWebhook>();
}

/** Adds a webhook that begins behind today's end of the chain. Null, with nothing added, when there are `most` already. */
export async function addWebhook(
  env: Env,
  { id, org, url, format, secret }: Pick<Webhook, "id" | "org" | "url" | "format" | "secret">,
  { enabled, most, actor }: { enabled: boolean; most: number; actor: string },
): Promise<ListedWebhook | null> {
  const tip = await chainTip(env, org);
  const now = timestamp();
  const detail = { host: hostOf({ url }), format, enabled };
  const hasRoom: Condition = { sql: "(SELECT COUNT(*) FROM webhooks WHERE org = ?) < ?", values: [org, most] };
  const [, added] = await env.DB.batch<ListedWebhook>([
    auditStatement(env, { org, target: id, actor, action: "webhook.create", detail }, hasRoom),
    env.DB.prepare(
      `INSERT INTO webhooks (id, org, url, format, enabled, secret, delivered_seq, next_attempt_at, created_at, created_by)
       SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE ${hasRoom.sql} RETURNING ${LISTED}`,
    ).bind(id, org, url, format, Number(enabled), secret, tip?.seq ?? 0, now, now, actor, ...hasRoom.values),
  ]);
  return added?.results[0] ?? null;
}

/** What people may change of a webhook. */
export interface WebhookChange {
  readonly url?: string | undefined;
  readonly format?: WebhookFormat | undefined;
  readonly enabled?: boolean | undefined;
}

/**
 * Changes what is given, and leaves the rest as it is by then. A failing webhook is tried at once; at another address, or
 * started anew, it has not failed yet. Null where there is no such webhook any more.
 */
export async function changeWebhook(
  env: Env,
  before: Webhook,
  { change, actor }: { change: WebhookChange; actor: string },
): Promise<ListedWebhook | null> {
  const { url = null, format = null, enabled = null } = change;
  const was = { host: hostOf(before), format: before.format, enabled: before.enabled === 1 };
  const now = { host: url === null ? was.host : hostOf({ url }), format: format ?? was.format };
  // Of the rest of an address the log keeps no more than that it is another.
  const path = url !== null && url !== before.url && now.host === was.host && { path: "another" };
  const detail = { ...now, enabled: enabled ?? was.enabled, ...path, was };
  const stays = "COALESCE(?1, url) = url AND COALESCE(?3, enabled) = enabled";
  return changeAndRecord(env, before, {
    change: `UPDATE webhooks SET url = COALESCE(?1, url), format = COALESCE(?2, format), enabled = COALESCE(?3, enabled),
      next_attempt_at = ?4, failing_since = CASE WHEN ${stays} THEN failing_since END,
      failures = CASE WHEN ${stays} THEN failures ELSE 0 END`,
    values: [url, format, enabled === null ? null : Number(enabled), timestamp()],
    act: { actor, action: "webhook.change", detail },
  });
}

/** Has a webhook go on where it stopped, whoever or whatever stopped it. Null where there is no such webhook any more. */
export async function resumeWebhook(env: Env, webhook: ListedWebhook, actor: string): Promise<ListedWebhook | null> {
  return changeAndRecord(env, webhook, {
    change:
      "UPDATE webhooks SET enabled = 1, paused_at = NULL, failing_since = NULL, failures = 0, next_attempt_at = ?",
    values: [timestamp()],
    act: { actor, action: "webhook.resume", detail: { waiting: webhook.waiting } },
  });
}

/**
 * Puts a new secret in place, sealed; `previous` signs beside it until then, where it can still be opened. Null, with
 * nothing changed, when `webhook` has another secret by now.
 */
export async function replaceWebhookSecret(
  env: Env,
  webhook: Webhook,
  { secret, previous, until, actor }: { secret: string; previous: string | null; until: string | null; actor: string },
): Promise<ListedWebhook | null> {
  return changeAndRecord(env, webhook, {
    change: "UPDATE webhooks SET secret = ?, previous_secret = ?, previous_until = ?",
    values: [secret, previous, until],
    act: { actor, action: "webhook.rotate_secret", detail: { previous_until: until } },
    where: { sql: "org = ? AND id = ? AND secret = ?", values: [webhook.org, webhook.id, webhook.secret] },
  });
}

/** Removes a webhook, with its place in the chain. */
export async function removeWebhook(env: Env, webhook: Webhook, actor: string): Promise<void> {
  const { delivered_seq } = webhook;
  await changeAndRecord(env, webhook, {
    change: "DELETE FROM webhooks",
    values: [],
    act: { actor, action: "webhook.remove", detail: { host: hostOf(webhook), delivered_seq } },
  });
}

/** Records that a webhook was tried out, which changes nothing of it. */
export async function noteWebhookTest(
  env: Env,
  webhook: Webhook,
  { actor, detail }: { actor: string; detail: AuditEntry["detail"] },
): Promise<void> {
  const { org, id } = webhook;
  await auditStatement(env, { org, target: id, actor, action: "webhook.test", detail }).run();
}

/** Changes the webhook for which `where` holds and records it: both or, where it does not hold, neither. What it is then. */
async function changeAndRecord(
  env: Env,
  { org, id }: Webhook,
  {
    change,
    values,
    act,
    where = { sql: "org = ? AND id = ?", values: [org, id] },
  }: {
    change: string;
    values: readonly (string | number | null)[];
    act: Omit<AuditEntry, "org" | "target">;
    where?: Condition;
  },
): Promise<ListedWebhook | null> {
  const [, made] = await env.DB.batch<ListedWebhook>([
    actStatement(env, { org, target: id, ...act }, where),
    env.DB.prepare(`${change} WHERE ${where.sql} RETURNING ${LISTED}`).bind(...values, ...where.values),
  ]);
  return made?.results[0] ?? null;
}

/** The statement that records an act, where there is a webhook for which `where` holds. */
export function actStatement(env: Env, act: AuditEntry, where: Condition): D1PreparedStatement {
  return auditStatement(env, act, { ...where, sql: `EXISTS (SELECT 1 FROM webhooks WHERE ${where.sql})` });
}

/** The host of an address: all that the audit log keeps of it, since the path is often what a receiver lets senders in by. */
export function hostOf({ url }: Pick<Webhook, "url">): string {
  return URL.parse(url)?.host ?? "";
}
