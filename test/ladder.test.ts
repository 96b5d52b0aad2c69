// The ladder: which candidates may serve, or the one reason why none may; compliance before all else.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { climb, isLive } from "../src/routing/ladder.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");

interface Flags {
  preferred: boolean;
  passes: boolean;
  speaks: boolean;
  live: boolean;
  credentials: boolean;
}
const ALL: Flags = { preferred: true, passes: true, speaks: true, live: true, credentials: true };

function candidateOf(flags: Flags, at: number) {
  return {
    flags,
    provider: { id: `p${at}` },
    mapping: {
      apis: flags.speaks ? ["messages", "chat_completions"] : ["messages"],
      price: { input: 1, output: 1 },
      ...(!flags.live && { deactivatedAt: "2026-11-23" }),
    },
  };
}
type Candidate = ReturnType<typeof candidateOf>;

function climbWith(flags: readonly Flags[]) {
  return climb<Candidate, { readonly provider: string; readonly allowed: boolean }>(flags.map(candidateOf), {
    prefers: (candidate) => candidate.flags.preferred,
    judge: ({ provider, flags }) => ({ provider: provider.id, allowed: flags.passes }),
    api: "chat_completions",
    hasCredentials: (candidate) => candidate.flags.credentials,
    now: NOW,
  });
}

describe("the ladder", () => {
  const bad = (...missing: (keyof Flags)[]): Flags => ({
    ...ALL,
    ...Object.fromEntries(missing.map((name) => [name, false])),
  });

  it.each<{ rule: string; flags: Flags[]; ends: object }>([
    { rule: "no candidate matches the preferences", flags: [bad("preferred")], ends: { kind: "no_provider_matches" } },
    { rule: "none passes", flags: [bad("passes")], ends: { kind: "blocked" } },
    { rule: "none passes, though it is retired", flags: [bad("passes", "live")], ends: { kind: "blocked" } },
    { rule: "none passes, though it speaks another API", flags: [bad("passes", "speaks")], ends: { kind: "blocked" } },
    {
      rule: "none passes, though it lacks credentials",
      flags: [bad("passes", "credentials")],
      ends: { kind: "blocked" },
    },
    {
      rule: "no preferred one passes, though another does",
      flags: [bad("passes"), bad("preferred")],
      ends: { kind: "blocked" },
    },
    {
      rule: "none speaks the API",
      flags: [bad("speaks"), bad("speaks", "passes")],
      ends: { kind: "api_not_supported", speaks: ["messages"] },
    },
    {
      rule: "none that speaks it is live",
      flags: [bad("live"), bad("speaks")],
      ends: { kind: "model_retired", retired: ["p0"] },
    },
    { rule: "only a blocked one speaks it", flags: [bad("speaks"), bad("passes")], ends: { kind: "blocked" } },
    { rule: "only a blocked one is live", flags: [bad("live"), bad("passes")], ends: { kind: "blocked" } },
    {
      rule: "no passing one has credentials",
      flags: [bad("credentials"), bad("passes")],
      ends: { kind: "no_provider_available", providers: ["p0"] },
    },
    { rule: "one is left", flags: [bad("passes"), bad("live"), ALL], ends: { kind: "admitted" } },
  ])("ends where $rule", ({ flags, ends }) => {
    expect(climbWith(flags)).toMatchObject(ends);
  });

  const flags = fc.record({
    preferred: fc.boolean(),
    passes: fc.boolean(),
    speaks: fc.boolean(),
    live: fc.boolean(),
    credentials: fc.boolean(),
  });

  it("admits exactly the candidates that meet every test, and names all that compliance removed", () => {
    fc.assert(
      fc.property(fc.array(flags, { maxLength: 5 }), (all) => {
        const outcome = climbWith(all);
        const idsOf = (list: readonly { candidate: Candidate }[]) => list.map(({ candidate }) => candidate.provider.id);
        const where = (test: (each: Flags) => boolean) => all.flatMap((each, at) => (test(each) ? [`p${at}`] : []));
        expect(outcome.kind === "admitted" ? idsOf(outcome.admitted) : []).toEqual(
          where((each) => Object.values(each).every(Boolean)),
        );
        expect(idsOf(outcome.removed)).toEqual(where((each) => each.preferred && !each.passes));
      }),
    );
  });

  it("ends alike in whatever order the catalog lists the candidates", () => {
    fc.assert(
      fc.property(fc.array(flags, { maxLength: 5 }), (all) => {
        expect(climbWith(all.toReversed()).kind).toBe(climbWith(all).kind);
      }),
    );
  });

  it("counts a model as live until the UTC day on which its provider deactivates it begins", () => {
    const day = Date.parse("2026-11-23T00:00:00Z");
    const { mapping } = candidateOf({ ...ALL, live: false }, 0);
    expect([isLive({ mapping }, day - 1), isLive({ mapping }, day)]).toEqual([true, false]);
  });
});
