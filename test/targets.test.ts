// What a client may write as `model`, and what reaches the provider for it.
import { describe, expect, it } from "vitest";
import type { Catalog } from "../src/catalog/schema.ts";
import { modelOf, smallCatalog } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, type World } from "./world.ts";

const noTraining = policyOf({ requirements: ["no_training"] });
const open = (catalog: Catalog = smallCatalog) => openWorld({ policy: noTraining, catalog });

/** The one call that reached a provider: who, and the `model` it was asked for. */
async function onlyCall(world: World): Promise<[string, unknown]> {
  const journal = await world.journal();
  expect(journal).toHaveLength(1);
  const [{ provider, body }] = journal as [(typeof journal)[number]];
  return [provider, (JSON.parse(atob(body)) as { model: unknown }).model];
}

describe("a target", () => {
  it.each([
    { target: "mix", provider: "alpha", model: "alpha-mix" },
    { target: "mix-latest", provider: "alpha", model: "alpha-mix" },
    { target: "gamma/mix", provider: "gamma", model: "gamma-mix" },
    { target: "gamma/mix-latest", provider: "gamma", model: "gamma-mix" },
  ])("$target goes to $provider by that provider's own name", async ({ target, provider, model }) => {
    const world = await open();
    expect((await world.chat({ model: target })).status).toBe(200);
    expect(await onlyCall(world)).toEqual([provider, model]);
  });

  it.each([
    "Mix",
    " mix",
    "mix ",
    "mix/",
    "/mix",
    "gamma/",
    "/",
    "Gamma/mix",
    "gamma/Mix",
    "gamma//mix",
    "nobody/mix",
    "leaky/pair",
    "gamma/mix/mix",
    "alpha-mix",
    "AUTO",
    "auto/mix",
    "alpha/auto",
    "__proto__",
    "constructor",
    "alpha/__proto__",
    "__proto__/mix",
  ])("%j is not found, and nothing is sent", async (target) => {
    const world = await open();
    expect(await errorOf(await world.chat({ model: target }))).toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
    });
    expect(await world.called()).toEqual([]);
  });

  it("that differs in case alone is refused with a hint", async () => {
    expect((await errorOf(await (await open()).chat({ model: "MIX" }))).message).toContain("Did you mean mix?");
  });

  it.each<[string, unknown]>([
    ["missing", undefined],
    ["null", null],
    ["a number", 4],
    ["a list", ["mix"]],
    ["an object", { id: "mix" }],
    ["empty", ""],
    ["257 characters long", "m".repeat(257)],
  ])("that is %s is an invalid request", async (_, model) => {
    const world = await open();
    expect(await errorOf(await world.chat({ model }))).toMatchObject({
      status: 400,
      type: "invalid_request_error",
      code: "invalid_request",
      param: "model",
    });
    expect(await world.called()).toEqual([]);
  });

  it("may have 256 characters", async () => {
    const long = "m".repeat(256);
    const world = await open({ ...smallCatalog, models: [modelOf(long, { alpha: 1 })] });
    expect((await world.chat({ model: long })).status).toBe(200);
  });

  it("written with escapes is the target it stands for", async () => {
    const world = await open();
    const body = String.raw`{"mod\u0065l":"leaky\u002fm\u0069x","messages":[]}`;
    expect((await world.call("/v1/chat/completions", { method: "POST", body })).status).toBe(403);
    expect(await world.called()).toEqual([]);
  });
});

describe("models", () => {
  it("is tried in the client's order when a provider fails, `model` first", async () => {
    const world = await open();
    await world.behave("alpha", { kind: "status", status: 500 });
    const response = await world.chat({ model: "alpha/mix", models: ["gamma/mix", "beta/mix"] });
    expect(response.headers.get("portcullis-provider")).toBe("gamma");
    expect(await world.called()).toEqual(["alpha", "gamma"]);
  });

  it("serves without `model`, and never travels on", async () => {
    const world = await open();
    expect((await world.chat({ models: ["beta/pair"] })).status).toBe(200);
    const [entry] = await world.journal();
    expect(JSON.parse(atob(entry?.body ?? ""))).toEqual({
      messages: [{ role: "user", content: "Hi" }],
      model: "beta-pair",
    });
  });

  it("passes over what is not found, and over what compliance removes", async () => {
    const world = await open();
    const response = await world.chat({ model: "nothing", models: ["dirty", "retired", "pair"] });
    expect(response.status).toBe(200);
    expect(await onlyCall(world)).toEqual(["alpha", "alpha-pair"]);
  });

  it("is 403 when compliance removed one and nothing else can serve", async () => {
    const world = await open();
    expect((await world.chat({ model: "nothing", models: ["retired", "dirty"] })).status).toBe(403);
  });

  it("may name ten and no more", async () => {
    const world = await open();
    const ten = Array.from({ length: 10 }, (_, index) => (index === 9 ? "pair" : `nothing-${index}`));
    expect((await world.chat({ models: ten })).status).toBe(200);
    expect(await errorOf(await world.chat({ models: [...ten, "pair"] }))).toMatchObject({
      status: 400,
      param: "models",
    });
  });

  it.each<[string, unknown, string]>([
    ["a string", "pair", "models"],
    ["null", null, "models"],
    ["an empty list, without model", [], "model"],
    ["with a number in it", ["pair", 4], "models.1"],
    ["with 257 characters in it", ["m".repeat(257)], "models.0"],
  ])("that is %s is an invalid request", async (_, models, param) => {
    const world = await open();
    expect(await errorOf(await world.chat({ models }))).toMatchObject({ status: 400, code: "invalid_request", param });
  });
});

describe("auto", () => {
  it("takes the organization's list in its order", async () => {
    const world = await open();
    await world.publish({ routing: { auto: ["gamma/mix", "pair"] } });
    expect((await world.chat({ model: "auto" })).status).toBe(200);
    expect(await onlyCall(world)).toEqual(["gamma", "gamma-mix"]);
  });

  it("passes over what the policy removes from that list, which is no event: the client did not name it", async () => {
    const world = await open();
    await world.publish({ routing: { auto: ["leaky/mix", "dirty", "nothing", "beta/pair"] } });
    expect((await world.chat({ model: "auto" })).status).toBe(200);
    expect(await onlyCall(world)).toEqual(["beta", "beta-pair"]);
    expect(await world.events()).toEqual([]);
  });

  it("is 403 with all of them when the policy removes the whole list", async () => {
    const world = await open();
    await world.publish({ routing: { auto: ["leaky/mix", "blank/dirty"] } });
    expect(await errorOf(await world.chat({ model: "auto" }))).toMatchObject({
      status: 403,
      details: { providers: [{ id: "leaky" }, { id: "blank" }] },
    });
  });

  const choosy: Catalog = {
    ...smallCatalog,
    models: [
      modelOf("painter", { alpha: 0.01 }, { output: ["text", "image"] }),
      modelOf("unpriced", { alpha: { price: { input: 0, output: 0 } } }),
      modelOf("cheap-dirty", { leaky: 0.02 }),
      modelOf("cheap-retired", { beta: { price: { input: 0.03, output: 0.03 }, deactivatedAt: "2026-01-02" } }),
      modelOf("cheap-mute", { beta: { price: { input: 0.03, output: 0.03 }, apis: ["responses"] } }),
      modelOf("plain", { alpha: { price: { input: 0.1, output: 0.1 }, context: 1000 } }),
      modelOf("seeing", { alpha: { price: { input: 0.2, output: 0.2 }, vision: true } }),
      modelOf("tooled", { beta: { price: { input: 0.3, output: 0.3 }, tools: true } }),
      modelOf("structured", { gamma: { price: { input: 0.4, output: 0.4 }, json: true } }),
    ],
  };
  const image = { role: "user", content: [{ type: "image_url", image_url: { url: "data:," } }] };
  it.each<{ need: string; body: Record<string, unknown>; model: string }>([
    { need: "nothing more than text", body: {}, model: "alpha-plain" },
    { need: "tools", body: { tools: [{ type: "function", function: { name: "f" } }] }, model: "beta-tooled" },
    { need: "no tools although the list is there", body: { tools: [] }, model: "alpha-plain" },
    { need: "sight", body: { messages: [image] }, model: "alpha-seeing" },
    { need: "JSON", body: { response_format: { type: "json_object" } }, model: "gamma-structured" },
    {
      need: "a long context",
      body: { messages: [{ role: "user", content: "x".repeat(9000) }] },
      model: "alpha-seeing",
    },
  ])("without a list takes the cheapest allowed model known to do text chat: for $need, $model", async (each) => {
    const world = await open(choosy);
    expect((await world.chat({ model: "auto", ...each.body })).status).toBe(200);
    expect((await onlyCall(world))[1]).toBe(each.model);
  });

  it("that finds no model for what the request needs is refused as such", async () => {
    const world = await open(choosy);
    const body = { model: "auto", tools: [{ type: "function" }], response_format: { type: "json_schema" } };
    expect(await errorOf(await world.chat(body))).toMatchObject({ status: 400, code: "no_provider_matches" });
  });
});
