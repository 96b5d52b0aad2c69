// The providers as an admin reads them: facts with what they rest on, until when, and what the policy makes of them.
import { beforeAll, expect, it } from "vitest";
import { ProvidersAnswer } from "../src/admin/api/providers.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { modelOf, providerOf } from "./small-catalog.ts";
import { policyOf } from "./world.ts";

const evidence = (validUntil?: string) => ({
  source: "https://trust.example/soc2",
  publisher: "provider" as const,
  checkedAt: "2026-11-22",
  confidence: "high" as const,
  ...(validUntil && { validUntil }),
});
const SOURCED = Object.fromEntries(
  ["soc2", "iso27001", "gdpr", "trainsOnPrompts", "logsPrompts", "retentionDays", "legalEntity", "headquarters"].map(
    (attribute) => [attribute, evidence()],
  ),
);

const catalog = {
  version: "of-providers",
  providers: [
    providerOf("sound", { evidence: SOURCED }),
    providerOf("lapsed", { evidence: { ...SOURCED, soc2: evidence("2020-12-31"), gdpr: evidence("2099-01-01") } }),
    providerOf("lapsing", { evidence: { ...SOURCED, iso27001: evidence("2098-06-30") }, legalEntity: "Odd & Sons" }),
    providerOf("hearsay", { evidence: {} }),
    providerOf("broker", { aggregator: true, evidence: SOURCED }),
  ],
  models: [
    modelOf("one", { sound: 1, lapsed: 1, broker: { dataPolicy: { soc2: "type2" } } }),
    modelOf("two", { broker: 1 }),
  ],
};

let acme: AdminWorld;
beforeAll(async () => {
  acme = await openAdminWorld({ policy: policyOf({ requirements: ["soc2_type2"] }) });
  await acme.call("operator", "PUT", "/catalog", { body: catalog });
});

const list = async (query = "") => ProvidersAnswer.parse((await acme.ask("admin", "GET", `/providers${query}`)).body);
const idsOf = ({ data }: { data: { id: string }[] }) => data.map(({ id }) => id);
const factOf = async (id: string, attribute: string) => {
  const { body } = await acme.ask("admin", "GET", `/providers/${id}`);
  return body.facts.find((fact: { attribute: string }) => fact.attribute === attribute);
};

it.each([
  ["", ["broker", "hearsay", "lapsed", "lapsing", "sound"]],
  ["?show=allowed", ["hearsay", "lapsing", "sound"]],
  ["?show=blocked", ["broker", "lapsed"]],
  ["?show=expiring", ["lapsed", "lapsing"]],
  ["?show=unsourced", ["hearsay"]],
  ["?q=LAPS", ["lapsed", "lapsing"]],
  ["?q=odd%20%26%20sons", ["lapsing"]],
  ["?q=%25", []],
  ["?q=' OR 1=1 --", []],
])("lists ?%s", async (query, expected) => {
  expect(idsOf(await list(query))).toEqual(expected);
});

it("a fact past its last day is unknown, and still says what it rested on", async () => {
  expect(await factOf("lapsed", "soc2")).toMatchObject({
    value: null,
    expired: "2020-12-31",
    evidence: { source: "https://trust.example/soc2", valid_until: "2020-12-31", conditions: [] },
  });
  expect(await factOf("lapsed", "gdpr")).toMatchObject({ value: true, expired: null });
  const { body } = await acme.ask("admin", "GET", "/providers/lapsed");
  expect(body).toMatchObject({ allowed: false, failures: [{ code: "soc2_type2", found: "expired 2020-12-31" }] });
});

it("a fact without a source says so, and an aggregator's own facts are unknown", async () => {
  expect(await factOf("hearsay", "soc2")).toEqual({ attribute: "soc2", value: "type2", expired: null, evidence: null });
  expect(await factOf("broker", "soc2")).toMatchObject({ value: null, evidence: { publisher: "provider" } });
});

it("each model is judged by itself: one may pass where its provider does not", async () => {
  const { data } = await list("?q=broker");
  expect(data[0]).toMatchObject({ aggregator: true, allowed: false, models: { allowed: 1, total: 2 } });
});

it("pages neither skip nor repeat, in either order", async () => {
  for (const show of ["", "&show=expiring"]) {
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Awaited<ReturnType<typeof list>> = await list(`?limit=1${show}${cursor && `&cursor=${cursor}`}`);
      seen.push(...idsOf(page));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(idsOf(await list(`?limit=200${show}`)));
  }
});

it("a provider that the catalog does not have is not found", async () => {
  for (const id of ["none", "constructor", "SOUND"])
    expect(await acme.ask("admin", "GET", `/providers/${id}`)).toMatchObject({
      status: 404,
      body: { code: "not_found" },
    });
});

it.each(["javascript:alert(1)", "data:text/html,x", " jAvAscript:alert(1)", "ftp://trust.example"])(
  "a source that is no web address is refused before it can be linked: %s",
  async (source) => {
    const soc2 = { ...evidence(), source };
    const body = {
      ...catalog,
      version: "hostile",
      providers: [providerOf("sound", { evidence: { soc2 } })],
      models: [],
    };
    const answer = await acme.call("operator", "PUT", "/catalog", { body });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: "providers.0.evidence.soc2.source" }] } });
  },
);
