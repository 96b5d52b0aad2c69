// A catalog small enough to reason about: four providers that satisfy everything, one that trains on prompts, one of
// which nothing is known.
import type { Catalog, Mapping, Model, Provider } from "../src/catalog/schema.ts";

const SATISFIES_ALL: Provider["dataPolicy"] = {
  soc2: "type2",
  iso27001: true,
  gdpr: true,
  trainsOnPrompts: false,
  logsPrompts: false,
  retentionDays: 0,
};
const ALL_UNKNOWN: Provider["dataPolicy"] = {
  soc2: null,
  iso27001: null,
  gdpr: null,
  trainsOnPrompts: null,
  logsPrompts: null,
  retentionDays: null,
};

/** A provider that satisfies every requirement, with what `change` says instead. */
export function providerOf(id: string, change: Partial<Provider> = {}): Provider {
  return {
    id,
    name: id,
    legalEntity: `${id} Inc.`,
    headquarters: "US",
    dataPolicy: SATISFIES_ALL,
    evidence: {},
    links: { website: null, terms: null, privacy: null, usage: null, status: null },
    trustLinks: [],
    secret: `${id.toUpperCase()}_API_KEY`,
    apis: {
      chat_completions: { url: `https://${id}.example/v1`, auth: "bearer" },
      responses: { url: `https://${id}.example/v1`, auth: "bearer" },
    },
    ...change,
  };
}

/** A model by these providers, each with its price (input and output alike) or with whatever differs. */
export function modelOf(
  id: string,
  served: Record<string, number | Partial<Mapping>>,
  change: Partial<Model> = {},
): Model {
  const providers = Object.entries(served).map(([provider, what]): Mapping => {
    const price = typeof what === "number" ? what : 1;
    return {
      provider,
      model: `${provider}-${id}`,
      apis: ["chat_completions"],
      price: { input: price, output: price },
      streaming: true,
      ...(typeof what === "object" && what),
    };
  });
  return { id, name: id, family: "test", releasedAt: "2026-01-01", output: ["text"], providers, ...change };
}

const url = "https://provider.example/v1";
/** Where a provider answers the APIs of text. */
export const TEXT_APIS = {
  chat_completions: { url, auth: "bearer" },
  responses: { url, auth: "bearer" },
  messages: { url, auth: "x-api-key" },
} as const;

const RETIRED = { deactivatedAt: "2026-01-02" };
const RESPONSES_ONLY = { apis: ["responses"] } satisfies Partial<Mapping>;

export const smallCatalog: Catalog = {
  version: "small",
  providers: [
    providerOf("alpha"),
    providerOf("beta"),
    providerOf("gamma"),
    providerOf("delta"),
    providerOf("leaky", { dataPolicy: { ...SATISFIES_ALL, trainsOnPrompts: true } }),
    providerOf("blank", { dataPolicy: ALL_UNKNOWN, legalEntity: null, headquarters: null }),
  ],
  models: [
    modelOf("mix", { delta: 4, gamma: 3, leaky: 0.5, beta: 2, alpha: 1 }, { aliases: ["mix-latest"] }),
    modelOf("pair", { alpha: 2, beta: 3 }),
    modelOf("dirty", { leaky: 1, blank: 2 }),
    modelOf("retired", { alpha: RETIRED, beta: RETIRED }),
    modelOf("retired-dirty", { leaky: RETIRED }),
    modelOf("half-retired", { alpha: RETIRED, leaky: 1 }),
    modelOf("mute", { alpha: RESPONSES_ONLY, beta: RESPONSES_ONLY }),
    modelOf("mute-dirty", { leaky: RESPONSES_ONLY }),
    modelOf("half-mute", { alpha: RESPONSES_ONLY, leaky: 1 }),
    modelOf("silent", { alpha: { apis: [] } }),
  ],
};
