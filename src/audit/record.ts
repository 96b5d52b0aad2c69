// Recording a security event: the tail line at once, then D1 and the queue with the same id, so that either heals the
// other. The caller waits until one of the two has it, and never longer than a bound.
import type { Env } from "../env.ts";
import type { SecurityEvent } from "../store/event.ts";
import { enqueueEvent, insertEvents } from "../store/events.ts";
import { file } from "./repeats.ts";

/** How long a refusal waits for its record. */
const RECORD_TIMEOUT_MS = 2_000;
/** With more direct inserts under way in an isolate, D1 is behind: the queue alone takes the event then. */
const MAX_INSERTS_UNDER_WAY = 32;

const insertsUnderWay = new WeakMap<Env, number>();

/**
 * Records an event and returns it as it is on record: under an id of its own, or folded with others of its key. Resolves
 * once it is stored, or after the bound. Never throws: the refusal stands either way.
 */
export async function recordEvent(
  env: Env,
  context: Pick<ExecutionContext, "waitUntil">,
  given: SecurityEvent,
): Promise<SecurityEvent> {
  console.log(JSON.stringify({ message: given.type, ...given }));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const bound = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), RECORD_TIMEOUT_MS);
  });
  const filing = file(env, given);
  const filed = await Promise.race([filing, bound]);
  if (filed?.stored) context.waitUntil(filed.stored);
  else if (filed) await Promise.race([store(env, context, filed.event), bound]);
  // The limiter hangs: what it would have said does not matter any more.
  else context.waitUntil(filing.then(({ event, stored }) => stored ?? store(env, context, event)));
  clearTimeout(timer);
  return filed?.event ?? given;
}

/** Resolves when D1 or the queue has the event, or when neither took it: then the tail line is the record. */
async function store(env: Env, context: Pick<ExecutionContext, "waitUntil">, event: SecurityEvent): Promise<void> {
  const queued = enqueueEvent(env, event);
  const paths = [queued, isBehind(env) ? queued.catch(() => insert(env, event)) : insert(env, event)];
  context.waitUntil(Promise.allSettled(paths).then((results) => warnIfLost(event, results)));
  await Promise.any(paths).catch(() => undefined);
}

function isBehind(env: Env): boolean {
  return (insertsUnderWay.get(env) ?? 0) >= MAX_INSERTS_UNDER_WAY;
}

async function insert(env: Env, event: SecurityEvent): Promise<void> {
  insertsUnderWay.set(env, (insertsUnderWay.get(env) ?? 0) + 1);
  try {
    await insertEvents(env, [event]);
  } finally {
    insertsUnderWay.set(env, (insertsUnderWay.get(env) ?? 1) - 1);
  }
}

function warnIfLost({ id }: SecurityEvent, results: readonly PromiseSettledResult<void>[]): void {
  if (results.some(({ status }) => status === "fulfilled")) return;
  console.error(JSON.stringify({ message: "audit.not_stored", id, note: "the event is on the tail line alone" }));
}
