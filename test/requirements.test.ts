// The requirement registry as a truth table, and how facts come to be: overrides, aggregators, expiry.
import { describe, expect, it } from "vitest";
import { type Assessed, evaluate } from "../src/compliance/evaluate.ts";
import { createEvaluator } from "../src/compliance/evaluator.ts";
import { type AssessedMapping, type Attribute, endOfDay, resolveFacts } from "../src/compliance/facts.ts";
import { REQUIREMENT_IDS, REQUIREMENTS, type RequirementId, requirementOf } from "../src/compliance/requirements.ts";

type Stated = { readonly [A in Attribute]?: unknown };

/** For each requirement: statements that satisfy it on the strength of `restsOn` alone, and statements that do not. */
const TABLE: Record<
  Exclude<RequirementId, "no_remote_tools">,
  {
    readonly satisfied: readonly { readonly by: Stated; readonly restsOn: readonly Attribute[] }[];
    readonly contradicted: readonly { readonly by: Stated; readonly found: unknown }[];
  }
> = {
  soc2: {
    satisfied: ["type1", "type2", "unspecified"].map((soc2) => ({ by: { soc2 }, restsOn: ["soc2"] })),
    contradicted: [],
  },
  soc2_type2: {
    satisfied: [{ by: { soc2: "type2" }, restsOn: ["soc2"] }],
    contradicted: [
      { by: { soc2: "type1", iso27001: true }, found: "type1" },
      { by: { soc2: "unspecified", iso27001: true }, found: "unspecified" },
    ],
  },
  iso27001: {
    satisfied: [{ by: { iso27001: true }, restsOn: ["iso27001"] }],
    contradicted: [{ by: { iso27001: false, soc2: "type2" }, found: false }],
  },
  soc2_type2_or_iso27001: {
    satisfied: [
      { by: { soc2: "type2", iso27001: false }, restsOn: ["soc2"] },
      { by: { soc2: "type2", iso27001: null }, restsOn: ["soc2"] },
      { by: { soc2: "unspecified", iso27001: true }, restsOn: ["iso27001"] },
      { by: { soc2: null, iso27001: true }, restsOn: ["iso27001"] },
    ],
    contradicted: [
      { by: { soc2: "type1", iso27001: false }, found: "SOC 2: Type 1; ISO 27001: no" },
      { by: { soc2: "unspecified", iso27001: null }, found: "SOC 2: type not stated; ISO 27001: unknown" },
      { by: { soc2: null, iso27001: null }, found: null },
    ],
  },
  gdpr: {
    satisfied: [{ by: { gdpr: true }, restsOn: ["gdpr"] }],
    contradicted: [{ by: { gdpr: false }, found: false }],
  },
  no_training: {
    satisfied: [{ by: { trainsOnPrompts: false }, restsOn: ["trainsOnPrompts"] }],
    contradicted: [{ by: { trainsOnPrompts: true }, found: true }],
  },
  no_logging: {
    satisfied: [{ by: { logsPrompts: false }, restsOn: ["logsPrompts"] }],
    contradicted: [{ by: { logsPrompts: true, retentionDays: 0 }, found: true }],
  },
  zero_retention: {
    satisfied: [{ by: { logsPrompts: false, retentionDays: 0 }, restsOn: ["logsPrompts", "retentionDays"] }],
    contradicted: [
      { by: { logsPrompts: true, retentionDays: 0 }, found: "Logging: logs prompts; Retention: keeps nothing" },
      {
        by: { logsPrompts: false, retentionDays: 1 },
        found: "Logging: does not log prompts; Retention: keeps prompts 1 day",
      },
      {
        by: { logsPrompts: false, retentionDays: 30 },
        found: "Logging: does not log prompts; Retention: keeps prompts 30 days",
      },
    ],
  },
  disclosed_operator: {
    satisfied: [{ by: { legalEntity: "Example, Inc." }, restsOn: ["legalEntity"] }],
    contradicted: [],
  },
};

const NOW = Date.parse("2026-11-23T12:00:00Z");
const LAST_DAY = "2026-10-01";
const STRINGS = ["", " ", "true", "false", "0", "null", "yes", "Type2", "TYPE2", "type2 ", "type3"];
const MALFORMED: readonly unknown[] = [1, -1, 2, Number.NaN, [], [true], ["type2"], {}, { type2: true }, undefined];

/** A provider of which nothing is known but what is `stated`, as the catalog's schema would never let it through. */
function providerOf(stated: Stated, lastDays: Stated = {}, aggregator = false): Assessed["provider"] {
  const { legalEntity = null, headquarters = null, ...dataPolicy } = stated;
  const evidence = Object.fromEntries(Object.entries(lastDays).map(([name, validUntil]) => [name, { validUntil }]));
  return { id: "acme", legalEntity, headquarters, aggregator, dataPolicy, evidence } as unknown as Assessed["provider"];
}

function judge(id: string, provider: Assessed["provider"], now = NOW) {
  return evaluate({ policies: [], requirements: [id as RequirementId] }, { provider, now });
}

/** All but the one that is about what a provider is asked to do, not about what is published of it. */
const OF_FACTS = Object.keys(TABLE) as (keyof typeof TABLE)[];

describe.each(OF_FACTS)("%s", (id) => {
  const { satisfied, contradicted } = TABLE[id];
  const rests = satisfied.flatMap(({ by, restsOn }) => restsOn.map((attribute) => ({ by, attribute })));

  it.each(satisfied)("is satisfied by $by", ({ by }) => {
    expect(judge(id, providerOf(by))).toMatchObject({ allowed: true, failures: [] });
  });

  it.each(contradicted)("is not satisfied by $by", ({ by, found }) => {
    expect(judge(id, providerOf(by)).failures).toEqual([{ code: id, found }]);
  });

  it("fails a provider of which nothing is known, and says that it is unknown", () => {
    const allNull = Object.fromEntries(REQUIREMENTS[id].reads.map((attribute) => [attribute, null]));
    for (const provider of [providerOf({}), providerOf(allNull)])
      expect(judge(id, provider).failures).toEqual([{ code: id, found: null }]);
  });

  it.each(rests)("of $by, an unknown or missing $attribute never satisfies it", ({ by, attribute }) => {
    const { [attribute]: _, ...others } = by;
    expect(judge(id, providerOf({ ...by, [attribute]: null })).allowed).toBe(false);
    expect(judge(id, providerOf(others)).allowed).toBe(false);
  });

  it.each(rests)("of $by, an expired $attribute never satisfies it, and its last day is said", ({ by, attribute }) => {
    const [failure] = judge(id, providerOf(by, { [attribute]: LAST_DAY })).failures;
    expect(failure?.code).toBe(id);
    expect(failure?.found).toContain(`expired ${LAST_DAY}`);
  });

  it.each(rests)("of $by, a malformed $attribute never satisfies it", ({ by, attribute }) => {
    for (const value of [...MALFORMED, ...(attribute === "legalEntity" ? ["", " \t"] : STRINGS)])
      expect(judge(id, providerOf({ ...by, [attribute]: value })).allowed, JSON.stringify(value)).toBe(false);
  });

  it.each(rests)("an aggregator's own $attribute counts as unknown", ({ by }) => {
    expect(judge(id, providerOf(by, {}, true)).failures).toEqual([{ code: id, found: null }]);
  });

  it("has a label, one sentence and the facts it reads", () => {
    const { label, description, reads } = REQUIREMENTS[id];
    expect(label).not.toBe("");
    expect(description).toMatch(/^The provider .*[^.]\.$|^The company .*[^.]\.$/);
    expect(new Set(satisfied.flatMap(({ restsOn }) => restsOn))).toEqual(new Set(reads));
  });
});

it("every requirement of the registry has its rows in the table", () => {
  expect(REQUIREMENT_IDS.filter((id) => id !== "no_remote_tools")).toEqual(OF_FACTS);
});

it.each(["soc3", "SOC2", " soc2", "", "__proto__", "constructor", "toString", "hasOwnProperty"])(
  "a requirement that this build does not know (%j) fails every provider",
  (id) => {
    const best = providerOf({ ...TABLE.zero_retention.satisfied[0]?.by, soc2: "type2", iso27001: true, gdpr: true });
    expect(requirementOf(id)).toBeUndefined();
    expect(judge(id, best).failures).toEqual([{ code: "unknown_requirement", found: id }]);
  },
);

describe("no_remote_tools", () => {
  const judged = (provider: Partial<Assessed["provider"]>, more: Partial<Assessed> = {}) =>
    evaluate(
      { policies: [], requirements: ["no_remote_tools"] },
      { provider: { ...providerOf({}), ...provider }, now: NOW, ...more },
    );
  const mapped = (mapping: AssessedMapping) => ({ model: { id: "m", mapping } });
  const failing = (...found: (string | null)[]) => found.map((each) => ({ code: "no_remote_tools", found: each }));

  it("is satisfied by a request that asks for none, at a provider that calls nobody by itself", () => {
    expect(judged({})).toMatchObject({ allowed: true, failures: [] });
    expect(judged({}, { remoteTools: [] }).allowed).toBe(true);
  });

  it("keeps each tool of the request as a failure of its own", () => {
    expect(judged({}, { remoteTools: ["mcp", "web_search"] }).failures).toEqual(failing("mcp", "web_search"));
  });

  it("fails a model that searches by itself, whatever the request says", () => {
    expect(judged({ searches: true }).failures).toEqual(failing("searches"));
    expect(judged({}, mapped({ searches: true })).failures).toEqual(failing("searches"));
    expect(judged({ searches: true }, { remoteTools: ["mcp"] }).failures).toEqual(failing("searches", "mcp"));
  });

  it("passes a model that is said not to, at a provider whose others do", () => {
    expect(judged({ searches: true }, mapped({ searches: false })).allowed).toBe(true);
  });

  it("fails an aggregator, which calls whom it chooses, unless it is said of the model that it does not", () => {
    expect(judged({ aggregator: true }).failures).toEqual(failing(null));
    expect(judged({ aggregator: true }, mapped({})).failures).toEqual(failing(null));
    expect(judged({ aggregator: true }, mapped({ searches: false })).allowed).toBe(true);
    expect(judged({ aggregator: true }, { remoteTools: ["mcp"] }).allowed).toBe(false);
  });

  it("asks nothing where it is not required", () => {
    const asked = { provider: providerOf({}), remoteTools: ["mcp"], now: NOW };
    expect(evaluate({ policies: [], requirements: [] }, asked).allowed).toBe(true);
  });

  it("an evaluator for one request's tools does not share its memory with another's", () => {
    const rules = { policies: [], requirements: ["no_remote_tools" as const] };
    const candidate = { provider: providerOf({}), model: "m", mapping: {} };
    expect(createEvaluator(rules, ["mcp"])(candidate, NOW).allowed).toBe(false);
    expect(createEvaluator(rules)(candidate, NOW).allowed).toBe(true);
    expect(createEvaluator(rules, ["mcp"])(candidate, NOW).allowed).toBe(false);
  });
});

describe("a fact with a last day", () => {
  const provider = providerOf({ soc2: "type2", iso27001: true }, { soc2: "2026-12-31", iso27001: "2027-06-30" });
  const firstMsAfter = Date.parse("2027-01-01T00:00:00.000Z");

  it("holds through the last millisecond, in UTC, of that day", () => {
    expect(endOfDay("2026-12-31")).toBe(firstMsAfter);
    expect(judge("soc2", provider, firstMsAfter - 1)).toMatchObject({ allowed: true, validUntil: firstMsAfter });
    expect(judge("soc2", provider, firstMsAfter).failures).toEqual([{ code: "soc2", found: "expired 2026-12-31" }]);
  });

  it("is known again when it was resolved later and is resolved for an earlier moment", () => {
    expect(resolveFacts(provider, undefined, firstMsAfter).soc2).toBeNull();
    expect(resolveFacts(provider, undefined, firstMsAfter - 1).soc2).toBe("type2");
  });

  it("bounds how long the resolved facts hold, and the next one does after it", () => {
    expect(resolveFacts(provider, undefined, firstMsAfter - 1).validUntil).toBe(firstMsAfter);
    expect(resolveFacts(provider, undefined, firstMsAfter).validUntil).toBe(endOfDay("2027-06-30"));
    expect(resolveFacts(provider, undefined, endOfDay("2027-06-30")).validUntil).toBe(Number.POSITIVE_INFINITY);
  });

  it.each(["", "soon", "2026-13-01", "31.12.2026"])("has expired when the day is %j, unreadable", (day) => {
    expect(judge("soc2", providerOf({ soc2: "type2" }, { soc2: day })).allowed).toBe(false);
  });
});

describe("a mapping's own data policy", () => {
  const factsOf = (provider: Assessed["provider"], dataPolicy: Stated, now = NOW) =>
    resolveFacts(provider, { dataPolicy } as unknown as AssessedMapping, now);
  const strict = providerOf({ soc2: "type2", logsPrompts: false, retentionDays: 0, legalEntity: "Acme" });

  it("overrides the provider's attribute by attribute, in both directions", () => {
    expect(factsOf(strict, { logsPrompts: true, retentionDays: 30 })).toMatchObject({
      soc2: "type2",
      logsPrompts: true,
      retentionDays: 30,
    });
    expect(factsOf(providerOf({ logsPrompts: true }), { logsPrompts: false })).toMatchObject({ logsPrompts: false });
  });

  it("makes an attribute unknown when it says null", () => {
    expect(factsOf(strict, { logsPrompts: null })).toMatchObject({ logsPrompts: null, retentionDays: 0 });
  });

  it("leaves the provider's own facts as they are for its other models", () => {
    factsOf(strict, { logsPrompts: true });
    expect(resolveFacts(strict, undefined, NOW)).toMatchObject({ logsPrompts: false });
    expect(resolveFacts(strict, {}, NOW)).toMatchObject({ logsPrompts: false });
  });

  it("is all that is known of an aggregator's model", () => {
    const facts = factsOf(providerOf({ soc2: "type2", gdpr: true, legalEntity: "Acme" }, {}, true), { gdpr: true });
    expect(facts).toMatchObject({ soc2: null, gdpr: true, legalEntity: null, headquarters: null });
  });

  it("does not expire with the provider's evidence", () => {
    const provider = providerOf({ soc2: "type2", gdpr: true }, { soc2: LAST_DAY, gdpr: LAST_DAY });
    expect(factsOf(provider, { soc2: "type2" })).toMatchObject({
      soc2: "type2",
      gdpr: null,
      expired: { gdpr: LAST_DAY },
    });
  });
});
