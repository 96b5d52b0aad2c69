// Recording a security event: the tail line at once, then D1 and the queue with the same id, so that either heals the
// other. The caller waits until one of the two has it, and never longer than a bound.
import type { Env } from "../env.ts";
import type { SecurityEvent } from "../store/event.ts";
import { enqueueEvent, insertEvents } from "../store/events.ts";
import { inTime } from "../store/in-time.ts";
import { file } from "./repeats.ts";
import { UnderWay } from "./under-way.ts";

/** How long a refusal waits for its record. */
const RECORD_TIMEOUT_MS = 2_000;
/** A queue that takes longer has D1 asked after all: while the refusal still waits. */
const QUEUE_PATIENCE_MS = 1_000;
/** After how long an event is offered again that neither took, behind the answer. */
const OFFERED_AGAIN_AFTER_MS = [250, 1_000, 4_000];

interface Recording {
  /** With more direct inserts at once D1 is behind: the queue alone takes an event then. */
  readonly inserts: UnderWay;
  /** In an outage more events that wait to be offered again would only fill the memory. */
  readonly offeredAgain: UnderWay;
}
const recordings = new WeakMap<Env, Recording>();

function recordingOf(env: Env): Recording {
  const known = recordings.get(env) ?? { inserts: new UnderWay(32), offeredAgain: new UnderWay(200) };
  recordings.set(env, known);
  return known;
}

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
  const bound = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), RECORD_TIMEOUT_MS);
  });
  const recording = record(env, given);
  // At once: a client that leaves now ends what its request waits for, and no more.
  context.waitUntil(recording.then(({ done }) => done));
  const { event, taken } = await recording;
  if ((await Promise.race([taken, bound])) === "late") warn(event, "neither D1 nor the queue has answered: until then");
  clearTimeout(timer);
  return event;
}

interface Recorded {
  readonly event: SecurityEvent;
  /** Resolves when D1 or the queue has it, or when neither took it. */
  readonly taken: Promise<void>;
  /** Resolves when there is nothing left to do for it: what neither took is offered again. */
  readonly done: Promise<unknown>;
}

async function record(env: Env, given: SecurityEvent): Promise<Recorded> {
  const { event, stored } = await file(env, given);
  if (stored) return { event, taken: Promise.resolve(), done: stored };
  const paths = offer(env, event);
  const taken = Promise.any(paths);
  const again = inTime(taken, RECORD_TIMEOUT_MS, "neither answered").catch(() => offerAgain(env, event));
  return { event, taken: taken.catch(() => undefined), done: Promise.allSettled([...paths, again]) };
}

/** Offers the event to the queue and to D1; its id is the same, so that it is on record once whoever takes it. */
function offer(env: Env, event: SecurityEvent): Promise<void>[] {
  const { inserts } = recordingOf(env);
  const queued = enqueueEvent(env, event);
  const insert = () => inserts.during(() => insertEvents(env, [event]));
  const insertLate = () => inTime(queued, QUEUE_PATIENCE_MS, "the queue did not answer").catch(insert);
  return [queued, inserts.isFull() ? insertLate() : insert()];
}

/** Until one takes it; where none does, its line on the tail is the record. */
async function offerAgain(env: Env, event: SecurityEvent): Promise<void> {
  const { offeredAgain } = recordingOf(env);
  const isTaken = !offeredAgain.isFull() && (await offeredAgain.during(() => isTakenLater(env, event)));
  if (!isTaken) warn(event, "D1 and the queue did not take it:");
}

async function isTakenLater(env: Env, event: SecurityEvent): Promise<boolean> {
  for (const after of OFFERED_AGAIN_AFTER_MS) {
    await scheduler.wait(after);
    const taken = Promise.any(offer(env, event)).then(() => true);
    if (await inTime(taken, RECORD_TIMEOUT_MS, "neither answered").catch(() => false)) return true;
  }
  return false;
}

function warn({ id }: SecurityEvent, why: string): void {
  console.error(
    JSON.stringify({ message: "audit.not_stored", id, note: `${why} the event is on the tail line alone` }),
  );
}
