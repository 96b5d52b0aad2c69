// Credentials that Portcullis issues: how they are made, recognized and hashed. Only the SHA-256 of one is ever stored.
import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { decodeTime, encodeTime, ulid } from "ulid";

/** An API key: for requests to `/v1`. */
export const API_KEY_PREFIX = "pcl_";
/** An admin token: for `/admin/api` and signing in to `/settings`. */
export const ADMIN_TOKEN_PREFIX = "pcladm_";

const SECRET_BYTES = 32;
const SHOWN_CHARACTERS = 12;

/** A new credential: prefix, 256 random bits, and a checksum, so that junk is told from a key without any look-up. */
export function newSecret(prefix: string): string {
  const body = prefix + randomBytes(SECRET_BYTES).toString("base64url");
  return body + checksum(body);
}

/** Whether `secret` could have been issued with that prefix: shape and checksum, nothing more. */
export function looksIssued(secret: string, prefix: string): boolean {
  const length = prefix.length + 43 + 8;
  if (secret.length !== length || !secret.startsWith(prefix)) return false;
  return checksum(secret.slice(0, -8)) === secret.slice(-8);
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

/** The SHA-256 of a credential, in lower-case hex. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** The first characters of a credential, to recognize it by. */
export function shownPrefix(secret: string): string {
  return secret.slice(0, SHOWN_CHARACTERS);
}

type IdKind = "evt" | "req" | "key" | "tok" | "log" | "whk";

/** A new id that sorts by time: `<kind>_` and a ULID. */
export function newId(kind: IdKind, now = Date.now()): string {
  return `${kind}_${ulid(now)}`;
}

/** When {@link newId} made it (epoch milliseconds); null for what it cannot have made. */
export function timeOfId(kind: IdKind, id: string): number | null {
  const sortable = id.slice(kind.length + 1);
  return id === `${kind}_${sortable}` && /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(sortable) ? decodeTime(sortable) : null;
}

/** Sorts before every id made at `time` (epoch milliseconds) or later, and after every earlier one. */
export function firstIdAt(kind: "evt" | "log", time: number): string {
  return `${kind}_${encodeTime(Math.max(0, time))}`;
}

/** Sorts after every id. */
export const ID_END = "~";

/** Epoch milliseconds as RFC 3339 in UTC, as every time is stored. */
export function timestamp(now = Date.now()): string {
  return new Date(now).toISOString();
}
