// The one door: it opens to a candidate with its own passing verdict while that holds, and to nothing else.
import { beforeEach, expect, inject, it } from "vitest";
import { type Candidate, indexCatalog } from "../src/catalog/lookup.ts";
import { evaluate, type PassingVerdict, type Rules, stillHolds, type Verdict } from "../src/compliance/evaluate.ts";
import { SURFACES } from "../src/gateway/surfaces.ts";
import { type Admitted, type Call, callProvider } from "../src/gateway/upstream.ts";
import type { JournalEntry } from "./provider-stand-in.ts";
import { modelOf, providerOf } from "./small-catalog.ts";

const NO_RULES: Rules = { policies: [], requirements: [] };
const YESTERDAY = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
const BEFORE_YESTERDAY = Date.parse(YESTERDAY) - 1;

const { candidates } = indexCatalog({
  version: "door",
  providers: [
    providerOf("alpha"),
    providerOf("beta"),
    providerOf("dated", {
      evidence: {
        soc2: {
          source: "https://dated.example/trust",
          publisher: "provider",
          checkedAt: YESTERDAY,
          validUntil: YESTERDAY,
          confidence: "high",
        },
      },
    }),
  ],
  models: [modelOf("m1", { alpha: 1, beta: 2, dated: 3 }), modelOf("m2", { alpha: 1 })],
});
const candidateOf = (provider: string, model = "m1") =>
  candidates.get(model)?.find((candidate) => candidate.provider.id === provider) as Candidate;

function judge({ provider, model: id, mapping }: Candidate, { rules = NO_RULES, now = Date.now() } = {}): Verdict {
  return evaluate(rules, { provider, model: { id, mapping }, now });
}
const passing = (candidate: Candidate, now = Date.now()) => judge(candidate, { now }) as PassingVerdict;
const failing = () => judge(candidateOf("alpha"), { rules: { policies: [], requirements: ["soc9" as "soc2"] } });
function edited(verdict: Verdict): unknown {
  Reflect.set(verdict, "allowed", true);
  Reflect.set(verdict, "failures", []);
  return verdict;
}

let upstream: string;
beforeEach(() => {
  upstream = `${inject("standIn")}/${crypto.randomUUID()}`;
});
const journal = async () => (await fetch(`${upstream}/__journal`)).json<JournalEntry[]>();
const callOf = (): Call => ({
  surface: SURFACES[0],
  credential: { kind: "sandbox", id: "sandbox", baseUrl: `${upstream}/v1` },
  clientHeaders: new Headers(),
  query: "",
  body: new TextEncoder().encode("{}"),
  contentType: "application/json",
  clientGone: new AbortController().signal,
  headersTimeoutSeconds: 5,
  mayFallBack: false,
});

it("opens to a candidate with its own passing verdict, for one call", async () => {
  const candidate = candidateOf("alpha");
  const answer = await callProvider({ candidate, verdict: passing(candidate) }, callOf());
  expect(answer).toMatchObject({ kind: "answered", response: { status: 200 } });
  expect((await journal()).map(({ provider }) => provider)).toEqual(["alpha"]);
});

const alpha = candidateOf("alpha");
const genuine = passing(alpha);
it.each<[string, Candidate, unknown]>([
  ["no verdict", alpha, undefined],
  ["a failing verdict", alpha, failing()],
  ["a failing verdict that was edited", alpha, edited(failing())],
  [
    "a verdict written by hand",
    alpha,
    { provider: "alpha", model: "m1", allowed: true, failures: [], validUntil: Number.POSITIVE_INFINITY },
  ],
  ["a copy of a passing verdict", alpha, { ...genuine }],
  ["a passing verdict out of storage", alpha, JSON.parse(JSON.stringify(genuine))],
  ["an object that inherits from one", alpha, Object.create(genuine)],
  ["a proxy of one", alpha, new Proxy(genuine, {})],
  ["another provider's", alpha, passing(candidateOf("beta"))],
  ["another model's", alpha, passing(candidateOf("alpha", "m2"))],
  ["the provider's own, for no model", alpha, evaluate(NO_RULES, { provider: alpha.provider, now: Date.now() })],
  ["one that has expired", candidateOf("dated"), passing(candidateOf("dated"), BEFORE_YESTERDAY)],
])("stays shut to %s, and nothing is sent", async (_, candidate, verdict) => {
  const admitted = { candidate, verdict } as Admitted;
  await expect(callProvider(admitted, callOf())).rejects.toMatchObject({ refusal: { code: "policy_unavailable" } });
  expect(await journal()).toEqual([]);
});

it("stays shut to an API that the provider does not answer", async () => {
  const call = {
    ...callOf(),
    surface: { path: "/messages", api: "messages", dialect: "anthropic", body: "json" } as const,
  };
  await expect(callProvider({ candidate: alpha, verdict: genuine }, call)).rejects.toThrow();
  expect(await journal()).toEqual([]);
});

it("a passing verdict cannot be turned into another provider's, or into one that lasts longer", () => {
  const verdict = passing(alpha);
  expect(Reflect.set(verdict, "provider", "beta")).toBe(false);
  expect(Reflect.set(verdict, "validUntil", Number.POSITIVE_INFINITY)).toBe(false);
  expect(stillHolds(verdict, { provider: "beta", model: "m1", now: Date.now() })).toBe(false);
});

it("a verdict holds until the very millisecond at which a fact expires", () => {
  const target = { provider: "dated", model: "m1" };
  const verdict = passing(candidateOf("dated"), BEFORE_YESTERDAY);
  expect(stillHolds(verdict, { ...target, now: verdict.validUntil - 1 })).toBe(true);
  expect(stillHolds(verdict, { ...target, now: verdict.validUntil })).toBe(false);
  expect(stillHolds(verdict, { ...target, now: Number.NaN })).toBe(false);
});

it("does not compile with anything else (`npm run check`; these lines never run)", () => {
  const compiles = (candidate: Candidate, verdict: Verdict, call: Call): void => {
    if (verdict.allowed) void callProvider({ candidate, verdict }, call);
    // @ts-expect-error a verdict that may be a failing one
    void callProvider({ candidate, verdict }, call);
    // @ts-expect-error a failing verdict
    if (!verdict.allowed) void callProvider({ candidate, verdict }, call);
    // @ts-expect-error no verdict
    void callProvider({ candidate }, call);
    // @ts-expect-error a candidate alone
    void callProvider(candidate, call);
    const byHand = { provider: "alpha", model: "m1", allowed: true, failures: [], validUntil: 0 } as const;
    // @ts-expect-error a verdict written by hand
    void callProvider({ candidate, verdict: byHand }, call);
    // @ts-expect-error only that it is allowed
    void callProvider({ candidate, verdict: verdict.allowed }, call);
  };
  expect(compiles).toBeTypeOf("function");
});
