// A request's own preferences: they narrow what the organization allows, never widen it, and never travel on.
import { describe, expect, it } from "vitest";
import { smallCatalog } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, type World } from "./world.ts";

const noTraining = policyOf({ requirements: ["no_training"] });
const open = (policy = noTraining) => openWorld({ policy, catalog: smallCatalog });
const ask = (world: World, provider: unknown, model = "mix") => world.chat({ model, provider });
const outcomes = async (world: World) =>
  (await world.events()).map(({ outcome, providers }) => [
    outcome,
    ...(providers as { id: string }[]).map(({ id }) => id),
  ]);

describe("preferences steer among the allowed", () => {
  it.each<{ name: string; provider: Record<string, unknown>; served: string }>([
    { name: "only", provider: { only: ["gamma", "delta"] }, served: "gamma" },
    { name: "ignore", provider: { ignore: ["alpha", "beta"] }, served: "gamma" },
    { name: "order, before price", provider: { order: ["delta", "gamma"] }, served: "delta" },
    { name: "order, with the rest behind it", provider: { order: ["blank"] }, served: "alpha" },
    { name: "max_price", provider: { ignore: ["alpha"], max_price: { prompt: 2, completion: 2 } }, served: "beta" },
    { name: "sort by price, as always", provider: { sort: "price" }, served: "alpha" },
    { name: "none at all", provider: {}, served: "alpha" },
  ])("$name", async ({ provider, served }) => {
    const world = await open();
    const response = await ask(world, provider);
    expect(response.headers.get("portcullis-provider")).toBe(served);
    expect(response.headers.get("portcullis-ignored")).toBeNull();
  });

  it("never travel on", async () => {
    const world = await open();
    await ask(world, { only: ["alpha"], zdr: true });
    expect(atob((await world.journal())[0]?.body ?? "")).not.toContain("provider");
  });

  it("allow_fallbacks: false tries the first alone", async () => {
    const world = await open();
    await world.behave("alpha", { kind: "status", status: 500 });
    expect((await ask(world, { allow_fallbacks: false })).status).toBe(502);
    expect(await world.called()).toEqual(["alpha"]);
  });

  it("allow_fallbacks: false with an order tries those and no others", async () => {
    const world = await open();
    await world.behave("delta", { kind: "status", status: 500 });
    await world.behave("gamma", { kind: "status", status: 500 });
    expect((await ask(world, { order: ["delta", "gamma"], allow_fallbacks: false })).status).toBe(502);
    expect(await world.called()).toEqual(["delta", "gamma"]);
  });

  it("that leave none are 400 no_provider_matches", async () => {
    const world = await open();
    for (const provider of [{ only: [] }, { max_price: { prompt: 0.1 } }, { only: ["blank"] }])
      expect(await errorOf(await ask(world, provider))).toMatchObject({ status: 400, code: "no_provider_matches" });
    expect(await world.called()).toEqual([]);
  });
});

describe("preferences only tighten", () => {
  it("data_collection: deny asks for no training, whatever the policy says", async () => {
    const world = await open(policyOf({ enabled: false }));
    expect((await ask(world, { data_collection: "deny" })).headers.get("portcullis-provider")).toBe("alpha");
    expect(await errorOf(await ask(world, { data_collection: "deny" }, "dirty"))).toMatchObject({
      status: 403,
      details: { providers: [{ failures: [{ code: "no_training", found: true }] }, {}] },
    });
  });

  it("zdr asks for zero retention, and has the request stored nowhere", async () => {
    const world = await open(policyOf({ enabled: false }));
    const response = await ask(world, { zdr: true });
    expect(response.headers.get("portcullis-enforced")).toBe("store=false");
    expect(JSON.parse(atob((await world.journal())[0]?.body ?? ""))).toMatchObject({ store: false });
    expect(await errorOf(await ask(world, { zdr: true }, "blank/dirty"))).toMatchObject({
      status: 403,
      details: { providers: [{ id: "blank", failures: [{ code: "zero_retention", found: null }] }] },
    });
  });

  it.each([
    { data_collection: "allow" },
    { zdr: false },
    { only: ["leaky"] },
    { order: ["leaky"], allow_fallbacks: false },
  ])("%j opens nothing that the policy closes", async (provider) => {
    const world = await open();
    const response = await ask(world, provider, "dirty");
    expect(response.status).toBe(403);
    expect(await world.called()).toEqual([]);
  });
});

describe("what compliance removes of the providers a client named", () => {
  it.each<{ name: string; body: Record<string, unknown>; recorded: string[][] }>([
    {
      name: "order: recorded as rerouted",
      body: { provider: { order: ["leaky", "beta"] } },
      recorded: [["rerouted", "leaky"]],
    },
    {
      name: "only: recorded as rerouted",
      body: { provider: { only: ["leaky", "beta"] } },
      recorded: [["rerouted", "leaky"]],
    },
    {
      name: "a pin in models: recorded as rerouted",
      body: { models: ["leaky/mix", "beta/mix"] },
      recorded: [["rerouted", "leaky"]],
    },
    {
      name: "a model in models that nobody may serve: recorded with all of its providers",
      body: { models: ["dirty", "mix"] },
      recorded: [["rerouted", "leaky", "blank"]],
    },
    { name: "ignore: not recorded", body: { provider: { ignore: ["alpha"] } }, recorded: [] },
    { name: "nobody named: not recorded", body: {}, recorded: [] },
    { name: "named without fault: not recorded", body: { provider: { order: ["gamma"] } }, recorded: [] },
  ])("$name", async ({ body, recorded }) => {
    const world = await open();
    expect((await world.chat({ ...("models" in body ? {} : { model: "mix" }), ...body })).status).toBe(200);
    expect(await outcomes(world)).toEqual(recorded);
    expect(await world.called()).not.toContain("leaky");
  });
});

describe("preferences that cannot be honoured", () => {
  it("are named in portcullis-ignored", async () => {
    const world = await open();
    const response = await ask(world, {
      sort: "throughput",
      quantizations: ["fp8"],
      require_parameters: true,
      max_price: { prompt: 9, request: 1 },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("portcullis-ignored")?.split(", ").sort()).toEqual([
      "provider.max_price.request",
      "provider.quantizations",
      "provider.require_parameters",
      "provider.sort",
    ]);
  });

  it("cannot smuggle anything into that header", async () => {
    const world = await open();
    const response = await ask(world, { "a\r\nset-cookie: x=1": 1, ["é".repeat(2000)]: 1 });
    expect(response.status).toBe(200);
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(response.headers.get("portcullis-ignored")?.length).toBeLessThanOrEqual(512);
  });

  it.each<[string, unknown, string]>([
    ["only names a provider that does not exist", { only: ["alpha", "nobody"] }, "provider.only"],
    ["ignore names a provider that does not exist", { ignore: ["leeky"] }, "provider.ignore"],
    ["order names a provider that does not exist", { order: ["__proto__"] }, "provider.order"],
    ["it is a string", "alpha", "provider"],
    ["it is null", null, "provider"],
    ["it is a list", ["alpha"], "provider"],
    ["only is a string", { only: "alpha" }, "provider.only"],
    ["only holds a number", { only: [1] }, "provider.only.0"],
    ["zdr is a word", { zdr: "true" }, "provider.zdr"],
    ["data_collection is another word", { data_collection: "never" }, "provider.data_collection"],
    ["allow_fallbacks is a number", { allow_fallbacks: 0 }, "provider.allow_fallbacks"],
    ["max_price is negative", { max_price: { prompt: -1 } }, "provider.max_price.prompt"],
    ["max_price is a string", { max_price: { completion: "1" } }, "provider.max_price.completion"],
  ])("are an invalid request where %s", async (_, provider, param) => {
    const world = await open();
    expect(await errorOf(await ask(world, provider))).toMatchObject({ status: 400, code: "invalid_request", param });
    expect(await world.called()).toEqual([]);
  });
});
