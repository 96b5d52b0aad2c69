// The evaluator by example: lists, headquarters, every failure kept, policies joined by AND.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Mapping, Provider } from "../src/catalog/schema.ts";
import { evaluate, type Rules } from "../src/compliance/evaluate.ts";
import { DISABLED_POLICY, type StoredPolicy } from "../src/compliance/policy.ts";
import { preview } from "../src/compliance/preview.ts";
import { REQUIREMENT_IDS } from "../src/compliance/requirements.ts";
import { providerOf, smallCatalog } from "./small-catalog.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");

const on = (rules: Partial<StoredPolicy>): StoredPolicy => ({ ...DISABLED_POLICY, enabled: true, ...rules });
const rulesOf = (...policies: StoredPolicy[]): Rules => ({ policies, requirements: [] });

describe("one provider against one policy", () => {
  const acme = providerOf("acme");
  const served = { id: "m1", mapping: {} };
  const failuresOf = (rules: Rules, provider = acme, model: typeof served | undefined = served) =>
    evaluate(rules, { provider, ...(model && { model }), now: NOW }).failures;

  it.each<{ name: string; policy: Partial<StoredPolicy>; failures: unknown[] }>([
    { name: "no rule at all", policy: {}, failures: [] },
    { name: "headquarters that match", policy: { headquarters: ["FR", "US"] }, failures: [] },
    {
      name: "headquarters elsewhere",
      policy: { headquarters: ["FR"] },
      failures: [{ code: "headquarters", found: "US" }],
    },
    { name: "an allow list that names it", policy: { providers: { allow: ["acme"], block: [] } }, failures: [] },
    {
      name: "an allow list that does not",
      policy: { providers: { allow: ["Acme"], block: [] } },
      failures: [{ code: "provider_not_allowed", found: "acme" }],
    },
    {
      name: "a block list, which wins over the allow list",
      policy: { providers: { allow: ["acme"], block: ["acme"] } },
      failures: [{ code: "provider_blocked", found: "acme" }],
    },
    { name: "a model that is allowed", policy: { models: { allow: ["m1"], block: ["m2"] } }, failures: [] },
    {
      name: "a model that is not on the allow list",
      policy: { models: { allow: ["m2"], block: [] } },
      failures: [{ code: "model_not_allowed", found: "m1" }],
    },
    {
      name: "a blocked model, also when it is allowed",
      policy: { models: { allow: ["m1"], block: ["m1"] } },
      failures: [{ code: "model_blocked", found: "m1" }],
    },
  ])("judges it by $name", ({ policy, failures }) => {
    expect(failuresOf(rulesOf(on(policy)))).toEqual(failures);
    expect(failuresOf(rulesOf({ ...on(policy), enabled: false }))).toEqual([]);
  });

  it("fails on headquarters that are unknown, expired, or an aggregator's", () => {
    const rules = rulesOf(on({ headquarters: ["US"] }));
    const expired = { headquarters: { validUntil: "2026-11-22" } } as Provider["evidence"];
    const found = [{ headquarters: null }, { evidence: expired }, { aggregator: true }].map(
      (change) => failuresOf(rules, providerOf("acme", change))[0]?.found,
    );
    expect(found).toEqual([null, "expired 2026-11-22", null]);
  });

  it("an allow list does not excuse a requirement", () => {
    const leaky = providerOf("acme", { dataPolicy: { ...acme.dataPolicy, trainsOnPrompts: true } });
    const rules = rulesOf(on({ requirements: ["no_training"], providers: { allow: ["acme"], block: [] } }));
    expect(failuresOf(rules, leaky)).toEqual([{ code: "no_training", found: true }]);
  });

  it("keeps every failure, of both policies and of the request, each once", () => {
    const blank = providerOf("blank", { dataPolicy: { ...acme.dataPolicy, soc2: null, gdpr: false } });
    const org = on({ requirements: ["soc2", "gdpr", "soc9"], headquarters: ["FR"] });
    const project = on({
      requirements: ["soc2", "iso27001"],
      headquarters: ["FR"],
      providers: { allow: ["acme"], block: ["blank"] },
      models: { allow: ["m2"], block: ["m1"] },
    });
    expect(failuresOf({ policies: [org, project], requirements: ["gdpr", "soc2_type2"] }, blank)).toEqual([
      { code: "soc2", found: null },
      { code: "gdpr", found: false },
      { code: "unknown_requirement", found: "soc9" },
      { code: "headquarters", found: "US" },
      { code: "provider_blocked", found: "blank" },
      { code: "provider_not_allowed", found: "blank" },
      { code: "model_blocked", found: "m1" },
      { code: "model_not_allowed", found: "m1" },
      { code: "soc2_type2", found: null },
    ]);
  });

  it("a project's policy neither loosens the organization's nor needs it to be on", () => {
    const strict = on({ providers: { allow: [], block: ["acme"] } });
    for (const policies of [
      [strict, DISABLED_POLICY],
      [strict, on({ providers: { allow: ["acme"], block: [] } })],
      [DISABLED_POLICY, strict],
    ])
      expect(failuresOf(rulesOf(...policies))).toEqual([{ code: "provider_blocked", found: "acme" }]);
  });

  it("does not judge models where the provider itself is judged", () => {
    const rules = rulesOf(on({ models: { allow: ["other"], block: ["m1"] } }));
    expect(evaluate(rules, { provider: acme, now: NOW })).toMatchObject({ allowed: true, model: null });
  });
});

it("never throws, whatever a fact turns out to be", () => {
  const odd = fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true });
  const oddData = fc.dictionary(fc.constantFrom(...Object.keys(providerOf("p0").dataPolicy)), odd);
  const oddProvider = fc.record({ dataPolicy: oddData, legalEntity: odd, headquarters: odd, aggregator: odd });
  const rules = rulesOf(on({ requirements: [...REQUIREMENT_IDS], headquarters: ["US"] }));
  fc.assert(
    fc.property(oddProvider, fc.option(oddData), fc.double(), (change, dataPolicy, now) => {
      const provider = { ...providerOf("p0"), ...change } as unknown as Provider;
      const mapping = { dataPolicy } as unknown as Mapping;
      expect(typeof evaluate(rules, { provider, model: { id: "m0", mapping }, now }).allowed).toBe("boolean");
    }),
  );
});

it("the preview says what a draft newly blocks and newly allows, and what it leaves as it is", () => {
  const rules = (...requirements: string[]) => rulesOf(on({ requirements }));
  const changesOf = (draft: Rules, inForce: Rules) => {
    const { providers, models } = preview({ draft, inForce }, smallCatalog, NOW);
    return [...providers, ...models].filter(({ change }) => change !== null).map(({ id, change }) => `${id} ${change}`);
  };
  const strict = rules("no_training");
  const blocked = ["leaky", "blank", "dirty", "retired-dirty", "mute-dirty"];
  expect(changesOf(strict, rules())).toEqual(blocked.map((id) => `${id} newly_blocked`));
  expect(changesOf(rules(), strict)).toEqual(blocked.map((id) => `${id} newly_allowed`));
  expect(changesOf(strict, strict)).toEqual([]);
  expect(preview({ draft: strict, inForce: rules() }, smallCatalog, NOW).summary).toEqual({
    providers: { allowed: 4, blocked: 2 },
    models: { allowed: smallCatalog.models.length - 3, blocked: 3 },
  });
});
