// Security events in D1. Inserting is idempotent by id, so that the direct path and the queue can heal each other.
import type { Env } from "../env.ts";
import { conditionsOf, idRange } from "./conditions.ts";
import { type ListedEvent, SecurityEvent } from "./event.ts";
import { LIMIT_PERIOD_SECONDS } from "./rate-limits.ts";

/** Repeats of one key are folded by it. */
export const REPEATS_WINDOW_MS = LIMIT_PERIOD_SECONDS * 1_000;

export interface EventFilter {
  org: string;
  model?: string | undefined;
  provider?: string | undefined;
  /** A failure code. */
  requirement?: string | undefined;
  project?: string | undefined;
  /** RFC 3339, inclusive. */
  from?: string | undefined;
  /** RFC 3339, exclusive. */
  to?: string | undefined;
  /** Only events with a smaller id, that is, older ones. */
  before?: string | undefined;
  limit: number;
}

/** Stores events that are not stored yet, in one batch. Throws when D1 fails. */
export async function insertEvents(env: Env, events: readonly SecurityEvent[]): Promise<void> {
  const statement = env.DB.prepare(
    `INSERT INTO security_events (id, at, org, project, type, outcome, model, providers, event, at_least)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  await env.DB.batch(
    events.map((event) =>
      statement.bind(
        event.id,
        event.at,
        event.org,
        event.project,
        event.type,
        event.outcome,
        event.model,
        JSON.stringify(event.providers),
        JSON.stringify(event),
        event.repeats?.at_least ?? null,
      ),
    ),
  );
}

/** Adds to the count of an event that folds repeats. False when it is not stored yet, or sealed. Throws when D1 fails. */
export async function countRepeats(env: Env, id: string, more: number): Promise<boolean> {
  const { meta } = await env.DB.prepare(
    `UPDATE security_events
     SET event = json_set(event, '$.repeats.at_least', (event ->> '$.repeats.at_least') + ?1), at_least = at_least + ?1
     WHERE id = ?2 AND sealed = 0`,
  )
    .bind(more, id)
    .run();
  return meta.changes > 0;
}

interface Row {
  id: string;
  at: string;
  event: string;
}

/** The events that match, newest first. */
export async function listEvents(env: Env, filter: EventFilter): Promise<ListedEvent[]> {
  const { where, values } = conditionsOf([
    ["org = ?", filter.org],
    // Of folded repeats the id has the beginning of their minute.
    ...idRange("evt", filter, REPEATS_WINDOW_MS),
    ["model = ?", filter.model],
    ["project = ?", filter.project],
    ["likely(at >= ?)", filter.from],
    ["likely(at < ?)", filter.to],
    ["EXISTS (SELECT 1 FROM json_each(providers) p WHERE p.value ->> 'id' = ?)", filter.provider],
    [
      `EXISTS (SELECT 1 FROM json_each(providers) p, json_each(p.value -> 'failures') f WHERE f.value ->> 'code' = ?)`,
      filter.requirement,
    ],
  ]);
  const { results } = await env.DB.prepare(
    `SELECT id, at, event FROM security_events WHERE ${where} ORDER BY id DESC LIMIT ?`,
  )
    .bind(...values, filter.limit)
    .all<Row>();
  return results.map(listed);
}

/** One event of an organization, or null. */
export async function findEvent(env: Env, org: string, id: string): Promise<ListedEvent | null> {
  const row = await env.DB.prepare("SELECT id, at, event FROM security_events WHERE org = ? AND id = ?")
    .bind(org, id)
    .first<Row>();
  return row && listed(row);
}

function listed({ id, at, event }: Row): ListedEvent {
  const unreadable = { id, at, unreadable: true } as const;
  try {
    return SecurityEvent.safeParse(JSON.parse(event)).data ?? unreadable;
  } catch {
    return unreadable;
  }
}

/** Sends an event on its way to the audit consumer. Throws when the queue fails. */
export async function enqueueEvent(env: Env, event: SecurityEvent): Promise<void> {
  await env.AUDIT.send(event, { contentType: "json" });
}
