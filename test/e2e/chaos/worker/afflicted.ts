// The bindings as they are while something is broken: the real ones, with faults in between, as the plan of the moment
// has them.
import type { Env } from "../../../../src/env.ts";
import { randomOf } from "../../../random.ts";
import { replacing } from "../../../replacing.ts";
import { CANARY, type Fault, Plan, type Told } from "../plan.ts";

const HANG_CHECK_MS = 100;
/** Retries of the queue come this much earlier, so that a test lives to see them. */
const QUEUE_HURRY = 10;

let plan = Plan.parse({});
let random = randomOf(0);
export const told: Told = { queued: 0, queuedPrompts: 0, afflicted: 0 };

export function follow(next: Plan): void {
  plan = next;
  random = randomOf(next.seed);
}

export const clockMs = (): number => plan.clockMs;

/** The fault that strikes this operation, if one does. */
function fate(on: Fault["on"]): Fault | undefined {
  const fault = plan.faults.find((each) => each.on === on && random() < each.share);
  if (fault) told.afflicted++;
  return fault;
}

async function afflicted<T>(on: Fault["on"], act: () => Promise<T>): Promise<T> {
  const fault = fate(on);
  if (!fault) return act();
  const failure = new Error(`${on} is broken`);
  switch (fault.how) {
    case "fails":
      throw failure;
    case "slow":
      await pause(fault.ms);
      return act();
    case "hangs":
      await hang();
      throw failure;
    case "answer_lost":
      await act();
      throw failure;
    case "twice":
      await act();
      return act();
  }
}

/** Hangs for as long as the plan is what it was; then whoever waited loses the connection. */
async function hang(): Promise<void> {
  for (const begun = plan; plan === begun; ) await pause(HANG_CHECK_MS);
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export function afflictedEnv(env: Env): Env {
  const { CONFIG, AUDIT } = env;
  const get = (...args: Parameters<KVNamespace["get"]>) => afflicted("kv.read", () => CONFIG.get(...args));
  const send: typeof AUDIT.send = (message, options) => {
    told.queued++;
    if (JSON.stringify(message).includes(CANARY)) told.queuedPrompts++;
    return afflicted("queue.send", () => AUDIT.send(message, options));
  };
  return {
    ...env,
    CONFIG: replacing(CONFIG, { get: get as KVNamespace["get"] }),
    AUDIT: replacing(AUDIT, { send }),
    DB: afflictedDatabase(env.DB),
  };
}

const RUNS = new Set<PropertyKey>(["first", "all", "run", "raw"]);

function afflictedDatabase(db: D1Database): D1Database {
  const originals = new WeakMap<D1PreparedStatement, D1PreparedStatement>();
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapped = new Proxy(statement, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        if (name === "bind") return (...values: unknown[]) => wrap(target.bind(...values));
        if (!RUNS.has(name)) return method.bind(target);
        return (...args: unknown[]) => afflicted("d1", async () => Reflect.apply(method, target, args));
      },
    });
    originals.set(wrapped, statement);
    return wrapped;
  };
  const batch: D1Database["batch"] = (statements) =>
    afflicted("d1", () => db.batch(statements.map((statement) => originals.get(statement) ?? statement)));
  return replacing(db, { prepare: (sql) => wrap(db.prepare(sql)), batch });
}

/** Delivers a batch; a consumer that dies has done its work, and none of its acknowledgements count. */
export async function deliver(batch: MessageBatch<unknown>, consume: (batch: MessageBatch<unknown>) => Promise<void>) {
  const hurried = (message: Message<unknown>) =>
    replacing(message, {
      retry: (options) => message.retry({ delaySeconds: Math.ceil((options?.delaySeconds ?? 0) / QUEUE_HURRY) }),
    });
  const fault = fate("queue.batch");
  if (fault?.how === "slow") await pause(fault.ms);
  if (fault?.how !== "answer_lost") return consume(replacing(batch, { messages: batch.messages.map(hurried) }));
  const ignored = { ack() {}, retry() {} };
  const messages = batch.messages.map((message) => replacing(message, ignored));
  await consume(replacing(batch, { messages, ackAll() {}, retryAll() {} }));
  throw new Error("the consumer died");
}
