// The catalog: providers with their published facts, models with the providers that serve them. Strict on write and on
// read. Pure.
import * as z from "zod";

/** The number of this build's catalog shape; a value with a higher one is refused. */
export const CATALOG_SCHEMA = 1;

/** The kinds of call a provider may answer. */
export const API_IDS = [
  "chat_completions",
  "responses",
  "embeddings",
  "messages",
  "completions",
  "moderations",
  "rerank",
  "images_generations",
  "images_edits",
  "audio_speech",
  "audio_transcriptions",
  "audio_translations",
] as const;
export type ApiId = (typeof API_IDS)[number];

const date = z.iso.date();
const providerId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, "must be 1 to 64 lower-case letters, digits, dots or dashes");
const modelId = z.string().regex(/^[^\s/\p{Cc}]{1,256}$/u, "must be 1 to 256 characters without spaces or slashes");
const nonEmpty = z.string().trim().min(1);

const dataPolicy = {
  soc2: z.enum(["type1", "type2", "unspecified"]).nullable(),
  iso27001: z.boolean().nullable(),
  gdpr: z.boolean().nullable(),
  trainsOnPrompts: z.boolean().nullable(),
  logsPrompts: z.boolean().nullable(),
  retentionDays: z.number().int().nonnegative().nullable(),
};

const evidence = z.strictObject({
  source: z.url({ protocol: /^https?$/ }),
  publisher: z.enum(["provider", "third party"]),
  checkedAt: date,
  updatedAt: date.optional(),
  validUntil: date.optional(),
  confidence: z.enum(["high", "medium", "low"]),
  conditions: z.array(nonEmpty).optional(),
});
export type Evidence = z.infer<typeof evidence>;

/** Where a provider answers an API. `{variables}` in the URL come from the credential. */
const endpoint = z.strictObject({
  url: z.string().regex(/^https:\/\/[a-z0-9.{}-]+(\/[A-Za-z0-9._{}/-]*)?$/, "must be an https URL without query"),
  auth: z.enum(["bearer", "x-api-key", "api-key", "google-oauth"]),
  /** It refuses a request with `store`, whatever that says, and stores nothing by it. */
  rejectsStore: z.literal(true).optional(),
});
export type Endpoint = z.infer<typeof endpoint>;

const link = z.url({ protocol: /^https?$/ }).nullable();

export const Provider = z.strictObject({
  id: providerId,
  name: nonEmpty,
  legalEntity: nonEmpty.nullable(),
  headquarters: z
    .string()
    .regex(/^[A-Z]{2}$/, "must be an ISO 3166-1 alpha-2 code in capitals, such as US")
    .nullable(),
  aggregator: z.boolean().optional(),
  /** Its models search the web by themselves. */
  searches: z.literal(true).optional(),
  dataPolicy: z.strictObject(dataPolicy),
  evidence: z.strictObject({
    soc2: evidence.optional(),
    iso27001: evidence.optional(),
    gdpr: evidence.optional(),
    trainsOnPrompts: evidence.optional(),
    logsPrompts: evidence.optional(),
    retentionDays: evidence.optional(),
    legalEntity: evidence.optional(),
    headquarters: evidence.optional(),
    remoteTools: evidence.optional(),
  }),
  links: z.strictObject({ website: link, terms: link, privacy: link, usage: link, status: link }),
  trustLinks: z.array(z.url({ protocol: /^https?$/ })),
  secret: z.string().regex(/^[A-Z][A-Z0-9_]{2,63}$/, "must be the name of a Worker secret"),
  apis: z.partialRecord(z.enum(API_IDS), endpoint),
  regions: z.array(z.strictObject({ id: nonEmpty, label: nonEmpty, url: nonEmpty })).optional(),
});
export type Provider = z.infer<typeof Provider>;

/** USD per million tokens; `null` is unknown, and so is zero unless it is said to be free. */
const price = z.strictObject({
  input: z.number().nonnegative().nullable(),
  output: z.number().nonnegative().nullable(),
  cachedInput: z.number().nonnegative().nullable().optional(),
  free: z.boolean().optional(),
});

export const Mapping = z.strictObject({
  provider: providerId,
  /** The provider's own name for the model. */
  model: nonEmpty,
  apis: z.array(z.enum(API_IDS)),
  dataPolicy: z.strictObject(dataPolicy).partial().optional(),
  /** Whether this model searches the web by itself. */
  searches: z.boolean().optional(),
  price,
  context: z.number().int().nonnegative().optional(),
  maxOutput: z.number().int().nonnegative().optional(),
  streaming: z.boolean(),
  tools: z.boolean().optional(),
  vision: z.boolean().optional(),
  json: z.boolean().optional(),
  reasoning: z.boolean().optional(),
  quantization: nonEmpty.optional(),
  regions: z.array(nonEmpty).optional(),
  deprecatedAt: date.optional(),
  deactivatedAt: date.optional(),
});
export type Mapping = z.infer<typeof Mapping>;

export const Model = z.strictObject({
  id: modelId,
  name: nonEmpty,
  aliases: z.array(modelId).optional(),
  family: nonEmpty,
  releasedAt: date,
  output: z.array(nonEmpty),
  providers: z.array(Mapping),
});
export type Model = z.infer<typeof Model>;

/** The fields of a catalog, for shapes that carry one. Only with {@link checkReferences} is a catalog whole. */
export const CATALOG_SHAPE = {
  version: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must be letters, digits, dots, dashes; at most 64"),
  providers: z.array(Provider),
  models: z.array(Model),
};
export interface Catalog {
  version: string;
  providers: Provider[];
  models: Model[];
}

/** Refuses duplicate ids and aliases, and references to what the catalog does not have. */
export function checkReferences({ providers, models }: Catalog, context: z.core.$RefinementCtx): void {
  const report = (path: PropertyKey[], message: string) => context.addIssue({ code: "custom", path, message });
  const providersById = new Map<string, Provider>();
  for (const [index, provider] of providers.entries()) {
    if (providersById.has(provider.id)) report(["providers", index, "id"], `duplicate provider id ${provider.id}`);
    providersById.set(provider.id, provider);
  }
  const names = new Set<string>();
  for (const [index, model] of models.entries()) {
    for (const name of [model.id, ...(model.aliases ?? [])]) {
      if (name === "auto" || names.has(name)) report(["models", index], `duplicate model id or alias ${name}`);
      names.add(name);
    }
    const served = new Set<string>();
    for (const [at, mapping] of model.providers.entries()) {
      const path = ["models", index, "providers", at];
      const provider = providersById.get(mapping.provider);
      if (!provider) report(path, `model ${model.id} names the unknown provider ${mapping.provider}`);
      if (served.has(mapping.provider)) report(path, `model ${model.id} names ${mapping.provider} twice`);
      served.add(mapping.provider);
      for (const api of mapping.apis)
        if (provider && !provider.apis[api]) report(path, `${mapping.provider} has no endpoint for ${api}`);
    }
  }
}

export const Catalog = z.strictObject(CATALOG_SHAPE).superRefine(checkReferences);
