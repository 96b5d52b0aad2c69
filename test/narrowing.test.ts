// The evaluator by its properties, over generated catalogs and policies: adding a rule or losing a fact never allows
// more, and everybody who asks gets the same answer.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indexCatalog } from "../src/catalog/lookup.ts";
import type { Catalog, Mapping, Provider } from "../src/catalog/schema.ts";
import { evaluate, type Rules } from "../src/compliance/evaluate.ts";
import { createEvaluator } from "../src/compliance/evaluator.ts";
import type { Attribute, DataPolicy } from "../src/compliance/facts.ts";
import { DISABLED_POLICY, type StoredPolicy } from "../src/compliance/policy.ts";
import { preview } from "../src/compliance/preview.ts";
import { REQUIREMENT_IDS, type RequirementId } from "../src/compliance/requirements.ts";
import { listedModel } from "../src/gateway/models.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { modelOf, providerOf } from "./small-catalog.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const DAY_MS = 86_400_000;

const nullable = <T>(...values: T[]) => fc.constantFrom<T | null>(...values, ...values, null);
const DATA = {
  soc2: nullable("type1" as const, "type2" as const, "unspecified" as const),
  iso27001: nullable(true, true, false),
  gdpr: nullable(true, true, false),
  trainsOnPrompts: nullable(false, false, true),
  logsPrompts: nullable(false, false, true),
  retentionDays: nullable(0, 0, 30),
};
const DATA_NAMES = Object.keys(DATA) as (keyof DataPolicy)[];
const ATTRIBUTES: readonly Attribute[] = [...DATA_NAMES, "legalEntity", "headquarters"];
const COUNTRIES = ["US", "FR", "CN"];
const lastDay = fc.record({ validUntil: fc.constantFrom("2026-11-22", "2026-11-23", "2026-11-25") });
const evidence = fc.dictionary(fc.constantFrom(...ATTRIBUTES), lastDay, { maxKeys: 3 });
const moment = fc.integer({ min: NOW - 3 * DAY_MS, max: NOW + 5 * DAY_MS });
const IDS = ["p0", "p1", "p2", "p3"];
const MODELS = ["m0", "m1"];

const provider = fc.record({
  dataPolicy: fc.record(DATA),
  legalEntity: nullable("Acme Inc."),
  headquarters: nullable(...COUNTRIES),
  aggregator: fc.constantFrom(false, false, false, true),
  evidence: evidence as unknown as fc.Arbitrary<Provider["evidence"]>,
});
const mapping = fc.record({ dataPolicy: fc.record(DATA, { requiredKeys: [] }) }, { requiredKeys: [] });
const served = fc.dictionary(fc.constantFrom(...IDS), mapping);
const catalogs: fc.Arbitrary<Catalog> = fc
  .tuple(fc.array(provider, { minLength: 4, maxLength: 4 }), fc.array(served, { minLength: 2, maxLength: 2 }))
  .map(([providers, models]) => ({
    version: "generated",
    providers: providers.map((change, at) => providerOf(`p${at}`, change)),
    models: models.map((mappings, at) => modelOf(`m${at}`, mappings)),
  }));

const few = <T>(items: readonly T[], maxLength = 2) => fc.subarray([...items], { maxLength });
const exceptions = (ids: readonly string[]) =>
  fc.record({ allow: fc.oneof(fc.constant<string[]>([]), fc.subarray([...ids])), block: few(ids, 1) });
const policiesOver = (providers: readonly string[], models: readonly string[]): fc.Arbitrary<StoredPolicy> =>
  fc.record({
    enabled: fc.constantFrom(true, true, false),
    requirements: few<string>(REQUIREMENT_IDS),
    headquarters: fc.oneof(fc.constant<string[]>([]), fc.subarray(COUNTRIES)),
    providers: exceptions(providers),
    models: exceptions(models),
  });
const policy = policiesOver(IDS, MODELS);
const requirement = fc.constantFrom(...REQUIREMENT_IDS);
const requestAdds = few(REQUIREMENT_IDS, 1) as fc.Arbitrary<RequirementId[]>;
const rules: fc.Arbitrary<Rules> = fc.record({
  policies: fc.array(policy, { minLength: 1, maxLength: 2 }),
  requirements: requestAdds,
});

/** Everything that the rules allow of a catalog: `provider` and `provider/model`. */
function allowedOf(by: Rules, { providers, models }: Catalog, now: number): string[] {
  const byId = new Map(providers.map((each) => [each.id, each]));
  const whole = providers.filter((each) => evaluate(by, { provider: each, now }).allowed).map(({ id }) => id);
  const mapped = models.flatMap(({ id, providers: mappings }) =>
    mappings
      .filter(
        (each) =>
          evaluate(by, { provider: byId.get(each.provider) as Provider, model: { id, mapping: each }, now }).allowed,
      )
      .map((each) => `${each.provider}/${id}`),
  );
  return [...whole, ...mapped];
}

function expectNoMore(after: string[], before: string[]): void {
  expect(after.filter((each) => !before.includes(each))).toEqual([]);
}

const changeFirst = (by: Rules, change: (first: StoredPolicy) => Partial<StoredPolicy>): Rules => ({
  ...by,
  policies: by.policies.map((each, at) => (at === 0 ? { ...each, ...change(each) } : each)),
});
const oneFewer = <T>(list: readonly T[]): T[] => (list.length > 1 ? list.slice(1) : [...list]);
const require = (by: Rules, id: string) =>
  changeFirst(by, ({ requirements }) => ({ requirements: [...requirements, id] }));

describe("adding a rule never allows more", () => {
  const material = fc.record({ requirement, policy, id: fc.constantFrom(...IDS), model: fc.constantFrom(...MODELS) });
  type Material = typeof material extends fc.Arbitrary<infer T> ? T : never;
  const ways: Record<string, (by: Rules, material: Material) => Rules> = {
    "a requirement": (by, { requirement }) => require(by, requirement),
    "a requirement of a newer build": (by) => require(by, "soc9"),
    "a blocked provider": (by, { id }) =>
      changeFirst(by, ({ providers }) => ({ providers: { ...providers, block: [...providers.block, id] } })),
    "a blocked model": (by, { model }) =>
      changeFirst(by, ({ models }) => ({ models: { ...models, block: [...models.block, model] } })),
    "one provider fewer on the allow list": (by) =>
      changeFirst(by, ({ providers }) => ({ providers: { ...providers, allow: oneFewer(providers.allow) } })),
    "one model fewer on the allow list": (by) =>
      changeFirst(by, ({ models }) => ({ models: { ...models, allow: oneFewer(models.allow) } })),
    "one country fewer": (by) => changeFirst(by, ({ headquarters }) => ({ headquarters: oneFewer(headquarters) })),
    "the policy switched on": (by) => changeFirst(by, () => ({ enabled: true })),
    "a project's policy": (by, { policy }) => ({ ...by, policies: [...by.policies, policy] }),
    "a requirement of the request": (by, { requirement }) => ({
      ...by,
      requirements: [...by.requirements, requirement],
    }),
  };
  it.each(Object.entries(ways))("%s", (_, narrow) => {
    fc.assert(
      fc.property(catalogs, rules, material, moment, (catalog, by, added, now) => {
        expectNoMore(allowedOf(narrow(by, added), catalog, now), allowedOf(by, catalog, now));
      }),
    );
  });
});

describe("losing a fact never allows more", () => {
  const material = fc.record({ at: fc.nat(3), attribute: fc.constantFrom(...ATTRIBUTES) });
  const changeProviders = (catalog: Catalog, at: number, change: (each: Provider) => Partial<Provider>): Catalog => ({
    ...catalog,
    providers: catalog.providers.map((each, index) => (index === at ? { ...each, ...change(each) } : each)),
  });
  const isData = (attribute: Attribute): attribute is keyof DataPolicy =>
    (DATA_NAMES as readonly Attribute[]).includes(attribute);
  const ways: Record<string, (catalog: Catalog, lost: { at: number; attribute: Attribute }) => Catalog> = {
    "a provider's": (catalog, { at, attribute }) =>
      changeProviders(catalog, at, ({ dataPolicy }) =>
        isData(attribute) ? { dataPolicy: { ...dataPolicy, [attribute]: null } } : { [attribute]: null },
      ),
    "a mapping's": (catalog, { attribute }) => {
      const forget = (each: Mapping) =>
        isData(attribute) ? { ...each, dataPolicy: { ...each.dataPolicy, [attribute]: null } } : each;
      return { ...catalog, models: catalog.models.map((m) => ({ ...m, providers: m.providers.map(forget) })) };
    },
    "by expiry": (catalog, { at, attribute }) =>
      changeProviders(catalog, at, ({ evidence }) => ({
        evidence: { ...evidence, [attribute]: { validUntil: "2026-11-01" } } as Provider["evidence"],
      })),
    "to an aggregator": (catalog, { at }) => changeProviders(catalog, at, () => ({ aggregator: true })),
  };
  it.each(Object.entries(ways))("%s", (_, lose) => {
    fc.assert(
      fc.property(catalogs, rules, material, moment, (catalog, by, lost, now) => {
        expectNoMore(allowedOf(by, lose(catalog, lost), now), allowedOf(by, catalog, now));
      }),
    );
  });
  it("by time alone", () => {
    fc.assert(
      fc.property(catalogs, rules, moment, fc.nat(9 * DAY_MS), (catalog, by, now, later) => {
        expectNoMore(allowedOf(by, catalog, now + later), allowedOf(by, catalog, now));
      }),
    );
  });
});

it("a policy that is switched off allows everything", () => {
  fc.assert(
    fc.property(catalogs, policy, moment, (catalog, stored, now) => {
      const off = { policies: [{ ...stored, enabled: false }], requirements: [] };
      expect(allowedOf(off, catalog, now)).toEqual(allowedOf({ policies: [], requirements: [] }, catalog, now));
    }),
  );
});

/** The evaluator, the preview and the models list, asked about the whole catalog. */
function expectOneAnswer(catalog: Catalog, by: Rules, now: number): void {
  const asked = new Set(allowedOf(by, catalog, now));
  const index = indexCatalog(catalog);
  const seen = preview({ draft: by, inForce: by }, catalog, now);
  const judge = createEvaluator(by);
  for (const { id, allowed } of seen.providers) expect({ id, allowed }).toEqual({ id, allowed: asked.has(id) });
  for (const [at, model] of catalog.models.entries()) {
    const row = seen.models[at];
    const listed = listedModel(model, { catalog: index, judge, withBlocked: true, now });
    const expected = model.providers.map((each) => each.provider).filter((id) => asked.has(`${id}/${model.id}`));
    expect(row).toMatchObject({ id: model.id, allowed_providers: expected, change: null });
    expect(listed.providers.map(({ id }) => id)).toEqual(expected);
    expect(listed.allowed).toBe(expected.length > 0);
    expect(listed.blocked_providers).toEqual(row?.blocked_providers);
  }
  const counted = seen.models.filter((row) => row.allowed_providers.length > 0).length;
  expect(seen.summary.models).toEqual({ allowed: counted, blocked: catalog.models.length - counted });
}

describe("evaluate, preview and the models list agree", () => {
  it("on generated catalogs", () => {
    fc.assert(fc.property(catalogs, rules, moment, expectOneAnswer));
  });
  it("on the shipped one", () => {
    const ids = shippedCatalog.providers.map(({ id }) => id);
    const any = policiesOver(
      ids,
      shippedCatalog.models.map(({ id }) => id),
    );
    const check = (stored: StoredPolicy, requirements: RequirementId[], now: number) =>
      expectOneAnswer(shippedCatalog, { policies: [stored], requirements }, now);
    fc.assert(fc.property(any, requestAdds, moment, check), { numRuns: 10 });
  });
});

describe("what an evaluator remembers", () => {
  const moments = fc.array(moment, { minLength: 2, maxLength: 6 });
  const candidatesOf = (catalog: Catalog) => [...indexCatalog(catalog).candidates.values()].flat();
  const judged = ({ provider, model, mapping }: ReturnType<typeof candidatesOf>[number], by: Rules, now: number) =>
    evaluate(by, { provider: { ...provider }, model: { id: model, mapping }, now });

  it("never differs from a fresh judgement as time goes on, also past expiry", () => {
    fc.assert(
      fc.property(catalogs, rules, moments, (catalog, by, times) => {
        const judge = createEvaluator(by);
        for (const now of times.toSorted((a, b) => a - b))
          for (const candidate of candidatesOf(catalog))
            expect({ ...judge(candidate, now) }).toEqual({ ...judged(candidate, by, now) });
      }),
    );
  });
  it("is of that model, also where two models share a mapping", () => {
    const models = { allow: [], block: ["m1"] };
    const judge = createEvaluator({ policies: [{ ...DISABLED_POLICY, enabled: true, models }], requirements: [] });
    const shared = { provider: providerOf("p0"), mapping: {} };
    expect(MODELS.map((model) => judge({ ...shared, model }, NOW).allowed)).toEqual([true, false]);
  });
  it("never allows more when the clock jumps", () => {
    fc.assert(
      fc.property(catalogs, rules, moments, (catalog, by, times) => {
        const judge = createEvaluator(by);
        for (const now of times)
          for (const candidate of candidatesOf(catalog))
            if (judge(candidate, now).allowed) expect(judged(candidate, by, now).allowed).toBe(true);
      }),
    );
  });
});
