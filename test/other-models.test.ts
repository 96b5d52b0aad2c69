// A request can name models besides its own: a tool's, a moderation's. Each sees the prompt, so each is judged.
import { expect, it } from "vitest";
import { indexCatalog } from "../src/catalog/lookup.ts";
import type { ApiId, Catalog } from "../src/catalog/schema.ts";
import { evaluate } from "../src/compliance/evaluate.ts";
import { judgingAlso, otherModels } from "../src/gateway/other-models.ts";
import { modelOf, providerOf, TEXT_APIS } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, post } from "./world.ts";

const served = (model: string) => ({ model, apis: ["chat_completions", "responses", "messages"] as ApiId[] });
const catalog: Catalog = {
  version: "others",
  providers: [providerOf("alpha", { apis: TEXT_APIS }), providerOf("beta", { apis: TEXT_APIS })],
  models: [
    modelOf("small", { alpha: { ...served("small-1"), price: { input: 1, output: 1 } }, beta: served("small-b") }),
    modelOf("wise", { alpha: served("wise-1") }),
    modelOf("keeping", { alpha: { ...served("keeping-1"), dataPolicy: { logsPrompts: true } } }),
    modelOf("curious", { alpha: { ...served("curious-1"), dataPolicy: { trainsOnPrompts: true } } }),
  ],
};
const models = (lists: { allow?: string[]; block?: string[] }) => ({
  requirements: [],
  models: { allow: [], block: [], ...lists },
});
const advisor = (model: string) => ({ tools: [{ type: "advisor_20260301", name: "advisor", model }] });
const addition = (model: string) => ({
  messages: [{ role: "system", content: [{ type: "tool_addition", tool: { definition: advisor(model).tools[0] } }] }],
});

it.each<[ApiId, Record<string, unknown>, string[]]>([
  ["messages", advisor("wise-1"), ["wise-1"]],
  ["messages", addition("wise-1"), ["wise-1"]],
  ["responses", { tools: [{ type: "image_generation", Model: "painter" }] }, ["painter"]],
  ["responses", { input: [{ type: "additional_tools", tools: [{ type: "x", model: "m" }] }] }, ["m"]],
  ["chat_completions", { tools: [{ type: "openrouter:advisor", parameters: { model: "a/b" } }] }, ["a/b"]],
  ["chat_completions", { compound_custom: { models: { reasoning_model: "r", answering_model: "a" } } }, ["r", "a"]],
  ["chat_completions", { compound_custom: { reasoningModel: "r" } }, ["r"]],
  ["chat_completions", { moderation: { model: "mod" } }, ["mod"]],
  ["chat_completions", { compound_custom: { models: [{ id: "m" }] } }, ["m"]],
  ["responses", { tools: [{ type: "x", mo_del: "m" }] }, ["m"]],
  ["chat_completions", { safety_model: "guard" }, ["guard"]],
  ["chat_completions", { guardrails: [{ moderation_llm_v2: { model_name: "guard" } }] }, ["guard"]],
  ["responses", { tools: [{ type: "mcp", headers: { model: "x" } }] }, []],
  ["responses", { input: [{ type: "mcp_list_tools", tools: [{ input_schema: { default: { model: "x" } } }] }] }, []],
  ["chat_completions", { tools: [{ function: { parameters: { default: { model: "x" } } } }] }, []],
  ["chat_completions", { tools: [{ type: "function", function: { parameters: { default: { model: "x" } } } }] }, []],
  ["messages", { tools: [{ name: "f", input_schema: { default: { model: "x" } } }] }, []],
])("%s: of %j those are read: %j", (api, root, expected) => {
  expect(otherModels(api, root)).toEqual(expected);
});

it.each<[string, object, object, string]>([
  ["a model on the block list", models({ block: ["wise"] }), advisor("wise-1"), "wise-1"],
  ["one that is not on the allow list", models({ allow: ["small"] }), advisor("wise-1"), "wise-1"],
  ["one that is added in the middle", models({ block: ["wise"] }), addition("wise-1"), "wise-1"],
  ["one whose own facts fail", { requirements: ["no_training"] }, advisor("curious-1"), "curious-1"],
  ["one that is added in the middle", { requirements: ["no_training"] }, addition("curious-1"), "curious-1"],
  ["the same under another requirement", { requirements: ["zero_retention"] }, addition("keeping-1"), "keeping-1"],
  ["one that the catalog does not have", { requirements: ["no_training"] }, advisor("unheard-of"), "unheard-of"],
  ["one by its name at another provider", { requirements: ["no_training"] }, advisor("small-b"), "small-b"],
  ["text that is no name", { requirements: ["no_training"] }, advisor("my secret 12345"), "unknown model"],
])("%s in a tool blocks the provider that would run it", async (_, policy, asked, found) => {
  const world = await openWorld({ policy: policyOf(policy), catalog });
  const response = await post(world, "messages", { model: "alpha/small", ...asked });
  expect(response.status).toBe(403);
  expect(await world.journal()).toEqual([]);
  const [event] = (await world.events()) as { providers: { id: string; failures: object[] }[] }[];
  expect(event).toMatchObject({ outcome: "refused", providers: [{ id: "alpha" }] });
  expect(event?.providers[0]?.failures[0]).toEqual({ code: "model_not_allowed", found });
});

it("why it fails is told as well", async () => {
  const world = await openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog });
  await post(world, "messages", { model: "alpha/small", ...advisor("curious-1") });
  const failures = [
    { code: "model_not_allowed", found: "curious-1" },
    { code: "no_training", found: true },
  ];
  expect(await world.events()).toMatchObject([{ providers: [{ failures }] }]);
});

it("a request that names very many is refused by that, at once, with an event that can be read", async () => {
  const world = await openWorld({ policy: policyOf({ requirements: ["soc2_type2"] }) });
  const many = Array.from({ length: 50_000 }, (_, at) => `${at}-${"x".repeat(120)}`.slice(0, 120));
  const began = Date.now();
  const response = await post(world, "chat/completions", { model: "auto", tools: [{ type: "x", models: many }] });
  expect([response.status, Date.now() - began < 3_000]).toEqual([403, true]);
  const [event] = (await world.events()) as { providers: { failures: object[] }[] }[];
  expect(event?.providers[0]?.failures).toContainEqual({ code: "model_not_allowed", found: "unknown model" });
});

it("each provider is asked once for what a request names", () => {
  const index = indexCatalog(catalog);
  let asked = 0;
  const judge = judgingAlso(["wise-1"], index, (candidate, now) => {
    asked++;
    return evaluate({ policies: [], requirements: [] }, { ...candidate, model: undefined, now } as never);
  });
  const [candidate] = index.candidates.get("small") ?? [];
  for (let turn = 0; turn < 5; turn++) if (candidate) judge(candidate, 0);
  expect(asked).toBe(6);
});

it("the catalog's own name, and an alias of it, are understood", async () => {
  const aliased = { ...catalog, models: catalog.models.map((each) => ({ ...each, aliases: [`${each.id}-latest`] })) };
  const world = await openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog: aliased });
  const ask = (model: string) => post(world, "messages", { model: "alpha/small", ...advisor(model) });
  expect((await ask("wise-latest")).status).toBe(200);
  expect((await ask("wise")).status).toBe(200);
  expect((await ask("curious-latest")).status).toBe(403);
  const both = { tools: [...advisor("wise").tools, ...advisor("wise-latest").tools, ...advisor("wise-1").tools] };
  expect((await post(world, "messages", { model: "alpha/small", ...both })).status).toBe(200);
});

it("a policy that looks at providers alone has nothing to say of models", async () => {
  const world = await openWorld({ policy: policyOf({ providers: { allow: ["alpha"], block: [] } }), catalog });
  expect((await post(world, "messages", { model: "small", ...advisor("unheard-of") })).status).toBe(200);
});

it("the message says which, and the next provider serves where it has what is named", async () => {
  const world = await openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog });
  const refused = await errorOf(await post(world, "messages", { model: "alpha/small", ...advisor("curious-1") }));
  expect(refused.message).toContain(
    "alpha does not meet it for small (model_not_allowed: the model curious-1 is not among those that are known and allowed; no_training: trains on prompts)",
  );
  expect((await post(world, "chat/completions", { model: "small", moderation: { model: "small-b" } })).status).toBe(
    200,
  );
  expect(await world.called()).toEqual(["beta"]);
});

it("an allowed one is served, and where nothing is asked for every one is", async () => {
  const strict = await openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog });
  const open = await openWorld({ policy: { ...policyOf({ requirements: ["no_training"] }), enabled: false }, catalog });
  expect((await post(strict, "messages", { model: "small", ...advisor("wise-1") })).status).toBe(200);
  expect((await post(open, "messages", { model: "small", ...advisor("unheard-of") })).status).toBe(200);
});

it.each([
  '{"model":"small","moderation":{"model":"wise-1","model":"curious-1"}}',
  '{"model":"small","tools":[{"type":"x","model":"wise-1","model":"curious-1"}]}',
])("one that is named twice could be read in two ways: 400 for %s", async (body) => {
  const world = await openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog });
  expect(await errorOf(await post(world, "chat/completions", body))).toMatchObject({
    status: 400,
    code: "invalid_json",
  });
  expect(await world.journal()).toEqual([]);
});
