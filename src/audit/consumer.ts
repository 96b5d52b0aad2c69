// The audit consumer: carries events from the queue into D1, seals them, and has them sent to webhooks afterwards. Each
// message is acknowledged or retried by itself; nothing is dropped here. What keeps failing reaches the dead-letter queue,
// and is kept whole.
import type { Env } from "../env.ts";
import { keepDeadLetters } from "../store/dead-letters.ts";
import { SecurityEvent } from "../store/event.ts";
import { insertEvents } from "../store/events.ts";
import { deliverWebhooks } from "./deliver.ts";
import { sealEvents } from "./seal.ts";

const FIRST_DELAY_SECONDS = 5;
const LONGEST_DELAY_SECONDS = 3_600;
/** After so many failures in a row it is D1 that fails, and not a message. */
const MAX_FAILURES_IN_A_ROW = 3;

interface Known {
  readonly message: Message<unknown>;
  readonly event: SecurityEvent;
}

/** Takes a batch of either queue of the audit trail. */
export async function consumeBatch(
  batch: MessageBatch<unknown>,
  env: Env,
  context: Pick<ExecutionContext, "waitUntil">,
): Promise<void> {
  if (batch.queue.endsWith("-dead")) return keepDead(batch, env);
  const orgs = await consumeEvents(batch, env);
  // With queue_consumer_no_wait_for_wait_until the batch does not wait for it. What fails is tried by cron.
  if (orgs.length > 0) context.waitUntil(deliverWebhooks(env, { orgs }).catch(() => undefined));
}

/**
 * Stores each event once, and seals it; returns the organizations that have new ones. What does not parse is retried too:
 * a newer build may know it.
 */
export async function consumeEvents(batch: MessageBatch<unknown>, env: Env): Promise<string[]> {
  const known: Known[] = [];
  for (const message of batch.messages) {
    const parsed = SecurityEvent.safeParse(message.body);
    if (parsed.success) known.push({ message, event: parsed.data });
    else {
      console.error(JSON.stringify({ message: "audit.unreadable", queue_message: message.id }));
      retry(message);
    }
  }
  const stored = await store(known, env);
  for (const { message } of known)
    if (stored.has(message)) message.ack();
    else retry(message);
  const orgs = new Set(known.filter(({ message }) => stored.has(message)).map(({ event }) => event.org));
  await seal(orgs, env);
  return [...orgs].filter((org) => org !== null);
}

/** The messages whose events are in D1 now: in one batch, or one by one where that fails for a single one's sake. */
async function store(known: readonly Known[], env: Env): Promise<ReadonlySet<Message<unknown>>> {
  const stored = new Set<Message<unknown>>();
  if (known.length === 0) return stored;
  const insert = async (some: readonly Known[]) => {
    await insertEvents(
      env,
      some.map(({ event }) => event),
    );
    for (const { message } of some) stored.add(message);
  };
  try {
    await insert(known);
  } catch {
    let failures = 0;
    for (const each of known) {
      if (failures >= MAX_FAILURES_IN_A_ROW) break;
      failures = await insert([each]).then(
        () => 0,
        () => failures + 1,
      );
    }
  }
  return stored;
}

/** What cannot be sealed now is stored all the same; cron seals it. */
async function seal(orgs: ReadonlySet<string | null>, env: Env): Promise<void> {
  for (const org of orgs)
    await sealEvents(env, org).catch(() => console.error(JSON.stringify({ message: "audit.not_sealed", org })));
}

/** Keeps what the queue gave up on. Errors escape, so that the platform delivers again. */
async function keepDead(batch: MessageBatch<unknown>, env: Env): Promise<void> {
  await keepDeadLetters(
    env,
    batch.messages.map(({ id, body }) => ({ id, body: JSON.stringify(body) ?? "null" })),
  );
  console.error(JSON.stringify({ message: "audit.dead_letters", count: batch.messages.length }));
  batch.ackAll();
}

function retry(message: Message<unknown>): void {
  const delaySeconds = Math.min(FIRST_DELAY_SECONDS * 2 ** (message.attempts - 1), LONGEST_DELAY_SECONDS);
  message.retry({ delaySeconds });
}
