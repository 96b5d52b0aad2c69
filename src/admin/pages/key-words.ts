// A key's state in words, and its expiry as a calendar day. Pure.
import type { ApiKey } from "../../store/keys.ts";

const DAY_MS = 86_400_000;

/** What a request with the key would get at `now` (epoch milliseconds), once the edge is in step. */
export function keyState({ revoked_at, expires_at }: ApiKey, now: number): "active" | "expired" | "revoked" {
  if (revoked_at !== null) return "revoked";
  return expires_at !== null && Date.parse(expires_at) <= now ? "expired" : "active";
}

/** Where the edge is not in step yet, what that means. */
export function edgeLag({ revoked_at, published }: ApiKey): string | null {
  if (revoked_at !== null) return published ? "may still work" : null;
  return published ? null : "not at the edge yet";
}

/** The last UTC day on which a key with that expiry works all day or in part, as YYYY-MM-DD. */
export function lastDayOf(expires_at: string): string {
  return new Date(Date.parse(expires_at) - 1).toISOString().slice(0, 10);
}

/** When a key ends that works through that UTC day (YYYY-MM-DD); null for a day that is none. */
export function expiryAfter(lastDay: string): string | null {
  const start = /^\d{4}-\d{2}-\d{2}$/.test(lastDay) ? Date.parse(`${lastDay}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(start) ? null : new Date(start + DAY_MS).toISOString();
}
