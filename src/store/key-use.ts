// The day a key was last used. The data plane never writes to D1 per request: an isolate notes each key once a day, behind
// the answer. Best effort: a note that D1 does not take is tried again later, and lost when nothing uses the key by then.
import type { Edge } from "./edge.ts";
import { timestamp } from "./secrets.ts";

const DAY_MS = 86_400_000;
/** After a note that may have failed, the same isolate leaves D1 alone for so long. */
const RETRY_MS = 300_000;
const MAX_KEYS_NOTED = 10_000;

/** By key id: epoch milliseconds until which there is nothing to note. */
const rests = new WeakMap<Edge["env"], Map<string, number>>();

/** Notes that a key was accepted at `now` (epoch milliseconds). Neither waits nor throws. */
export function noteKeyUse(edge: Edge, keyId: string, now = Date.now()): void {
  const { env } = edge;
  const ofIsolate = rests.get(env) ?? new Map<string, number>();
  if (now < (ofIsolate.get(keyId) ?? 0)) return;
  rests.set(env, ofIsolate);
  if (ofIsolate.size >= MAX_KEYS_NOTED) ofIsolate.clear();
  ofIsolate.set(keyId, now + RETRY_MS);
  edge.waitUntil(
    writeDay(env, keyId, timestamp(now).slice(0, 10)).then(
      () => ofIsolate.set(keyId, now - (now % DAY_MS) + DAY_MS),
      () => undefined,
    ),
  );
}

async function writeDay(env: Edge["env"], keyId: string, day: string): Promise<void> {
  await env.DB.prepare(
    "UPDATE api_keys SET last_used_on = ?1 WHERE id = ?2 AND (last_used_on IS NULL OR last_used_on < ?1)",
  )
    .bind(day, keyId)
    .run();
}
