// The secrets that webhooks are signed with: shown once, then sealed for one organization and webhook. During the overlap
// of a rotation there are two, the newest first.
import { randomBytes } from "node:crypto";
import { type Keyring, open, Sealed, seal } from "./sealing.ts";

const PURPOSE = "portcullis webhook secret 1";
const SECRET_BYTES = 32;

interface Place {
  readonly org: string;
  readonly id: string;
}

/** A new secret, as Standard Webhooks writes it. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`;
}

/** The secret under seal, as it is stored. */
export function sealWebhookSecret(key: NonNullable<Keyring["sealing"]>, place: Place, secret: string): string {
  return JSON.stringify(seal(key, secret, purposeOf(place)));
}

/** The secret of what is stored; null when it cannot be opened. */
export function openWebhookSecret(keyring: Keyring, place: Place, stored: string): string | null {
  const sealed = parse(stored);
  const opened = sealed && open(keyring, sealed, purposeOf(place));
  return opened?.ok ? opened.text : null;
}

/** The stored secret sealed anew with the keyring's first key; null when it cannot be opened, or that key is missing. */
export function resealWebhookSecret(keyring: Keyring, place: Place, stored: string): string | null {
  const secret = openWebhookSecret(keyring, place, stored);
  return secret !== null && keyring.sealing ? sealWebhookSecret(keyring.sealing, place, secret) : null;
}

/** By which key a stored secret is sealed; null when it is none. */
export function sealedBy(stored: string): string | null {
  return parse(stored)?.key_id ?? null;
}

function parse(stored: string): Sealed | null {
  try {
    return Sealed.parse(JSON.parse(stored));
  } catch {
    return null;
  }
}

function purposeOf({ org, id }: Place): string {
  return JSON.stringify([PURPOSE, org, id]);
}
