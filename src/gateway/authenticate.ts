// Whose request this is. A key that cannot be looked up is not a wrong key: that is 503, never 401.
import { refuse } from "../errors.ts";
import { type Edge, loadKey } from "../store/edge.ts";
import { noteKeyUse } from "../store/key-use.ts";
import type { KeyRecord } from "../store/records.ts";
import { ADMIN_TOKEN_PREFIX, API_KEY_PREFIX, hashSecret, looksIssued } from "../store/secrets.ts";

/** The key record of `Authorization: Bearer` or `x-api-key`. Refuses with 401 when there is no valid key. */
export async function authenticate(headers: Headers, edge: Edge): Promise<KeyRecord> {
  const key = presentedKey(headers);
  const hash = hashes.get(key) ?? hashOf(key);
  const record = await loadKey(edge, hash);
  if (!record) return refuse({ code: "invalid_api_key", why: "This API key is unknown or revoked." });
  if (record.expires_at !== null && !(Date.now() < Date.parse(record.expires_at)))
    return refuse({ code: "invalid_api_key", why: `This API key expired at ${record.expires_at}.` });
  noteKeyUse(edge, record.key_id);
  return record;
}

/**
 * The hashes of keys that were presented lately: hashing costs more than all else here. Keys live in an isolate's
 * memory with every request that carries them; they are never written anywhere.
 */
const hashes = new Map<string, string>();
const MAX_HASHES = 1_000;

function hashOf(key: string): string {
  if (!looksIssued(key, API_KEY_PREFIX)) return refuse({ code: "invalid_api_key", why: notAKey(key) });
  const hash = hashSecret(key);
  if (hashes.size >= MAX_HASHES) hashes.clear();
  hashes.set(key, hash);
  return hash;
}

function presentedKey(headers: Headers): string {
  const authorization = headers.get("authorization");
  const bearer = authorization === null ? null : (/^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? "");
  const apiKey = headers.get("x-api-key")?.trim() ?? null;
  if (bearer !== null && apiKey !== null && bearer !== apiKey)
    return refuse({ code: "invalid_api_key", why: "Two different API keys were sent. Send one of them." });
  const key = bearer ?? apiKey;
  if (!key)
    return refuse({
      code: "invalid_api_key",
      why: "No API key was sent. Send it as `Authorization: Bearer pcl_…` or as `x-api-key: pcl_…`.",
    });
  return key;
}

function notAKey(key: string): string {
  if (key.startsWith(ADMIN_TOKEN_PREFIX))
    return "This is an admin token. Requests to /v1 take a project's API key (pcl_…).";
  if (key.startsWith(API_KEY_PREFIX)) return "This API key is incomplete or mistyped.";
  return "This is not an API key of this gateway; its keys begin with pcl_.";
}
