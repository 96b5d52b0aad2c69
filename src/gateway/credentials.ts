// Which providers this gateway can authenticate to, and with what. A provider without credentials is no candidate.
import type { Endpoint, Provider } from "../catalog/schema.ts";
import { type Env, readSecret, type Settings } from "../env.ts";

/** How a provider will be reached. `id` names the credential in health book-keeping; it is never the secret itself. */
export type Credential =
  | {
      readonly kind: "secret";
      readonly id: string;
      readonly secret: string;
      readonly variables: Readonly<Record<string, string>>;
    }
  | { readonly kind: "sandbox"; readonly id: string; readonly baseUrl: string };

/** A value for `{variable}` in a base URL: one label of a host or one segment of a path, so that it can change neither. */
const VARIABLE_VALUE = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/**
 * The credential for a provider's endpoint, or null. The Worker secret is named by the catalog; a variable of the base
 * URL is the variable of that name after it: `AZURE_API_KEY_RESOURCE` for `{resource}`. While the sandbox is on, no
 * real secret is read.
 */
export function credentialFor(provider: Provider, endpoint: Endpoint, env: Env, settings: Settings): Credential | null {
  const { SANDBOX_UPSTREAM, SANDBOX_PROVIDERS } = settings;
  if (SANDBOX_UPSTREAM !== undefined) {
    if (SANDBOX_PROVIDERS && !SANDBOX_PROVIDERS.includes(provider.id)) return null;
    return { kind: "sandbox", id: "sandbox", baseUrl: `${SANDBOX_UPSTREAM}/v1` };
  }
  // Service accounts have to be exchanged for an access token first.
  if (endpoint.auth === "google-oauth") return null;
  const secret = readSecret(env, provider.secret);
  if (secret === undefined) return null;
  const variables: Record<string, string> = {};
  for (const name of variablesOf(endpoint.url)) {
    const value = readSecret(env, `${provider.secret}_${name.toUpperCase()}`);
    if (value === undefined || !VARIABLE_VALUE.test(value)) return null;
    variables[name] = value;
  }
  return { kind: "secret", id: provider.secret, secret, variables };
}

/** The names of the variables in a base URL. */
export function variablesOf(url: string): string[] {
  return [...new Set([...url.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string))];
}
