// Who sends for a webhook: one run at a time, by a lease in D1, so that events keep their order. A lease ends by itself;
// what its holder had sent and not noted is then sent once more.
import type { Env } from "../env.ts";
import type { Condition } from "./conditions.ts";
import { timestamp } from "./secrets.ts";
import { actStatement, WEBHOOK_COLUMNS, type Webhook } from "./webhooks.ts";

/** A webhook in the hands of one run. */
export interface Leased {
  readonly webhook: Webhook;
  readonly lease: string;
  /** Epoch milliseconds; afterwards somebody else may be sending. */
  readonly until: number;
}

/** Nobody stopped it, nobody is sending for it, and its time has come. */
const IS_FREE =
  "enabled = 1 AND paused_at IS NULL AND next_attempt_at <= ?1 AND (lease_until IS NULL OR lease_until <= ?1)";

export interface Due {
  readonly id: string;
  /** Whether its last attempt failed. */
  readonly failing: boolean;
}

/** Webhooks that have something to send now, the longest untried first: of some organizations, or of all. */
export async function dueWebhooks(
  env: Env,
  { orgs, limit }: { orgs: readonly string[] | null; limit: number },
): Promise<Due[]> {
  const { results } = await env.DB.prepare(
    `SELECT id, failing_since FROM webhooks w WHERE ${IS_FREE}
     AND (?2 IS NULL OR org IN (SELECT value FROM json_each(?2)))
     AND (EXISTS (SELECT 1 FROM event_seals s WHERE s.chain = w.org AND s.seq > w.delivered_seq)
       OR EXISTS (SELECT 1 FROM chain_heads h WHERE h.chain = w.org AND h.seq > w.head_seq AND h.seq <= w.delivered_seq))
     ORDER BY last_attempt_at LIMIT ?3`,
  )
    .bind(timestamp(), orgs && JSON.stringify(orgs), limit)
    .all<{ id: string; failing_since: string | null }>();
  return results.map(({ id, failing_since }) => ({ id, failing: failing_since !== null }));
}

/** Takes a webhook for `milliseconds`; null when somebody else has it, or it is no longer due. */
export async function takeLease(env: Env, id: string, milliseconds: number): Promise<Leased | null> {
  const now = Date.now();
  const until = now + milliseconds;
  const lease = crypto.randomUUID();
  const webhook = await env.DB.prepare(
    `UPDATE webhooks SET lease = ?3, lease_until = ?4 WHERE id = ?2 AND ${IS_FREE} RETURNING ${WEBHOOK_COLUMNS}`,
  )
    .bind(timestamp(now), id, lease, timestamp(until))
    .first<Webhook>();
  return webhook && { webhook, lease, until };
}

/** What a run leaves behind of a webhook. */
export type Progress = Pick<
  Webhook,
  | "delivered_seq"
  | "head_seq"
  | "next_attempt_at"
  | "failing_since"
  | "failures"
  | "paused_at"
  | "last_attempt_at"
  | "last_status"
  | "last_problem"
>;

/**
 * Notes how far a run has come, and that it gave up, and gives the lease back. False when it was no longer ours, or somebody
 * has set another address, which is to get all of it, or started the webhook anew: then nothing is noted, and the lease
 * ends by itself.
 */
export async function returnLease(env: Env, { webhook, lease }: Leased, progress: Progress): Promise<boolean> {
  const { org, id, url } = webhook;
  const { delivered_seq, head_seq, next_attempt_at, failing_since, failures, paused_at } = progress;
  const { last_attempt_at, last_status, last_problem } = progress;
  const isOurs: Condition = {
    sql: "id = ? AND lease = ? AND url = ? AND failing_since IS ?",
    values: [id, lease, url, webhook.failing_since],
  };
  const gaveUp = { actor: "system", action: "webhook.pause", detail: { last_status, last_problem } } as const;
  const noted = env.DB.prepare(
    `UPDATE webhooks SET delivered_seq = ?, head_seq = ?, next_attempt_at = ?, failing_since = ?, failures = ?, paused_at = ?,
       last_attempt_at = ?, last_status = ?, last_problem = ?, lease = NULL, lease_until = NULL
     WHERE ${isOurs.sql}`,
  ).bind(
    ...[delivered_seq, head_seq, next_attempt_at, failing_since, failures, paused_at],
    ...[last_attempt_at, last_status, last_problem, ...isOurs.values],
  );
  const results = await env.DB.batch(
    paused_at === null ? [noted] : [actStatement(env, { org, target: id, ...gaveUp }, isOurs), noted],
  );
  return (results.at(-1)?.meta.changes ?? 0) > 0;
}
