// GET /v1/models: the list that a key may use, readable by OpenAI's and by Anthropic's SDK.
import { expect, it } from "vitest";
import { smallCatalog } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf } from "./world.ts";

const noTraining = policyOf({ requirements: ["no_training"] });

interface Listed {
  id: string;
  allowed: boolean;
  providers: { id: string; live: boolean; apis: string[] }[];
  blocked_providers?: { id: string; failures: unknown[] }[];
}
const listOf = async (response: Response) => (await response.json()) as { object: string; data: Listed[] };

it("the list holds the models with an allowed provider, each with the allowed ones only", async () => {
  const world = await openWorld({ policy: noTraining, catalog: smallCatalog });
  const { object, data } = await listOf(await world.call("/v1/models"));
  expect(object).toBe("list");
  const ids = data.map(({ id }) => id);
  expect(ids).toContain("mix");
  expect(ids).not.toContain("dirty");
  expect(data.every(({ blocked_providers }) => blocked_providers === undefined)).toBe(true);
  expect(
    data
      .find(({ id }) => id === "mix")
      ?.providers.map(({ id }) => id)
      .sort(),
  ).toEqual(["alpha", "beta", "delta", "gamma"]);
});

it("include=blocked adds the rest with their failures", async () => {
  const world = await openWorld({ policy: noTraining, catalog: smallCatalog });
  const { data } = await listOf(await world.call("/v1/models?include=blocked"));
  expect(data).toHaveLength(smallCatalog.models.length);
  expect(data.find(({ id }) => id === "dirty")).toMatchObject({
    allowed: false,
    providers: [],
    blocked_providers: [
      { id: "leaky", failures: [{ code: "no_training", found: true }] },
      { id: "blank", failures: [{ code: "no_training", found: null }] },
    ],
  });
});

it("one model is found by its id or its alias", async () => {
  const world = await openWorld({ policy: noTraining, catalog: smallCatalog });
  for (const name of ["mix", "mix-latest"])
    expect(await (await world.call(`/v1/models/${name}`)).json()).toMatchObject({
      id: "mix",
      object: "model",
      type: "model",
      created: Date.parse("2026-01-01") / 1000,
      created_at: "2026-01-01T00:00:00Z",
      allowed: true,
    });
});

it("a model that is blocked or unknown is 404, unless blocked ones are asked for", async () => {
  const world = await openWorld({ policy: noTraining, catalog: smallCatalog });
  for (const name of ["dirty", "nothing", "Mix", "__proto__"])
    expect(await errorOf(await world.call(`/v1/models/${name}`))).toMatchObject({
      status: 404,
      code: "model_not_found",
    });
  expect(await (await world.call("/v1/models/dirty?include=blocked")).json()).toMatchObject({
    id: "dirty",
    allowed: false,
  });
});

it("a provider's retirement shows in the list", async () => {
  const world = await openWorld({ policy: noTraining, catalog: smallCatalog });
  expect(await (await world.call("/v1/models/retired")).json()).toMatchObject({
    providers: [
      { id: "alpha", live: false },
      { id: "beta", live: false },
    ],
  });
});

it("listing asks for a key, sends nothing upstream and records nothing", async () => {
  const world = await openWorld({ policy: noTraining, catalog: smallCatalog });
  for (const path of ["/v1/models", "/v1/models/mix"])
    expect((await world.call(path, { headers: { authorization: "Bearer nothing" } })).status).toBe(401);
  await world.call("/v1/models?include=blocked");
  expect(await world.called()).toEqual([]);
  expect(await world.events()).toEqual([]);
});
