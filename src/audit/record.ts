// Recording a security event: the tail line at once, then D1 and the queue with the same id, so that either heals the
// other. The caller waits until one of the two has it, and never longer than a bound.
import type { Env } from "../env.ts";
import type { SecurityEvent } from "../store/event.ts";
import { enqueueEvent, insertEvents } from "../store/events.ts";
import { inTime } from "../store/in-time.ts";
import { file } from "./repeats.ts";

/** How long a refusal waits for its record. */
const RECORD_TIMEOUT_MS = 2_000;
/** With more direct inserts under way in an isolate, D1 is behind: the queue alone takes the event then. */
const MAX_INSERTS_UNDER_WAY = 32;
/** An insert that takes longer was lost with its request, and says nothing of D1 any more. */
const INSERT_LOST_AFTER_MS = 30_000;
/** A queue that takes longer has D1 asked after all: while the refusal still waits. */
const QUEUE_PATIENCE_MS = 1_000;

/** When those began, epoch milliseconds. */
const insertsUnderWay = new WeakMap<Env, Set<{ readonly since: number }>>();

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
  else if (filed) {
    const stored = await Promise.race([store(env, context, filed.event), bound]);
    if (stored === null) warn(filed.event, "neither D1 nor the queue has answered: until then");
  }
  // The limiter hangs: what it would have said does not matter any more.
  else context.waitUntil(filing.then(({ event, stored }) => stored ?? store(env, context, event)));
  clearTimeout(timer);
  return filed?.event ?? given;
}

/** Resolves when D1 or the queue has the event, or when neither took it: then the tail line is the record. */
async function store(env: Env, context: Pick<ExecutionContext, "waitUntil">, event: SecurityEvent): Promise<void> {
  const queued = enqueueEvent(env, event);
  const insertLate = () =>
    inTime(queued, QUEUE_PATIENCE_MS, "the queue did not answer").catch(() => insert(env, event));
  const paths = [queued, isBehind(env) ? insertLate() : insert(env, event)];
  context.waitUntil(
    Promise.allSettled(paths).then((results) => {
      if (results.every(({ status }) => status === "rejected")) warn(event, "D1 and the queue refused it:");
    }),
  );
  await Promise.any(paths).catch(() => undefined);
}

function isBehind(env: Env): boolean {
  const inserts = insertsUnderWay.get(env);
  if (!inserts || inserts.size < MAX_INSERTS_UNDER_WAY) return false;
  const now = Date.now();
  for (const each of inserts) if (Math.abs(now - each.since) > INSERT_LOST_AFTER_MS) inserts.delete(each);
  return inserts.size >= MAX_INSERTS_UNDER_WAY;
}

async function insert(env: Env, event: SecurityEvent): Promise<void> {
  const inserts = insertsUnderWay.get(env) ?? new Set();
  insertsUnderWay.set(env, inserts);
  const begun = { since: Date.now() };
  inserts.add(begun);
  try {
    await insertEvents(env, [event]);
  } finally {
    inserts.delete(begun);
  }
}

function warn({ id }: SecurityEvent, why: string): void {
  console.error(
    JSON.stringify({ message: "audit.not_stored", id, note: `${why} the event is on the tail line alone` }),
  );
}
