// The organization's own provider keys, opened: once per revision and isolate, when a request first needs one.
import type { Env } from "../env.ts";
import { openCredential, type ProviderSecret } from "../store/provider-credentials.ts";
import type { OrgRecord } from "../store/records.ts";
import { keyringOf } from "../store/sealing.ts";

/** By the record of a revision, then by provider; null for what cannot be opened. */
const opened = new WeakMap<OrgRecord, Map<string, ProviderSecret | null>>();

/** The organization's own secret for a provider. Null when there is none, or it cannot be opened: that is logged once. */
export function ownSecret(env: Env, org: OrgRecord, provider: string): ProviderSecret | null {
  const ofRevision = opened.get(org) ?? new Map<string, ProviderSecret | null>();
  opened.set(org, ofRevision);
  const known = ofRevision.get(provider);
  if (known !== undefined) return known;
  const secret = openOwn(env, org, provider);
  ofRevision.set(provider, secret);
  return secret;
}

function openOwn(env: Env, org: OrgRecord, provider: string): ProviderSecret | null {
  const credential = org.credentials[provider];
  if (!credential) return null;
  const keyring = keyringOf(env);
  const result = openCredential(keyring, { org: org.org, provider }, credential);
  if (result.ok) return result.secret;
  const { key_id } = credential.sealed;
  const why = keyring.problem === null ? result.why : `${result.why}; ${keyring.problem}`;
  console.error(JSON.stringify({ message: "credentials.unreadable", org: org.org, provider, key_id, why }));
  return null;
}
