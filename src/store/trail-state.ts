// Where the paper trail stands, for the health line: what is sealed, what waits and where, and how full the database is.
import * as z from "zod";
import type { Env } from "../env.ts";
import { chainOf } from "./chain.ts";

export interface LastSealed {
  seq: number;
  /** When the event happened; null where its row is gone. */
  at: string | null;
  /** The newest signed head's place; 0 without one. */
  signed: number;
}

/** The last link of a chain, or null while it has none. */
export async function lastSealed(env: Env, org: string): Promise<LastSealed | null> {
  return env.DB.prepare(
    `SELECT s.seq, e.at, COALESCE((SELECT MAX(seq) FROM chain_heads WHERE chain = ?1), 0) AS signed
     FROM event_seals s LEFT JOIN security_events e ON e.id = s.event WHERE s.chain = ?1 ORDER BY s.seq DESC LIMIT 1`,
  )
    .bind(chainOf(org))
    .first<LastSealed>();
}

/** When the oldest event that waits for its seal happened, or null while none waits. */
export async function oldestUnsealed(env: Env, org: string): Promise<string | null> {
  const row = await env.DB.prepare("SELECT at FROM security_events WHERE org = ? AND sealed = 0 ORDER BY id LIMIT 1")
    .bind(org)
    .first<{ at: string }>();
  return row?.at ?? null;
}

/** When the event behind a chain's first link happened, or null while it has none. */
export async function oldestSealed(env: Env, org: string): Promise<string | null> {
  const row = await env.DB.prepare(
    `SELECT e.at FROM event_seals s LEFT JOIN security_events e ON e.id = s.event
     WHERE s.chain = ? ORDER BY s.seq LIMIT 1`,
  )
    .bind(chainOf(org))
    .first<{ at: string | null }>();
  return row?.at ?? null;
}

/** What the audit queue of this installation holds, by the platform's own count. */
const Backlog = z.object({
  backlogCount: z.number().int().nonnegative(),
  oldestMessageTimestamp: z.date().optional(),
});
export type Backlog = z.infer<typeof Backlog>;

/** Throws when the queue does not say. */
export async function queueBacklog(env: Env): Promise<Backlog> {
  return Backlog.parse(await env.AUDIT.metrics());
}

/** The size of the database in bytes, as D1 reports it with every answer. Throws when it does not. */
export async function databaseBytes(env: Env): Promise<number> {
  const { meta } = await env.DB.prepare("SELECT 1").all();
  return z.number().positive().parse(meta.size_after);
}
