// The use cases of an organization's own provider keys: list, save, remove. A change of them is a revision like any
// other. A secret comes in and is sealed; nothing here gives one out again.
import { variablesOfProvider, whyUnfit } from "../catalog/base-url.ts";
import type { Provider } from "../catalog/schema.ts";
import type { Env } from "../env.ts";
import type { Member } from "../store/members.ts";
import { findOrg } from "../store/orgs.ts";
import { type ProviderSecret, type SealedCredential, sealCredential } from "../store/provider-credentials.ts";
import { type Published, publishOrg } from "../store/publish.ts";
import type { OrgRecord } from "../store/records.ts";
import { newestRevision, type Provenance, type Revision, saveRevision } from "../store/revisions.ts";
import { type Keyring, keyringOf } from "../store/sealing.ts";
import { timestamp } from "../store/secrets.ts";
import { type FieldError, noSuchOrg, Problem } from "./problem.ts";

/** A save that meets another one is made again on top of it: credentials of two providers do not concern each other. */
const MAX_ATTEMPTS = 3;

/** An organization's credentials as D1 has them, and whether the edge holds that revision or a later one. */
export async function readCredentials(
  env: Env,
  org: string,
): Promise<{ credentials: OrgRecord["credentials"]; published: boolean }> {
  const [newest, found] = await Promise.all([newestRevision(env, org), findOrg(env, org)]);
  if (!newest || !found) throw noSuchOrg();
  const { credentials, revision } = newest.record;
  return { credentials, published: found.published_revision >= revision };
}

/** What secrets are sealed with. Throws 503, saying what the operator has to set. */
export function requireSealingKey(env: Env): NonNullable<Keyring["sealing"]> {
  const { sealing, problem } = keyringOf(env);
  if (sealing) return sealing;
  if (problem !== null)
    throw new Problem({ status: 503, code: "misconfigured", detail: `A secret is malformed: ${problem}.` });
  throw new Problem({
    status: 503,
    code: "credentials_key_missing",
    detail:
      "Secrets are stored only under encryption, and this installation has no key for it. The operator sets one: openssl rand -base64 32 | npx wrangler secret put CREDENTIALS_KEY",
  });
}

/** What looks like a variable's name is named in an error; anything else could be a secret in the wrong place. */
const NAME = /^[a-z_]{1,16}$/;

/** The variables of the provider's base URLs that `given` lacks, those that cannot stand there, and those it has none of. */
export function variableErrors(provider: Provider, given: Readonly<Record<string, string>>): FieldError[] {
  const names = variablesOfProvider(provider);
  const unknown = Object.keys(given).filter((name) => !names.includes(name));
  return [
    ...names.flatMap((name) => {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      const path = `variables.${name}`;
      if (value === undefined) return [{ path, message: `is part of ${provider.id}'s address: give it` }];
      const reasons = Object.values(provider.apis).map(({ url }) => whyUnfit(url, name, value));
      const message = reasons.find((reason) => reason !== null);
      return message === undefined ? [] : [{ path, message }];
    }),
    ...unknown.map((name) => ({
      path: NAME.test(name) ? `variables.${name}` : "variables",
      message: `is no variable of ${provider.id}'s address: it has ${names.join(", ") || "none"}`,
    })),
  ];
}

export interface CredentialSaved {
  credential: SealedCredential;
  revision: number;
  published: Published;
}

/** Stores a secret for a provider, in place of an earlier one. Its variables must have been checked. */
export async function saveCredential(
  env: Env,
  member: Member,
  {
    provider,
    secret,
    variables,
    from,
  }: { provider: string; secret: ProviderSecret; variables: Record<string, string>; from: Provenance },
): Promise<CredentialSaved> {
  const { org, email } = member;
  const credential = sealCredential(
    requireSealingKey(env),
    { org, provider },
    { secret, variables, created_at: timestamp(), created_by: email },
  );
  const { saved, published } = await change(env, member, ({ record: { credentials } }) => ({
    next: { credentials: { ...credentials, [provider]: credential } },
    change: `${Object.hasOwn(credentials, provider) ? "Replaces" : "Sets"} the organization's own key for ${provider}.`,
    action: "credential.save",
    from,
  }));
  return { credential, revision: saved.record.revision, published };
}

/** Removes a provider's credential. Throws 404 when there is none. */
export async function removeCredential(
  env: Env,
  member: Member,
  { provider, from }: { provider: string; from: Provenance },
): Promise<{ revision: number; published: Published }> {
  const { saved, published } = await change(env, member, ({ record: { credentials } }) => {
    if (!Object.hasOwn(credentials, provider))
      throw new Problem({
        status: 404,
        code: "not_found",
        detail: "The organization has no key of its own for this provider.",
      });
    const { [provider]: _, ...rest } = credentials;
    return {
      next: { credentials: rest },
      change: `Removes the organization's own key for ${provider}.`,
      action: "credential.remove",
      from,
    };
  });
  return { revision: saved.record.revision, published };
}

type Change = Pick<Parameters<typeof saveRevision>[1], "next" | "change" | "action" | "from">;

async function change(
  env: Env,
  { org, email }: Member,
  changeOf: (base: Revision) => Change,
): Promise<{ saved: Revision; published: Published }> {
  let base = await newestRevision(env, org);
  if (!base) throw noSuchOrg();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const result = await saveRevision(env, { base, ...changeOf(base), actor: email });
    if (result.ok) return { saved: result.saved, published: await publishOrg(env, org) };
    base = result.newest;
  }
  throw new Problem({
    status: 409,
    code: "conflict",
    title: "Others are saving",
    detail: "Others kept saving changes at the same moment. Nothing was changed; try again.",
  });
}
