// The Workers rate limiting bindings. They count at each location of Cloudflare's by itself and only roughly, and keep
// nothing: a brake, never the only thing between an attacker and what they want.
import type { Env } from "../env.ts";
import { inTime } from "./in-time.ts";

/** `unknown`: the limiter did not answer. Whoever asks decides what that means for them. */
export type Limit = "within" | "beyond" | "unknown";

/** The period that all of them count in. */
export const LIMIT_PERIOD_SECONDS = 60;

/** Somebody waits meanwhile, and a block is not on record before. */
const PATIENCE_MS = 500;

/** Counts an attempt to sign in. */
export function countAttempt(env: Env, key: string): Promise<Limit> {
  return counted(() => env.SIGN_IN_ATTEMPTS.limit({ key }));
}

/** Counts a refused attempt that is about to be recorded. */
export function countRecord(env: Env, key: string): Promise<Limit> {
  return counted(() => env.SIGN_IN_RECORDS.limit({ key }));
}

/** Counts a block of a key: beyond the limit they are not stored one by one. */
export function countBlock(env: Env, key: string): Promise<Limit> {
  return counted(() => env.BLOCKS_PER_KEY.limit({ key }));
}

async function counted(limit: () => Promise<RateLimitOutcome>): Promise<Limit> {
  try {
    const { success } = await inTime(limit(), PATIENCE_MS, "the limiter did not answer");
    return success ? "within" : "beyond";
  } catch {
    return "unknown";
  }
}
