// Which providers this gateway can authenticate to, and with what: the organization's own key first, else the Worker
// secret that serves everyone. A provider without credentials is no candidate.
import { variablesOf, whyUnfit } from "../catalog/base-url.ts";
import type { Endpoint, Provider } from "../catalog/schema.ts";
import { type Env, readSecret, type Settings } from "../env.ts";
import type { ProviderSecret } from "../store/provider-credentials.ts";
import type { OrgRecord } from "../store/records.ts";
import { ownSecret } from "./own-secrets.ts";
import { sharedServiceAccount } from "./shared-service-account.ts";

/** How a provider will be reached. `id` names the credential in health book-keeping; it is never the secret itself. */
export type Credential =
  | (ProviderSecret & { readonly id: string; readonly variables: Readonly<Record<string, string>> })
  | { readonly kind: "sandbox"; readonly id: string; readonly baseUrl: string };

export type ServiceAccountCredential = Extract<Credential, { kind: "service_account" }>;

/** A credential that a request can carry as it is. A service account is exchanged for an access token first. */
export type ReadyCredential = Exclude<Credential, ServiceAccountCredential>;

/** Whose credentials are looked for, and where. */
export interface Holder {
  readonly env: Env;
  readonly settings: Settings;
  readonly org: OrgRecord;
}

/**
 * The credential for a provider's endpoint, or null. An organization that has a key of its own chose its own contract
 * with the provider: where that key cannot be used, the Worker secret never takes its place. While the sandbox is on, no
 * real secret is read.
 */
export function credentialFor(
  provider: Provider,
  endpoint: Endpoint,
  { env, settings, org }: Holder,
): Credential | null {
  const { SANDBOX_UPSTREAM, SANDBOX_PROVIDERS } = settings;
  if (SANDBOX_UPSTREAM !== undefined) {
    if (SANDBOX_PROVIDERS && !SANDBOX_PROVIDERS.includes(provider.id)) return null;
    return { kind: "sandbox", id: "sandbox", baseUrl: `${SANDBOX_UPSTREAM}/v1` };
  }
  return Object.hasOwn(org.credentials, provider.id)
    ? ownCredential(provider, endpoint, { env, org })
    : sharedCredential(provider, endpoint, env);
}

function ownCredential(
  { id }: Provider,
  endpoint: Endpoint,
  { env, org }: Pick<Holder, "env" | "org">,
): Credential | null {
  const secret = ownSecret(env, org, id);
  const { variables = {} } = org.credentials[id] ?? {};
  // Secrets of the Worker have names in capitals, so that no organization's id is one.
  return secret && fitted(`org ${org.org}`, secret, endpoint, (name) => ownValue(variables, name));
}

/**
 * The Worker secret is named by the catalog; a variable of the base URL is the variable of that name after it:
 * `AZURE_API_KEY_RESOURCE` for `{resource}`.
 */
function sharedCredential(provider: Provider, endpoint: Endpoint, env: Env): Credential | null {
  const text = readSecret(env, provider.secret);
  if (text === undefined) return null;
  const variableOf = (name: string) => readSecret(env, `${provider.secret}_${name.toUpperCase()}`);
  if (endpoint.auth !== "google-oauth")
    return fitted(provider.secret, { kind: "secret", secret: text }, endpoint, variableOf);
  const account = sharedServiceAccount(env, provider.secret, text);
  if (!account) return null;
  const orItsProject = (name: string) => variableOf(name) ?? (name === "project" ? account.project_id : undefined);
  return fitted(provider.secret, { kind: "service_account", account }, endpoint, orItsProject);
}

/** The secret with the variables of the endpoint's base URL; null where it is of another kind, or a variable unfit. */
function fitted(
  id: string,
  secret: ProviderSecret,
  endpoint: Endpoint,
  variableOf: (name: string) => string | undefined,
): Credential | null {
  if ((secret.kind === "service_account") !== (endpoint.auth === "google-oauth")) return null;
  const variables: Record<string, string> = {};
  for (const name of variablesOf(endpoint.url)) {
    const value = variableOf(name);
    if (value === undefined || whyUnfit(endpoint.url, name, value) !== null) return null;
    variables[name] = value;
  }
  return { ...secret, id, variables };
}

function ownValue(values: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
