// Many blocks of one key: beyond a limit a minute they fold into one event, so that a runaway key cannot fill the database
// that also holds the policies. Each call is refused all the same, and each has its line on the tail.
import { createHash } from "node:crypto";
import { ulid } from "ulid";
import type { Env } from "../env.ts";
import type { SecurityEvent } from "../store/event.ts";
import { countRepeats, REPEATS_WINDOW_MS } from "../store/events.ts";
import { countBlock } from "../store/rate-limits.ts";
import { timestamp } from "../store/secrets.ts";

/** An isolate adds what it has counted this often at most. */
const ADD_EVERY_MS = 1_000;
const MAX_COUNTED = 1_000;

/** Repeats that this isolate has counted, and not yet added to their event. */
interface Count {
  readonly id: string;
  pending: number;
  addedAt: number;
}
const counts = new WeakMap<Env, Map<string, Count>>();

export type Filed =
  /** An event of its own, or the first that this isolate folds: to be stored. */
  | { readonly event: SecurityEvent; readonly stored: null }
  /** Counted in an event that is stored already. */
  | { readonly event: SecurityEvent; readonly stored: Promise<void> };

/** Files an event: by itself, or under the one event of its key and minute where there are too many. */
export async function file(env: Env, event: SecurityEvent): Promise<Filed> {
  // A limiter that fails folds nothing: more rows than necessary are better than a block that is not told.
  if ((await countBlock(env, keyOf(event))) !== "beyond") return { event, stored: null };
  const folded = fold(event);
  const known = countsOf(env).get(folded.id);
  if (!known) {
    remember(env, folded.id);
    return { event: folded, stored: null };
  }
  known.pending++;
  return { event: folded, stored: addWhenDue(env, known) };
}

/** The one event of this key's repeats in this minute: every isolate gives it the same id. */
function fold(event: SecurityEvent): SecurityEvent {
  const start = Math.floor(Date.parse(event.at) / REPEATS_WINDOW_MS) * REPEATS_WINDOW_MS;
  const digest = createHash("sha256")
    .update(JSON.stringify([event.org, keyOf(event), start]))
    .digest();
  let at = 0;
  const id = `evt_${ulid(start, () => (digest[at++] ?? 0) / 256)}`;
  return { ...event, id, repeats: { at_least: 1, from: timestamp(start), to: timestamp(start + REPEATS_WINDOW_MS) } };
}

async function addWhenDue(env: Env, count: Count): Promise<void> {
  const now = Date.now();
  if (now - count.addedAt < ADD_EVERY_MS) return;
  const { pending } = count;
  count.pending = 0;
  count.addedAt = now;
  const added = await countRepeats(env, count.id, pending).catch(() => false);
  if (!added) count.pending += pending;
}

function remember(env: Env, id: string): void {
  const known = countsOf(env);
  if (known.size >= MAX_COUNTED) known.clear();
  known.set(id, { id, pending: 0, addedAt: Date.now() });
}

function countsOf(env: Env): Map<string, Count> {
  const known = counts.get(env) ?? new Map<string, Count>();
  counts.set(env, known);
  return known;
}

function keyOf({ org, key_id }: SecurityEvent): string {
  return `${org ?? ""} ${key_id ?? ""}`;
}
