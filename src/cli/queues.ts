// The queues of wrangler.toml. `wrangler deploy` makes those the Worker sends to, but not a dead-letter queue, and
// refuses a consumer whose queue is missing.
import { unstable_readConfig } from "wrangler";
import * as z from "zod";
import { Halt } from "./command.ts";
import { WRANGLER_CONFIG } from "./paths.ts";
import { runWrangler } from "./wrangler.ts";

const Config = z.object({
  queues: z.object({
    producers: z.array(z.object({ queue: z.string() })).default([]),
    consumers: z.array(z.object({ queue: z.string(), dead_letter_queue: z.string().optional() })).default([]),
  }),
});

/** Creates the queues that do not exist, dead-letter queues first; returns all of them. */
export async function ensureQueues(): Promise<{ name: string; created: boolean }[]> {
  const queues = [];
  for (const name of queueNames()) {
    const exists = (await runWrangler(["queues", "info", name])).ok;
    if (!exists) await createQueue(name);
    queues.push({ name, created: !exists });
  }
  return queues;
}

function queueNames(): string[] {
  const { producers, consumers } = Config.parse(unstable_readConfig({ config: WRANGLER_CONFIG })).queues;
  const deadLetters = consumers.flatMap(({ dead_letter_queue }) => dead_letter_queue ?? []);
  return [...new Set([...deadLetters, ...[...consumers, ...producers].map(({ queue }) => queue)])];
}

async function createQueue(name: string): Promise<void> {
  const { ok, output } = await runWrangler(["queues", "create", name]);
  if (!ok) throw new Halt(`The queue ${name} could not be created:\n\n${output}`);
}
