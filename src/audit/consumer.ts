// The audit consumer: carries events from the queue into D1. Errors escape or are retried, so that the platform
// delivers again and, in the end, to the dead-letter queue; nothing is dropped here.
import type { Env } from "../env.ts";
import { SecurityEvent } from "../store/event.ts";
import { insertEvents } from "../store/events.ts";

const FIRST_DELAY_SECONDS = 5;
const LONGEST_DELAY_SECONDS = 3_600;

/** Stores each event once. What does not parse is retried too: a newer build may know it. */
export async function consumeEvents(batch: MessageBatch<unknown>, env: Env): Promise<void> {
  const known: { message: Message<unknown>; event: SecurityEvent }[] = [];
  for (const message of batch.messages) {
    const parsed = SecurityEvent.safeParse(message.body);
    if (parsed.success) known.push({ message, event: parsed.data });
    else {
      console.error(JSON.stringify({ message: "audit.unreadable", queue_message: message.id }));
      retry(message);
    }
  }
  if (known.length === 0) return;
  try {
    await insertEvents(
      env,
      known.map(({ event }) => event),
    );
  } catch {
    for (const { message } of known) retry(message);
    return;
  }
  for (const { message } of known) message.ack();
}

function retry(message: Message<unknown>): void {
  const delaySeconds = Math.min(FIRST_DELAY_SECONDS * 2 ** (message.attempts - 1), LONGEST_DELAY_SECONDS);
  message.retry({ delaySeconds });
}
