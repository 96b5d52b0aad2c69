// What is broken at the moment, as the test tells the Worker that it runs. Data alone: both sides read it.
import * as z from "zod";

/** What every prompt of the suite carries, so that it is found wherever it must not be. */
export const CANARY = "canary-prompt-";

/** A fault of one kind of operation, in this share of all of them. */
export const Fault = z.strictObject({
  on: z.enum(["kv.read", "d1", "queue.send", "queue.batch"]),
  /**
   * `answer_lost`: done, but its caller is told that it failed. `twice`: done twice. Of a batch, `answer_lost` is a
   * consumer that dies before its acknowledgements count.
   */
  how: z.enum(["slow", "fails", "hangs", "answer_lost", "twice"]),
  share: z.number().min(0).max(1).default(1),
  /** How slow. */
  ms: z.number().int().positive().default(500),
});
export type Fault = z.infer<typeof Fault>;

export const Plan = z.strictObject({
  seed: z.number().int().default(0),
  faults: z.array(Fault).default([]),
  /** By how much the Worker's clock is wrong. */
  clockMs: z.number().int().default(0),
});
export type Plan = z.infer<typeof Plan>;

/** What the Worker says of itself. */
export const Told = z.strictObject({
  /** Messages that were given to the queue, and those of them that held a prompt. */
  queued: z.number().int(),
  queuedPrompts: z.number().int(),
  /** Operations that were made to fail. */
  afflicted: z.number().int(),
});
export type Told = z.infer<typeof Told>;
