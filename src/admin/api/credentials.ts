// An organization's own provider keys: write-only. What is answered is enough to recognize one by.
import { type Context, Hono } from "hono";
import * as z from "zod";
import { isVariableValue, variablesOfProvider } from "../../catalog/base-url.ts";
import type { Provider } from "../../catalog/schema.ts";
import { loadCatalog } from "../../store/edge.ts";
import { ProviderKey, type ProviderSecret, type SealedCredential } from "../../store/provider-credentials.ts";
import { GivenServiceAccount } from "../../store/service-account.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import {
  readCredentials,
  removeCredential,
  requireSealingKey,
  saveCredential,
  variableErrors,
} from "../credentials.ts";
import { unknownEntry } from "../listed.ts";
import { invalid, Problem } from "../problem.ts";
import { provenanceOf } from "../provenance.ts";
import { edgeOf } from "./edge-of.ts";
import { pageOf } from "./page.ts";
import { PUBLICATION, publicationOf } from "./publication.ts";
import { readJson } from "./request.ts";

const MAX_BODY_BYTES = 64 * 1024;

/** Names and values are checked against the provider's addresses. */
const Variables = z.record(z.string(), z.string("must be text")).default({});

/** For a provider that takes a key. */
export const SecretBody = z.strictObject({ secret: ProviderKey, variables: Variables });
/** For a provider that takes a Google service account; `{project}` is its own project unless it is given. */
export const ServiceAccountBody = z.strictObject({ service_account: GivenServiceAccount, variables: Variables });

const CredentialAnswer = z.strictObject({
  provider: z.string(),
  kind: z.enum(["secret", "service_account"]),
  /** The last characters of a key, the key id of a service account. */
  hint: z.string(),
  variables: z.record(z.string(), z.string()),
  encryption_key_id: z.string(),
  created_at: z.iso.datetime(),
  created_by: z.string(),
  published: z.boolean(),
});
export const CredentialsAnswer = pageOf(CredentialAnswer);
export const CredentialSavedAnswer = CredentialAnswer.extend({ revision: z.number().int(), ...PUBLICATION });
export const CredentialRemovedAnswer = z.strictObject({
  provider: z.string(),
  revision: z.number().int(),
  ...PUBLICATION,
});

export const credentials = new Hono<AdminEnv>();

credentials.get("/:org/credentials", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "credentials");
  const { credentials: held, published } = await readCredentials(c.env, org);
  // One per provider at the most: never more than a page.
  const data = Object.entries(held).map(([provider, each]) => ({ ...shown(provider, each), published }));
  const answer: z.infer<typeof CredentialsAnswer> = { data, next_cursor: null };
  return c.json(answer);
});

credentials.put("/:org/credentials/:provider", async (c) => {
  const member = requireMember(c, c.req.param("org"), "credentials");
  // Before the body: a secret that cannot be stored is not even read.
  requireSealingKey(c.env);
  const provider = await callableProvider(c, c.req.param("provider"));
  const { secret, variables } = await readCredential(c, provider);
  const errors = variableErrors(provider, variables);
  if (errors.length > 0) throw invalid(errors);
  const saved = await saveCredential(c.env, member, {
    provider: provider.id,
    secret,
    variables,
    from: provenanceOf(c, "api"),
  });
  const { credential, revision, published } = saved;
  const publication = publicationOf(published, "The key is stored");
  const answer: z.infer<typeof CredentialSavedAnswer> = { ...shown(provider.id, credential), revision, ...publication };
  return c.json(answer);
});

credentials.delete("/:org/credentials/:provider", async (c) => {
  const member = requireMember(c, c.req.param("org"), "credentials");
  const provider = c.req.param("provider");
  const { revision, published } = await removeCredential(c.env, member, { provider, from: provenanceOf(c, "api") });
  const publication = publicationOf(published, "The key is removed");
  const answer: z.infer<typeof CredentialRemovedAnswer> = { provider, revision, ...publication };
  return c.json(answer);
});

/** The provider of that id in the catalog in force. Throws 404, and 400 where no API of it can be called. */
async function callableProvider(c: Context<AdminEnv>, id: string): Promise<Provider> {
  const catalog = await loadCatalog(edgeOf(c));
  const provider = catalog.providers.get(id);
  if (!provider)
    throw new Problem({
      status: 404,
      code: "not_found",
      detail: unknownEntry(catalog, "providers", id.slice(0, 64)) ?? "The catalog has no such provider.",
    });
  if (Object.keys(provider.apis).length > 0) return provider;
  throw invalid([{ path: "provider", message: `${id} offers no API that this gateway speaks; a key would be unused` }]);
}

/** The secret and variables in the body, in the form that the provider takes. */
async function readCredential(
  c: Context<AdminEnv>,
  provider: Provider,
): Promise<{ secret: ProviderSecret; variables: Record<string, string> }> {
  const limits = { maxBytes: MAX_BODY_BYTES };
  if (!Object.values(provider.apis).some(({ auth }) => auth === "google-oauth")) {
    const { secret, variables } = await readJson(c, SecretBody, limits);
    return { secret: { kind: "secret", secret }, variables };
  }
  const { service_account: account, variables } = await readJson(c, ServiceAccountBody, limits);
  const { project_id } = account;
  const ownProject = variablesOfProvider(provider).includes("project") && isVariableValue(project_id);
  return {
    secret: { kind: "service_account", account },
    variables: ownProject ? { project: project_id, ...variables } : variables,
  };
}

function shown(provider: string, { kind, hint, variables, sealed, created_at, created_by }: SealedCredential) {
  return { provider, kind, hint, variables, encryption_key_id: sealed.key_id, created_at, created_by };
}
