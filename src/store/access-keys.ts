// The public keys that a Cloudflare Access team signs with. Kept in the isolate as plain values: nothing that a request
// began, neither its fetch nor a key being imported, is awaited by another one. They are fetched from a fixed path
// of a domain that the settings' schema confines to cloudflareaccess.com.
import * as z from "zod";
import type { Env } from "../env.ts";

const CERTS_PATH = "/cdn-cgi/access/certs";
/** Keys older than this are not used: whoever withdraws one is heard within the hour. */
const MAX_AGE_MS = 3_600_000;
/** Anybody can make up a key id; so an unknown one has the keys fetched again at most this often. */
const REFETCH_MS = 60_000;
/** After a failure nobody waits for the next time-out until this has passed. */
const REST_MS = 2_000;
const TIMEOUT_MS = 3_000;

const AccessKey = z.object({
  kid: z.string().min(1).max(256),
  kty: z.literal("RSA"),
  alg: z.literal("RS256"),
  n: z.string().min(1).max(2048),
  e: z.string().min(1).max(16),
});
export type AccessKey = z.infer<typeof AccessKey>;

/** Keys of a kind that this build does not know are passed over. */
const KeySet = z
  .object({ keys: z.array(z.unknown()).max(64) })
  .transform(({ keys }) => keys.flatMap((key) => AccessKey.safeParse(key).data ?? []))
  .pipe(z.array(AccessKey).min(1));

interface Copy {
  keys: readonly AccessKey[];
  fetchedAt: number;
  /** When the keys were last asked for, whatever came of it. */
  askedAt: number;
  failedAt: number;
}

const copies = new WeakMap<Env, Copy>();

export type AccessKeyLookup = { kind: "found"; key: AccessKey } | { kind: "unknown" } | { kind: "unreachable" };

/** The issuer's key with that id. `unreachable` when it cannot be known whether there is one. Never throws. */
export async function findAccessKey(env: Env, issuer: string, kid: string): Promise<AccessKeyLookup> {
  const now = Date.now();
  const copy = copies.get(env) ?? { keys: [], fetchedAt: 0, askedAt: 0, failedAt: 0 };
  copies.set(env, copy);
  const fresh = now - copy.fetchedAt < MAX_AGE_MS;
  if (fresh) {
    const key = copy.keys.find((held) => held.kid === kid);
    if (key) return { kind: "found", key };
    if (now - copy.askedAt < REFETCH_MS) return { kind: "unknown" };
  } else if (now - copy.failedAt < REST_MS) return { kind: "unreachable" };

  copy.askedAt = now;
  const keys = await fetchKeys(issuer);
  if (keys === null) {
    copy.failedAt = now;
    return { kind: "unreachable" };
  }
  copies.set(env, { ...copy, keys, fetchedAt: now });
  const key = keys.find((held) => held.kid === kid);
  return key ? { kind: "found", key } : { kind: "unknown" };
}

async function fetchKeys(issuer: string): Promise<AccessKey[] | null> {
  try {
    const response = await fetch(issuer + CERTS_PATH, {
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { accept: "application/json" },
    });
    if (!response.ok) return null;
    return KeySet.parse(await response.json());
  } catch {
    return null;
  }
}
