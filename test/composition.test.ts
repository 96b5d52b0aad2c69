// A project's policy beside its organization's: it only ever narrows, says where each failure comes from, and says what of
// it has no effect. By properties over generated policies on the shipped catalog, and by name.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutEffect } from "../src/admin/no-effect.ts";
import { previewProjectPolicy } from "../src/admin/project-policy.ts";
import { indexCatalog } from "../src/catalog/lookup.ts";
import { evaluate, type Rules } from "../src/compliance/evaluate.ts";
import { DISABLED_POLICY, type StoredPolicy } from "../src/compliance/policy.ts";
import { preview } from "../src/compliance/preview.ts";
import { REQUIREMENT_IDS, requirementOf } from "../src/compliance/requirements.ts";
import { rulesOf } from "../src/compliance/rules.ts";
import type { OrgRecord } from "../src/store/records.ts";
import { firstRecord } from "../src/store/revisions.ts";
import { modelOf, providerOf } from "./small-catalog.ts";
import { policyOf } from "./world.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const unknown = {
  soc2: null,
  iso27001: null,
  gdpr: null,
  trainsOnPrompts: null,
  logsPrompts: null,
  retentionDays: null,
};
const all = providerOf("all").dataPolicy;
const catalog = indexCatalog({
  version: "composed",
  providers: [
    providerOf("all"),
    providerOf("french", { headquarters: "FR" }),
    providerOf("chinese", { headquarters: "CN", dataPolicy: { ...all, gdpr: null } }),
    providerOf("trains", { dataPolicy: { ...all, trainsOnPrompts: true } }),
    providerOf("logs", { dataPolicy: { ...all, logsPrompts: true, retentionDays: 30 } }),
    providerOf("type1", { dataPolicy: { ...all, soc2: "type1", iso27001: false } }),
    providerOf("blank", { dataPolicy: unknown, legalEntity: null, headquarters: null }),
  ],
  models: [
    modelOf("m0", { all: 1, chinese: 1, logs: 1, blank: 1 }),
    modelOf("m1", { french: 1, trains: { dataPolicy: { trainsOnPrompts: false } }, type1: 1 }),
  ],
});
const PROVIDERS = [...catalog.providers.keys()];
const MODELS = [...catalog.models.keys()];
const COUNTRIES = ["US", "FR", "CN"];

const some = <T>(items: readonly T[], maxLength = items.length) => fc.subarray([...items], { maxLength });
const listOf = (ids: readonly string[]) =>
  fc.record({ allow: fc.oneof(fc.constant<string[]>([]), some(ids)), block: some(ids, 2) });
const policy: fc.Arbitrary<StoredPolicy> = fc.record({
  enabled: fc.constantFrom(true, true, true, false),
  requirements: some<string>([...REQUIREMENT_IDS, "of_a_newer_build"], 3),
  headquarters: fc.oneof(fc.constant<string[]>([]), some(COUNTRIES)),
  providers: listOf(PROVIDERS),
  models: listOf(MODELS),
});

const recordOf = (organization: StoredPolicy, own?: StoredPolicy): OrgRecord => ({
  ...firstRecord("acme", organization),
  ...(own && { projects: { web: { policy: own } } }),
});

/** Everything that the rules allow: `provider` and `provider/model`. */
function allowedBy(rules: Rules): string[] {
  const whole = [...catalog.providers.values()].filter((provider) => evaluate(rules, { provider, now: NOW }).allowed);
  const mapped = [...catalog.candidates.values()]
    .flat()
    .filter(
      ({ provider, model, mapping }) => evaluate(rules, { provider, model: { id: model, mapping }, now: NOW }).allowed,
    );
  return [...whole.map(({ id }) => id), ...mapped.map(({ provider, model }) => `${provider.id}/${model}`)];
}

describe("a project's policy never allows more than its organization's", () => {
  it("whatever the two say", () => {
    fc.assert(
      fc.property(policy, policy, (organization, own) => {
        const alone = allowedBy(rulesOf(recordOf(organization), "web"));
        const composed = allowedBy(rulesOf(recordOf(organization, own), "web"));
        expect(composed.filter((each) => !alone.includes(each))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("nor more than itself", () => {
    fc.assert(
      fc.property(policy, policy, (organization, own) => {
        const itself = allowedBy({ policies: [own], requirements: [] });
        const composed = allowedBy(rulesOf(recordOf(organization, own), "web"));
        expect(composed.filter((each) => !itself.includes(each))).toEqual([]);
      }),
    );
  });

  it("and is no other project's, also where a project is called as an object's own members are", () => {
    const organization = policyOf({ requirements: ["soc2"] });
    const record = { ...firstRecord("acme", organization), projects: { web: { policy: policyOf({}) } } };
    for (const project of ["batch", "constructor", "tostring"])
      expect(rulesOf(record, project).policies).toEqual([organization]);
  });
});

describe("the preview of a project's policy", () => {
  const previewed = (organization: StoredPolicy, own: StoredPolicy, inForce?: StoredPolicy) =>
    previewProjectPolicy(own, { record: recordOf(organization, inForce), project: "web", catalog, now: NOW });

  it("says what a request of the project is judged by, once it is saved", () => {
    fc.assert(
      fc.property(policy, policy, policy, (organization, own, before) => {
        const rules = {
          draft: rulesOf(recordOf(organization, own), "web"),
          inForce: rulesOf(recordOf(organization, before), "web"),
        };
        const enforced = preview(
          rules,
          { providers: catalog.providers.values(), models: catalog.models.values() },
          NOW,
        );
        const { catalog_version, revision, ...shown } = previewed(organization, own, before);
        expect({ catalog_version, revision }).toEqual({ catalog_version: "composed", revision: 1 });
        const bare = JSON.parse(JSON.stringify(shown, (key, value) => (key === "from" ? undefined : value)));
        expect(bare).toEqual(JSON.parse(JSON.stringify(enforced)));
      }),
    );
  });

  it("names the source of every failure: what the organization's policy alone finds is the organization's", () => {
    fc.assert(
      fc.property(policy, policy, (organization, own) => {
        const alone = rulesOf(recordOf(organization), null);
        const { providers } = previewed(organization, own);
        for (const { id, failures } of providers) {
          const provider = catalog.providers.get(id);
          if (!provider) throw new Error(id);
          const organizations = evaluate(alone, { provider, now: NOW }).failures;
          const from = (source: string) =>
            failures.filter((each) => each.from === source).map(({ code, found }) => ({ code, found }));
          expect(from("organization")).toEqual(organizations);
          expect(from("organization").length + from("project").length).toBe(failures.length);
        }
      }),
    );
  });

  it("by name: both fail a provider, each by its own rule", () => {
    const { providers, models } = previewed(
      policyOf({ requirements: ["gdpr"] }),
      policyOf({ requirements: ["gdpr"], headquarters: ["US"] }),
    );
    const failures = [
      { code: "gdpr", found: null, from: "organization" },
      { code: "headquarters", found: "CN", from: "project" },
    ];
    expect(providers.find(({ id }) => id === "chinese")?.failures).toEqual(failures);
    const blocked = models.find(({ id }) => id === "m0")?.blocked_providers;
    expect(blocked?.find(({ id }) => id === "chinese")?.failures).toEqual(failures);
  });
});

describe("what tries to be wider has no effect, and is told", () => {
  const strict = policyOf({
    requirements: ["soc2_type2", "gdpr"],
    headquarters: ["US", "FR"],
    providers: { allow: [], block: ["xai"] },
    models: { allow: ["m0", "m1"], block: ["m1"] },
  });
  const following = { ...strict, models: { allow: ["m0"], block: ["m1"] } };

  it.each<[string, Partial<StoredPolicy>, { path: string; entries: string[] }[]]>([
    [
      "nothing, where the project asks for all of it and more",
      { requirements: ["soc2_type2", "gdpr", "no_logging"] },
      [],
    ],
    ["a policy that is switched off", { enabled: false }, [{ path: "enabled", entries: [] }]],
    ["a requirement left out", { requirements: ["gdpr"] }, [{ path: "requirements", entries: ["soc2_type2"] }]],
    ["no country named", { headquarters: [] }, [{ path: "headquarters", entries: [] }]],
    [
      "a country that the organization does not allow",
      { headquarters: ["US", "CN"] },
      [{ path: "headquarters", entries: ["CN"] }],
    ],
    ["fewer countries are no attempt", { headquarters: ["US"] }, []],
    [
      "allowing a provider that the organization blocks",
      { providers: { allow: ["xai", "openai"], block: [] } },
      [{ path: "providers.allow", entries: ["xai"] }],
    ],
    [
      "leaving out a blocked provider",
      { providers: { allow: [], block: [] } },
      [{ path: "providers.block", entries: ["xai"] }],
    ],
    [
      "a model that is not on the organization's list",
      { models: { allow: ["m0", "m9"], block: ["m1"] } },
      [{ path: "models.allow", entries: ["m9"] }],
    ],
    ["no list of models", { models: { allow: [], block: ["m1"] } }, [{ path: "models.allow", entries: [] }]],
  ])("%s", (_, change, expected) => {
    const notes = withoutEffect(strict, { ...following, ...change });
    expect(notes.map(({ path, entries }) => ({ path, entries }))).toEqual(expected);
    for (const { message } of notes) expect(message.length).toBeGreaterThan(20);
  });

  it("while the organization's policy is off, the project's may ask for less", () => {
    expect(withoutEffect({ ...strict, enabled: false }, policyOf({}))).toEqual([]);
    expect(withoutEffect(DISABLED_POLICY, DISABLED_POLICY)).toEqual([]);
  });

  it("what a note names is never allowed", () => {
    fc.assert(
      fc.property(policy, policy, (organization, own) => {
        const allowed = allowedBy(rulesOf(recordOf(organization, own), "web"));
        const providersOf = allowed.map((each) => each.split("/")[0] ?? "");
        const modelsOf = allowed.map((each) => each.split("/")[1]);
        for (const { path, entries } of withoutEffect(organization, own))
          for (const entry of entries) {
            if (path.startsWith("providers")) expect(providersOf).not.toContain(entry);
            if (path.startsWith("models")) expect(modelsOf).not.toContain(entry);
            if (path === "headquarters")
              for (const id of providersOf) expect(catalog.providers.get(id)?.headquarters).not.toBe(entry);
            if (path === "requirements" && !requirementOf(entry)) expect(allowed).toEqual([]);
          }
      }),
    );
  });

  it("a project whose policy earns no note is not wider in any part: it alone allows no more than the organization", () => {
    fc.assert(
      fc.property(policy, policy, (organization, own) => {
        fc.pre(withoutEffect(organization, own).length === 0);
        const itself = allowedBy({ policies: [own], requirements: [] });
        const composed = allowedBy(rulesOf(recordOf(organization, own), "web"));
        expect(itself).toEqual(composed);
      }),
      { numRuns: 200 },
    );
  });
});
