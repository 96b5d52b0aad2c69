// After CREDENTIALS_KEY was replaced: provider keys that an earlier one sealed are sealed with it, as a new revision.
import type { Env } from "../env.ts";
import { resealCredential, type SealedCredential } from "./provider-credentials.ts";
import { type Revision, saveRevision } from "./revisions.ts";
import { keyringOf } from "./sealing.ts";

/**
 * Seals an organization's credentials with today's key where an earlier one did, behind its newest revision `base`.
 * Returns what is newest then, and of which providers the key cannot be opened. A revision that somebody else saves
 * meanwhile wins; the next run comes back to it.
 */
export async function resealCredentials(
  env: Env,
  base: Revision,
): Promise<{ newest: Revision; unreadable: readonly string[] }> {
  const { org, credentials } = base.record;
  const keyring = keyringOf(env);
  const outdated = Object.entries(credentials).filter(([, { sealed }]) => sealed.key_id !== keyring.sealing?.id);
  const resealed: Record<string, SealedCredential> = {};
  const unreadable: string[] = [];
  for (const [provider, credential] of outdated) {
    const anew = resealCredential(keyring, { org, provider }, credential);
    if (anew) resealed[provider] = anew;
    else unreadable.push(provider);
  }
  if (Object.keys(resealed).length === 0) return { newest: base, unreadable };
  const saved = await saveRevision(env, {
    base,
    next: { credentials: { ...credentials, ...resealed } },
    change: `Encrypts the organization's own keys anew, with the key ${keyring.sealing?.id}.`,
    action: "credential.reseal",
    actor: "system",
    from: { via: "system", country: null },
  });
  return { newest: saved.ok ? saved.saved : saved.newest, unreadable };
}
