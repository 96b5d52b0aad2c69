// After CREDENTIALS_KEY was replaced: provider keys that an earlier one sealed are sealed with it, as a new revision.
import type { Env } from "../env.ts";
import { resealCredential, type SealedCredential } from "./provider-credentials.ts";
import { newestRevision, saveRevision } from "./revisions.ts";
import { keyringOf } from "./sealing.ts";

/**
 * Seals an organization's credentials with today's key where an earlier one did. Throws, after saving what it can, when
 * one cannot be opened. A revision that somebody else saves meanwhile wins; the next run comes back to it.
 */
export async function resealCredentials(env: Env, org: string): Promise<void> {
  const base = await newestRevision(env, org);
  if (!base) return;
  const { credentials } = base.record;
  const keyring = keyringOf(env);
  const outdated = Object.entries(credentials).filter(([, { sealed }]) => sealed.key_id !== keyring.sealing?.id);
  const resealed: Record<string, SealedCredential> = {};
  const unreadable: string[] = [];
  for (const [provider, credential] of outdated) {
    const anew = resealCredential(keyring, { org, provider }, credential);
    if (anew) resealed[provider] = anew;
    else unreadable.push(provider);
  }
  if (Object.keys(resealed).length > 0)
    await saveRevision(env, {
      base,
      next: { credentials: { ...credentials, ...resealed } },
      change: `Encrypts the organization's own keys anew, with the key ${keyring.sealing?.id}.`,
      action: "credential.reseal",
      actor: "system",
      from: { via: "system", country: null },
    });
  if (unreadable.length > 0) throw new Error(`unreadable: ${unreadable.join(", ")}`);
}
