// Routing around the ladder: targets, the client's preferences, ranking, health.
import { describe, expect, it } from "vitest";
import { indexCatalog } from "../src/catalog/lookup.ts";
import { type HealthBook, isHealthy, noteFailure, noteSuccess } from "../src/routing/health.ts";
import {
  addedRequirements,
  ignoredPreferences,
  knownPrice,
  namedProviders,
  Preferences,
  prefers,
} from "../src/routing/preferences.ts";
import { rank } from "../src/routing/rank.ts";
import { retryAfterOf } from "../src/routing/retry-after.ts";
import { resolveTarget } from "../src/routing/target.ts";
import { smallCatalog } from "./small-catalog.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");

describe("a target", () => {
  const directory = indexCatalog(smallCatalog);
  const resolve = (name: string) => {
    const target = resolveTarget(name, directory);
    return target.kind === "found"
      ? [target.mode, target.model, target.candidates.map(({ provider }) => provider.id).join()]
      : target.kind;
  };

  it.each([
    { name: "pair", found: ["auto", "pair", "alpha,beta"] },
    { name: "mix-latest", found: ["auto", "mix", "delta,gamma,leaky,beta,alpha"] },
    { name: "leaky/mix", found: ["pinned", "mix", "leaky"] },
    { name: "leaky/mix-latest", found: ["pinned", "mix", "leaky"] },
  ])("$name is $found", ({ name, found }) => {
    expect(resolve(name)).toEqual(found);
  });

  it.each(["", "/", "Pair", " pair", "leaky/pair", "nobody/pair", "/pair", "pair/", "alpha/pair/x", "toString"])(
    "%j is not found: names are exact",
    (name) => {
      expect(resolve(name)).toBe("not_found");
    },
  );
});

const priced = (id: string, input: number | null, output: number | null, free?: boolean) => ({
  provider: { id },
  mapping: { apis: [], price: { input, output, ...(free !== undefined && { free }) } },
});

describe("preferences", () => {
  it.each<{ preferences: Preferences; left: string }>([
    { preferences: {}, left: "abc" },
    { preferences: { only: ["c", "a"] }, left: "ac" },
    { preferences: { only: [] }, left: "" },
    { preferences: { ignore: ["a"] }, left: "bc" },
    { preferences: { only: ["a", "b"], ignore: ["a"] }, left: "b" },
    { preferences: { order: ["b"] }, left: "abc" },
    { preferences: { order: ["b"], allow_fallbacks: false }, left: "b" },
    { preferences: { order: [], allow_fallbacks: false }, left: "abc" },
    { preferences: { max_price: { prompt: 1 } }, left: "a" },
    { preferences: { max_price: { completion: 4 } }, left: "ab" },
    { preferences: { max_price: { prompt: 2, completion: 2 } }, left: "a" },
    { preferences: { max_price: { prompt: 0 } }, left: "" },
    { preferences: { data_collection: "deny", zdr: true, sort: "latency" }, left: "abc" },
  ])("$preferences leave $left", ({ preferences, left }) => {
    const candidates = [priced("a", 1, 2), priced("b", 2, 4), priced("c", null, 1)];
    expect(
      candidates
        .filter((each) => prefers(preferences, each))
        .map(({ provider }) => provider.id)
        .join(""),
    ).toBe(left);
  });

  it("add requirements to the request's rules, and can take none away", () => {
    expect(addedRequirements({ data_collection: "deny", zdr: true })).toEqual(["no_training", "zero_retention"]);
    expect(addedRequirements({ data_collection: "allow", zdr: false })).toEqual([]);
  });

  it("name the providers that the client wants, not those it shuns", () => {
    expect([...namedProviders({ only: ["a"], order: ["b", "a"], ignore: ["c"] })]).toEqual(["a", "b"]);
  });

  it("that the gateway does not honour are named", () => {
    const asked = { only: ["a"], sort: "latency", quantizations: ["fp8"], max_price: { prompt: 1, image: 2 } };
    expect(ignoredPreferences(asked)).toEqual(["provider.quantizations", "provider.sort", "provider.max_price.image"]);
    expect(ignoredPreferences({ sort: "price", zdr: true })).toEqual([]);
  });

  it.each([
    { only: "a" },
    { ignore: [1] },
    { zdr: "yes" },
    { data_collection: "none" },
    { max_price: { prompt: -1 } },
    [],
  ])("of another shape are refused (%j)", (preferences) => {
    expect(Preferences.safeParse(preferences).success).toBe(false);
  });
});

describe("ranking", () => {
  const ranked = (list: ReturnType<typeof priced>[], preferences: Preferences = {}, sick = "") =>
    rank(
      list.map((candidate) => ({ candidate })),
      { preferences, isHealthy: ({ provider }) => !sick.includes(provider.id) },
    )
      .map(({ candidate }) => candidate.provider.id)
      .join("");
  const abc = [priced("c", 3, 3), priced("a", 1, 1), priced("b", 1, 3)];

  it.each<{ preferences: Preferences; sick?: string; order: string }>([
    { preferences: {}, order: "abc" },
    { preferences: {}, sick: "a", order: "bca" },
    { preferences: {}, sick: "abc", order: "abc" },
    { preferences: { order: ["c", "b"] }, order: "cba" },
    { preferences: { order: ["c"] }, sick: "c", order: "cab" },
    { preferences: { allow_fallbacks: false }, order: "a" },
    { preferences: { allow_fallbacks: false, order: ["c", "b", "a"] }, order: "cba" },
  ])("with $preferences and $sick sick tries $order", ({ preferences, sick, order }) => {
    expect(ranked(abc, preferences, sick)).toBe(order);
  });

  it("takes a price of null, or of zero that is not said to be free, as unknown: last", () => {
    expect(ranked([priced("n", null, 1), priced("z", 0, 0), priced("f", 0, 0, true), priced("a", 9, 9)])).toBe("fanz");
    expect(knownPrice({ input: 0, output: 1 })).toEqual({ input: 0, output: 1 });
  });
});

describe("health", () => {
  /** Fails that often, each time as soon as it is tried again; `now` is when it failed last. */
  function failed(times: number, retryAfterSeconds: number | null = null): { book: HealthBook; now: number } {
    const book: HealthBook = new Map();
    let now = NOW;
    for (let time = 0; time < times; time++) {
      now = Math.max(now, book.get("p key")?.sickUntil ?? 0);
      noteFailure(book, "p key", { now, retryAfterSeconds });
    }
    return { book, now };
  }

  it.each([
    { failures: 1, retryAfter: null, restsMs: 0 },
    { failures: 2, retryAfter: null, restsMs: 5_000 },
    { failures: 3, retryAfter: null, restsMs: 10_000 },
    { failures: 4, retryAfter: null, restsMs: 20_000 },
    { failures: 7, retryAfter: null, restsMs: 160_000 },
    { failures: 8, retryAfter: null, restsMs: 300_000 },
    { failures: 500, retryAfter: null, restsMs: 300_000 },
    { failures: 1, retryAfter: 7, restsMs: 7_000 },
    { failures: 1, retryAfter: 9_999, restsMs: 300_000 },
    { failures: 3, retryAfter: 7, restsMs: 10_000 },
  ])("after $failures failures, asked to wait $retryAfter s, a provider rests $restsMs ms", (row) => {
    const { book, now } = failed(row.failures, row.retryAfter);
    if (row.restsMs > 0) expect(isHealthy(book, "p key", now + row.restsMs - 1)).toBe(false);
    expect(isHealthy(book, "p key", now + row.restsMs)).toBe(true);
  });

  it("is kept per provider and credential, and forgotten by a success", () => {
    const { book, now } = failed(3);
    expect(isHealthy(book, "p other-key", now)).toBe(true);
    noteSuccess(book, "p key", { began: now });
    expect(isHealthy(book, "p key", now)).toBe(true);
    noteFailure(book, "p key", { now, retryAfterSeconds: null });
    expect(isHealthy(book, "p key", now)).toBe(true);
  });

  it("is not restored by an answer that began before the failure", () => {
    const { book, now } = failed(3);
    noteSuccess(book, "p key", { began: now - 1 });
    expect(isHealthy(book, "p key", now)).toBe(false);
  });

  it("does not rest longer because one outage fails many requests at once", () => {
    const { book, now } = failed(2);
    for (let at = 0; at < 50; at++) noteFailure(book, "p key", { now: now + at, retryAfterSeconds: null });
    expect(isHealthy(book, "p key", now + 5_000)).toBe(true);
    noteFailure(book, "p key", { now: now + 5_000, retryAfterSeconds: null });
    expect(isHealthy(book, "p key", now + 14_999)).toBe(false);
    expect(isHealthy(book, "p key", now + 15_000)).toBe(true);
  });

  it("rests longer when the provider asks for that while it rests, and never shorter", () => {
    const { book, now } = failed(2);
    noteFailure(book, "p key", { now: now + 1_000, retryAfterSeconds: 60 });
    noteFailure(book, "p key", { now: now + 1_000, retryAfterSeconds: 1 });
    expect(isHealthy(book, "p key", now + 60_999)).toBe(false);
    expect(isHealthy(book, "p key", now + 61_000)).toBe(true);
  });

  it.each<{ headers: Record<string, string>; seconds: number | null }>([
    { headers: {}, seconds: null },
    { headers: { "retry-after": "20" }, seconds: 20 },
    { headers: { "retry-after": "0" }, seconds: 0 },
    { headers: { "retry-after": "1.5" }, seconds: 1.5 },
    { headers: { "retry-after": "Mon, 23 Nov 2026 12:00:30 GMT" }, seconds: 30 },
    { headers: { "retry-after": "Monday, 23-Nov-26 12:00:30 GMT" }, seconds: 30 },
    { headers: { "retry-after": "Mon, 23 Nov 2026 11:00:00 GMT" }, seconds: 0 },
    { headers: { "retry-after": "Tue, 23 Nov 2027 12:00:00 GMT" }, seconds: 3_600 },
    { headers: { "retry-after": "99999999" }, seconds: 3_600 },
    { headers: { "retry-after": "-5" }, seconds: null },
    { headers: { "retry-after": "soon" }, seconds: null },
    { headers: { "retry-after": "" }, seconds: null },
    { headers: { "retry-after-ms": "1250" }, seconds: 1.25 },
    { headers: { "retry-after-ms": "1250", "retry-after": "2" }, seconds: 1.25 },
    { headers: { "retry-after-ms": "never", "retry-after": "2" }, seconds: 2 },
  ])("reads $headers as $seconds s", ({ headers, seconds }) => {
    expect(retryAfterOf(new Headers(headers), NOW)).toBe(seconds);
  });

  it("does not grow without bound", () => {
    const book: HealthBook = new Map();
    for (let at = 0; at < 12_000; at++) noteFailure(book, `p${at}`, { now: NOW, retryAfterSeconds: null });
    expect(book.size).toBeLessThanOrEqual(5_000);
  });
});
