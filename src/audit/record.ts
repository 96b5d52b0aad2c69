// Recording a security event: the tail line at once, then D1 and the queue with the same id, so that either heals the
// other. The caller waits until one of the two has it, and never longer than a bound.
import type { Env } from "../env.ts";
import type { SecurityEvent } from "../store/event.ts";
import { enqueueEvent, insertEvents } from "../store/events.ts";

/** How long a refusal waits for its record. */
const RECORD_TIMEOUT_MS = 2_000;

/** Records an event; resolves once it is stored, or after the bound. Never throws: the refusal stands either way. */
export async function recordEvent(
  env: Env,
  context: Pick<ExecutionContext, "waitUntil">,
  event: SecurityEvent,
): Promise<void> {
  console.log(JSON.stringify({ message: event.type, ...event }));
  const paths = [insertEvents(env, [event]), enqueueEvent(env, event)];
  context.waitUntil(Promise.allSettled(paths).then((results) => warnIfLost(event, results)));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, RECORD_TIMEOUT_MS);
  });
  // Neither path took it: the line above is then the record, and `warnIfLost` says so.
  await Promise.race([Promise.any(paths).catch(() => undefined), bound]);
  clearTimeout(timer);
}

function warnIfLost({ id }: SecurityEvent, results: readonly PromiseSettledResult<void>[]): void {
  if (results.some(({ status }) => status === "fulfilled")) return;
  console.error(JSON.stringify({ message: "audit.not_stored", id, note: "the event is on the tail line alone" }));
}
