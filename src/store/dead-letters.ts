// Messages of the audit queue that could not be stored, whole, until an operator replays them.
import type { Env } from "../env.ts";
import { auditStatement } from "./audit-log.ts";
import type { Condition } from "./conditions.ts";
import { timestamp } from "./secrets.ts";

export interface DeadLetter {
  /** The message's id on the queue. */
  id: string;
  /** As JSON. */
  body: string;
  received_at: string;
  replayed_at: string | null;
}

/** Keeps messages; one that is kept already stays as it is. Throws when D1 fails. */
export async function keepDeadLetters(env: Env, letters: readonly { id: string; body: string }[]): Promise<void> {
  const at = timestamp();
  await env.DB.batch(
    letters.map(({ id, body }) =>
      env.DB.prepare("INSERT INTO dead_letters (id, body, received_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING").bind(
        id,
        body,
        at,
      ),
    ),
  );
}

/** Those that were not replayed yet, oldest first, with an id after `after`; at most `limit`. */
export async function listDeadLetters(
  env: Env,
  { after = "", limit }: { after?: string | undefined; limit: number },
): Promise<DeadLetter[]> {
  const { results } = await env.DB.prepare(
    "SELECT id, body, received_at, replayed_at FROM dead_letters WHERE replayed_at IS NULL AND id > ? ORDER BY id LIMIT ?",
  )
    .bind(after, limit)
    .all<DeadLetter>();
  return results;
}

export interface WaitingLetters {
  count: number;
  /** When the first of them was given up on; null while none waits. */
  since: string | null;
}

/** Those that wait: of one organization, or of all where `org` is undefined. */
export async function waitingDeadLetters(env: Env, org?: string): Promise<WaitingLetters> {
  const where = org === undefined ? "" : " AND json_valid(body) AND body ->> 'org' = ?";
  const statement = env.DB.prepare(
    `SELECT COUNT(*) AS count, MIN(received_at) AS since FROM dead_letters WHERE replayed_at IS NULL${where}`,
  );
  const row = await (org === undefined ? statement : statement.bind(org)).first<WaitingLetters>();
  return row ?? { count: 0, since: null };
}

/** How many wait: of one organization, or of all where `org` is undefined. */
export async function countDeadLetters(env: Env, org?: string): Promise<number> {
  return (await waitingDeadLetters(env, org)).count;
}

/**
 * Sends a message to the queue once more, and marks it as replayed, with its audit row. False when there is none that waits.
 * One that is sent and cannot be marked is sent again: its event is stored once all the same.
 */
export async function replayDeadLetter(env: Env, id: string): Promise<boolean> {
  const letter = await env.DB.prepare("SELECT body FROM dead_letters WHERE id = ? AND replayed_at IS NULL")
    .bind(id)
    .first<{ body: string }>();
  if (!letter) return false;
  await env.AUDIT.send(JSON.parse(letter.body), { contentType: "json" });
  const waits: Condition = {
    sql: "EXISTS (SELECT 1 FROM dead_letters WHERE id = ? AND replayed_at IS NULL)",
    values: [id],
  };
  const entry = { org: null, actor: "operator", action: "dead_letter.replay", target: id, detail: {} } as const;
  const [, marked] = await env.DB.batch([
    auditStatement(env, entry, waits),
    env.DB.prepare("UPDATE dead_letters SET replayed_at = ? WHERE id = ? AND replayed_at IS NULL").bind(
      timestamp(),
      id,
    ),
  ]);
  return (marked?.meta.changes ?? 0) > 0;
}
