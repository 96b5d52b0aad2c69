// The shipped catalog, whole and as collected; and the catalogs that the schema refuses.
import { describe, expect, it } from "vitest";
import { indexCatalog } from "../src/catalog/lookup.ts";
import { Catalog, type Evidence, type Mapping, type Model, type Provider } from "../src/catalog/schema.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { modelOf, providerOf } from "./small-catalog.ts";

const { providers, models } = shippedCatalog;
const mappings = models.flatMap((model) => model.providers);
const DATA = ["soc2", "iso27001", "gdpr", "trainsOnPrompts", "logsPrompts", "retentionDays"] as const;

describe("the shipped catalog", () => {
  it("has 49 providers, 396 models and 717 mappings", () => {
    expect([providers.length, models.length, mappings.length]).toEqual([49, 396, 717]);
  });

  it("keeps every source: for 218 of its 294 attribute values, and for 36 companies' names and seats", () => {
    const sourced = (attributes: readonly (keyof Provider["evidence"])[]) =>
      providers.flatMap(({ evidence }) => attributes.filter((attribute) => evidence[attribute])).length;
    expect(providers.length * DATA.length).toBe(294);
    expect(sourced(DATA)).toBe(218);
    expect(sourced(["legalEntity", "headquarters"])).toBe(36);
  });

  it("dates every source, none after the day it was collected", () => {
    const dated = providers.flatMap(({ evidence }) => Object.values(evidence) as Evidence[]);
    expect(dated.every(({ checkedAt, updatedAt = checkedAt }) => updatedAt <= checkedAt)).toBe(true);
    expect(dated.filter(({ checkedAt }) => checkedAt > "2026-11-23")).toEqual([]);
  });

  it("knows what two of its providers are said to be", () => {
    const byId = new Map(providers.map((provider) => [provider.id, provider]));
    expect(byId.get("openai")).toMatchObject({
      legalEntity: "OpenAI OpCo, LLC",
      headquarters: "US",
      dataPolicy: { soc2: "type2", trainsOnPrompts: false, logsPrompts: true, retentionDays: 30 },
    });
    expect(byId.get("deepseek")).toMatchObject({ dataPolicy: { soc2: null, trainsOnPrompts: true } });
    const aggregators = providers.filter(({ aggregator }) => aggregator).map(({ id }) => id);
    expect(aggregators).toEqual(["atlascloud", "nanogpt", "sakana", "gonka24"]);
  });

  it("asks each provider's secret by a name of its own, but for one company's several endpoints", () => {
    const bySecret = Map.groupBy(providers, ({ secret }) => secret);
    const shared = [...bySecret.values()].filter((same) => same.length > 1).map((same) => same.map(({ id }) => id));
    expect(shared).toEqual([
      ["google-vertex", "vertex-openai", "vertex-anthropic"],
      ["aws-bedrock", "aws-mantle"],
      ["azure", "azure-ai-foundry", "azure-anthropic"],
      ["scx-ai", "scx-ai-gp"],
    ]);
  });

  it("knows which endpoints refuse a request with `store`", () => {
    const refusing = shippedCatalog.providers.flatMap(({ id, apis }) =>
      Object.entries(apis).flatMap(([api, { rejectsStore }]) => (rejectsStore ? [`${id} ${api}`] : [])),
    );
    expect(refusing.sort()).toEqual([
      "cerebras chat_completions",
      "google-ai-studio chat_completions",
      "mistral chat_completions",
    ]);
  });

  it("survives being written as JSON and read again", () => {
    expect(Catalog.parse(JSON.parse(JSON.stringify(shippedCatalog)))).toEqual(shippedCatalog);
  });

  it("can be looked up by every id and alias, and reaches every mapping", () => {
    const index = indexCatalog(shippedCatalog);
    expect([index.providers.size, index.models.size]).toEqual([49, 396]);
    expect([...index.candidates.values()].flat()).toHaveLength(717);
    for (const [alias, id] of index.aliases)
      expect([index.models.has(alias), index.models.has(id)]).toEqual([false, true]);
    for (const [id, candidates] of index.candidates)
      for (const { provider, model, mapping } of candidates)
        expect([provider.id, model]).toEqual([mapping.provider, id]);
  });
});

const alpha = providerOf("alpha");
const beta = providerOf("beta");
const base: Catalog = { version: "v1", providers: [alpha, beta], models: [modelOf("m1", { alpha: 1, beta: 2 })] };
const [m1] = base.models as [Model];
const [atAlpha] = m1.providers as [Mapping];

/** The paths and messages of what the schema says about a catalog. */
function problemsOf(catalog: unknown): string[] {
  const parsed = Catalog.safeParse(catalog);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}
const withProvider = (change: object) => ({ ...base, providers: [{ ...alpha, ...change }, beta] });
const withModel = (change: object) => ({ ...base, models: [{ ...m1, ...change }] });
const withMapping = (change: object) => withModel({ providers: [{ ...atAlpha, ...change }] });
const withFact = (change: object) => withProvider({ dataPolicy: { ...alpha.dataPolicy, ...change } });
const source: Evidence = {
  source: "https://alpha.example/trust",
  publisher: "provider",
  checkedAt: "2026-11-22",
  confidence: "high",
};
const withSource = (change: object) => withProvider({ evidence: { soc2: { ...source, ...change } } });

describe("a catalog that contradicts itself is refused", () => {
  it("while the one that it differs from is not", () => {
    for (const catalog of [
      base,
      withSource({}),
      withSource({ validUntil: "2027-03-31" }),
      withModel({ aliases: ["m1-latest"] }),
    ])
      expect(problemsOf(catalog)).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ["a provider id twice", { ...base, providers: [alpha, beta, alpha] }, "duplicate provider id alpha"],
    ["a model id twice", { ...base, models: [m1, m1] }, "duplicate model id or alias m1"],
    ["an alias that is a model's id", { ...base, models: [m1, { ...m1, id: "m2", aliases: ["m1"] }] }, "alias m1"],
    [
      "an alias that a later model has as its id",
      { ...base, models: [{ ...m1, id: "m2", aliases: ["m1"] }, m1] },
      "alias m1",
    ],
    ["an alias that is its own model's id", withModel({ aliases: ["m1"] }), "alias m1"],
    [
      "an alias twice",
      {
        ...base,
        models: [
          { ...m1, aliases: ["x"] },
          { ...m1, id: "m2", aliases: ["x"] },
        ],
      },
      "alias x",
    ],
    ["a model called auto", withModel({ id: "auto" }), "alias auto"],
    ["an alias called auto", withModel({ aliases: ["auto"] }), "alias auto"],
    ["a provider that it does not have", withMapping({ provider: "gamma" }), "unknown provider gamma"],
    ["a model that one provider serves twice", withModel({ providers: [atAlpha, atAlpha] }), "names alpha twice"],
    [
      "an API that the provider does not answer",
      withMapping({ apis: ["messages"] }),
      "alpha has no endpoint for messages",
    ],
  ])("%s", (_, catalog, message) => {
    expect(problemsOf(catalog)).toEqual([expect.stringContaining(message)]);
  });
});

describe("a catalog that this build does not understand is refused", () => {
  const endpoint = (url: string, auth = "bearer") => withProvider({ apis: { chat_completions: { url, auth } } });

  it.each<[string, unknown]>([
    ["an unknown field of the catalog", { ...base, extra: 1 }],
    ["an unknown field of a provider", withProvider({ extra: 1 })],
    ["an unknown field of a data policy", withFact({ hipaa: true })],
    ["an unknown field of a source", withSource({ extra: 1 })],
    ["an unknown field of a mapping", withMapping({ extra: 1 })],
    ["an unknown field of a mapping's data policy", withMapping({ dataPolicy: { hipaa: true } })],
    ["evidence for an attribute that it does not know", withProvider({ evidence: { hipaa: source } })],
    ["a data policy without one of its attributes", withProvider({ dataPolicy: { soc2: "type2" } })],
    ["a SOC 2 report of another type", withFact({ soc2: "type3" })],
    ["a fact in words", withFact({ trainsOnPrompts: "false" })],
    ["a mapping's fact in words", withMapping({ dataPolicy: { logsPrompts: "no" } })],
    ["a mapping's data policy that is null", withMapping({ dataPolicy: null })],
    ["a retention below zero", withFact({ retentionDays: -1 })],
    ["a retention of half a day", withFact({ retentionDays: 0.5 })],
    ["a legal entity of spaces", withProvider({ legalEntity: "  " })],
    ["headquarters by name", withProvider({ headquarters: "France" })],
    ["a last day that is no day", withSource({ validUntil: "2026-02-30" })],
    ["a last day that is a year", withSource({ validUntil: "2027" })],
    ["a last day with a time", withSource({ validUntil: "2027-03-31T00:00:00Z" })],
    ["a last day that is null", withSource({ validUntil: null })],
    ["a source that is a script", withSource({ source: "javascript:alert(1)" })],
    ["an endpoint without TLS", endpoint("http://alpha.example/v1")],
    ["an endpoint with a query", endpoint("https://alpha.example/v1?key=1")],
    ["an endpoint with a fragment", endpoint("https://alpha.example/v1#")],
    ["an endpoint with a user", endpoint("https://user@alpha.example/v1")],
    ["an endpoint of another authentication", endpoint("https://alpha.example/v1", "basic")],
    ["a secret that is no secret's name", withProvider({ secret: "__proto__" })],
    ["a provider id with a slash", withProvider({ id: "al/pha" })],
    ["a model id with a slash", withModel({ id: "m/1" })],
    ["a model id with a space", withModel({ id: "m 1" })],
    ["a price below zero", withMapping({ price: { input: -1, output: 1 } })],
    ["a retirement that is no day", withMapping({ deactivatedAt: "2026-13-01" })],
    ["a version with a slash", { ...base, version: "a/b" }],
    ["nothing", null],
  ])("%s", (_, catalog) => {
    expect(problemsOf(catalog)).not.toEqual([]);
  });
});
