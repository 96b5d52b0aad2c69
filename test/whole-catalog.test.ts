// The whole shipped catalog: what the page previews, what the list shows and what requests meet are the same, and a
// blocked provider receives nothing.
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Mapping, Provider } from "../src/catalog/schema.ts";
import type { StoredPolicy } from "../src/compliance/policy.ts";
import { preview } from "../src/compliance/preview.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { openWorld, policyOf, type World } from "./world.ts";

const AT_ONCE = 40;
const NOW = Date.now();

type Facts = NonNullable<Mapping["dataPolicy"]>;
interface Case {
  name: string;
  policy: StoredPolicy;
  /** The policy said once more, over bare facts, so that the evaluator is not its own judge. */
  allows: (facts: Facts, provider: Provider) => boolean;
}
const cases: Case[] = [
  {
    name: "a strict policy",
    policy: policyOf({
      requirements: ["soc2_type2", "no_training", "no_logging", "zero_retention"],
      headquarters: ["US", "FR"],
      providers: { allow: [], block: ["perplexity"] },
    }),
    allows: (facts, { id, headquarters }) =>
      facts.soc2 === "type2" &&
      facts.trainsOnPrompts === false &&
      facts.logsPrompts === false &&
      facts.retentionDays === 0 &&
      (headquarters === "US" || headquarters === "FR") &&
      id !== "perplexity",
  },
  {
    name: "a mild policy",
    policy: policyOf({ requirements: ["no_training"] }),
    allows: (facts) => facts.trainsOnPrompts === false,
  },
];

const providers = new Map(shippedCatalog.providers.map((provider) => [provider.id, provider]));
const pins = shippedCatalog.models.flatMap(({ id, providers: mappings }) =>
  mappings.map((mapping) => ({ pin: `${mapping.provider}/${id}`, mapping })),
);
const sorted = (items: Iterable<string>) => [...items].sort();

/** An aggregator's own facts say nothing of where a prompt ends up, nor does its headquarters. */
function knownOf(mapping: Mapping): [Facts, Provider] {
  const provider = providers.get(mapping.provider) as Provider;
  return provider.aggregator
    ? [mapping.dataPolicy ?? {}, { ...provider, headquarters: null }]
    : [{ ...provider.dataPolicy, ...mapping.dataPolicy }, provider];
}

function isServable({ apis, deactivatedAt }: Mapping): boolean {
  return apis.includes("chat_completions") && (!deactivatedAt || NOW < Date.parse(deactivatedAt));
}

/** Requests every pin, each marked by its own name; the answers by pin, and how often each reached its provider. */
async function requestAll(world: World) {
  const answers = new Map<string, { status: number; code: string | undefined }>();
  for (let at = 0; at < pins.length; at += AT_ONCE)
    await Promise.all(
      pins.slice(at, at + AT_ONCE).map(async ({ pin }) => {
        const response = await world.chat({ model: pin, user: pin });
        const { error } = (await response.json()) as { error?: { code: string } };
        answers.set(pin, { status: response.status, code: error?.code });
      }),
    );
  const received = (await world.journal()).map(({ provider, body }) => {
    const { user, model } = JSON.parse(atob(body)) as { user: string; model: string };
    return { pin: user, provider, model };
  });
  return { answers, received };
}

it("holds every mapping that was collected", () => {
  expect([shippedCatalog.providers.length, shippedCatalog.models.length, pins.length]).toEqual([49, 396, 717]);
});

describe.each(cases)("under $name", ({ policy, allows }) => {
  let world: World;
  let answers: Map<string, { status: number; code: string | undefined }>;
  let received: { pin: string; provider: string; model: string }[];
  const expected = sorted(pins.filter(({ mapping }) => allows(...knownOf(mapping))).map(({ pin }) => pin));

  beforeAll(async () => {
    vi.spyOn(console, "log").mockImplementation(() => {});
    world = await openWorld({ policy });
    // Some hundred blocks of one key are more than are stored one by one.
    world.restart({ BLOCKS_PER_KEY: { limit: async () => ({ success: true }) } });
    ({ answers, received } = await requestAll(world));
    return () => vi.restoreAllMocks();
  });

  it("some providers are allowed and some are not", () => {
    expect(expected.length).toBeGreaterThan(20);
    expect(expected.length).toBeLessThan(pins.length - 100);
  });

  it("a pinned provider that is blocked receives nothing and the answer is the 403; no other answer is", () => {
    const blocked = [...answers].filter(([, { status }]) => status === 403);
    expect(new Set(blocked.map(([, { code }]) => code))).toEqual(new Set(["provider_compliance_blocked"]));
    const allowed = new Set(expected);
    expect(sorted(blocked.map(([pin]) => pin))).toEqual(
      sorted(pins.map(({ pin }) => pin).filter((pin) => !allowed.has(pin))),
    );
    expect(received.filter(({ pin }) => !allowed.has(pin))).toEqual([]);
  });

  it("an allowed one that is live and speaks the API receives exactly one request, under its own model name", () => {
    const allowed = new Set(expected);
    const served = pins.filter(({ pin, mapping }) => allowed.has(pin) && isServable(mapping));
    const byPin = (a: { pin: string }, b: { pin: string }) => (a.pin < b.pin ? -1 : 1);
    expect(received.toSorted(byPin)).toEqual(
      served.map(({ pin, mapping }) => ({ pin, provider: mapping.provider, model: mapping.model })).toSorted(byPin),
    );
    for (const { pin, mapping } of pins) {
      if (!allowed.has(pin)) continue;
      const speaks = mapping.apis.includes("chat_completions");
      const refusal = speaks ? { status: 404, code: "model_retired" } : { status: 400, code: "api_not_supported" };
      expect([pin, answers.get(pin)]).toEqual([pin, isServable(mapping) ? { status: 200, code: undefined } : refusal]);
    }
  });

  it("every block is recorded, once", { timeout: 60_000 }, async () => {
    const blocked = [...answers].filter(([, { status }]) => status === 403).map(([pin]) => pin);
    const recorded = async () => {
      const { results } = await world.env.DB.prepare(
        "SELECT providers ->> '$[0].id' || '/' || model AS pin FROM security_events WHERE org = ?",
      )
        .bind(world.org)
        .all<{ pin: string }>();
      return results.map(({ pin }) => pin);
    };
    // So many at once that some come by the queue alone.
    await vi.waitFor(async () => expect((await recorded()).length).toBeGreaterThanOrEqual(blocked.length), 50_000);
    expect(sorted(await recorded())).toEqual(sorted(blocked));
  });

  it("the preview allows the same", () => {
    const rules = { policies: [policy], requirements: [] };
    const { models } = preview({ draft: rules, inForce: rules }, shippedCatalog, NOW);
    const allowed = models.flatMap(({ id, allowed_providers }) => allowed_providers.map((each) => `${each}/${id}`));
    expect(sorted(allowed)).toEqual(expected);
  });

  it("GET /v1/models lists the same, and with blocked ones all", async () => {
    const response = await world.call("/v1/models?include=blocked");
    const { data } = (await response.json()) as {
      data: { id: string; providers: { id: string }[]; blocked_providers: { id: string }[] }[];
    };
    const listed = (of: "providers" | "blocked_providers") =>
      data.flatMap((model) => model[of].map(({ id }) => `${id}/${model.id}`));
    expect(sorted(listed("providers"))).toEqual(expected);
    expect(sorted([...listed("providers"), ...listed("blocked_providers")])).toEqual(
      sorted(pins.map(({ pin }) => pin)),
    );
  });
});
