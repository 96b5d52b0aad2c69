// Sealing: AES-256-GCM under the secret CREDENTIALS_KEY. What a text is for is bound in, so that a sealed text moved to
// another place does not open there. Synchronous, so that a request can be planned without waiting.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import * as z from "zod";
import type { Env } from "../env.ts";

const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
/** 96 random bits: of one key, collisions stay negligible up to some four thousand million sealed texts. */
const IV_BYTES = 12;
const TAG_BYTES = 16;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A text under seal: by which key, and the ciphertext followed by its tag. */
export const Sealed = z.strictObject({
  key_id: z.string().regex(/^[0-9a-f]{8}$/),
  iv: z.string().regex(BASE64).length(16),
  data: z.string().regex(BASE64).max(32_768),
});
export type Sealed = z.infer<typeof Sealed>;

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

export interface Keyring {
  /** What new texts are sealed with; null when CREDENTIALS_KEY is not set or malformed. */
  readonly sealing: Key | null;
  /** All that can open, by id. */
  readonly byId: ReadonlyMap<string, Key>;
  /** Which variable is malformed, and how it should be; never its value. Null when none is. */
  readonly problem: string | null;
}

const keyrings = new WeakMap<Env, Keyring>();

/**
 * The keys of this installation. A malformed one is no key: what it sealed stays shut, organizations that have nothing
 * under seal are not affected.
 */
export function keyringOf(env: Env): Keyring {
  const known = keyrings.get(env);
  if (known) return known;
  const { CREDENTIALS_KEY = "", CREDENTIALS_KEY_PREVIOUS = "" } = env;
  const sealing = parseKey(CREDENTIALS_KEY);
  const previous = listed(CREDENTIALS_KEY_PREVIOUS).map(parseKey);
  const keys = [sealing, ...previous].filter((key) => key !== null);
  const malformed = [
    ...(sealing === null && CREDENTIALS_KEY !== "" ? ["CREDENTIALS_KEY"] : []),
    ...(previous.includes(null) ? ["CREDENTIALS_KEY_PREVIOUS"] : []),
  ];
  const keyring: Keyring = {
    sealing,
    byId: new Map(keys.map((key) => [key.id, key])),
    problem: malformed.length > 0 ? `${malformed.join(" and ")} must be ${KEY_BYTES} bytes in base64` : null,
  };
  keyrings.set(env, keyring);
  return keyring;
}

/** Seals a text for one purpose; only the same purpose opens it. */
export function seal(key: Key, text: string, purpose: string): Sealed {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key.bytes, iv).setAAD(Buffer.from(purpose));
  const data = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return { key_id: key.id, iv: iv.toString("base64"), data: data.toString("base64") };
}

export type Opened = { ok: true; text: string } | { ok: false; why: "unknown key" | "not authentic" };

/** The text under a seal, if it was sealed here for that purpose and nothing of it was changed. */
export function open({ byId }: Keyring, { key_id, iv, data }: Sealed, purpose: string): Opened {
  const key = byId.get(key_id);
  if (!key) return { ok: false, why: "unknown key" };
  const bytes = Buffer.from(data, "base64");
  const tag = bytes.subarray(-TAG_BYTES);
  // workerd accepts a tag of any length, and a short one can be guessed.
  if (tag.byteLength !== TAG_BYTES) return { ok: false, why: "not authentic" };
  try {
    const decipher = createDecipheriv(ALGORITHM, key.bytes, Buffer.from(iv, "base64"))
      .setAAD(Buffer.from(purpose))
      .setAuthTag(tag);
    const text = Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8");
    return { ok: true, text };
  } catch {
    return { ok: false, why: "not authentic" };
  }
}

function listed(text: string): string[] {
  return text.split(",").filter((item) => item.trim() !== "");
}

function parseKey(text: string): Key | null {
  const trimmed = text.trim();
  const bytes = Buffer.from(trimmed, "base64");
  if (!BASE64.test(trimmed) || bytes.byteLength !== KEY_BYTES) return null;
  return { id: createHash("sha256").update(bytes).digest("hex").slice(0, 8), bytes };
}
