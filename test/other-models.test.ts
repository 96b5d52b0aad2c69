// A request can name models besides its own: a tool's, a moderation's. Each sees the prompt, so each is judged.
import { expect, it } from "vitest";
import type { ApiId, Catalog } from "../src/catalog/schema.ts";
import { otherModels } from "../src/gateway/other-models.ts";
import { modelOf, providerOf } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, type World } from "./world.ts";

const url = "https://provider.example/v1";
const apis = {
  chat_completions: { url, auth: "bearer" },
  responses: { url, auth: "bearer" },
  messages: { url, auth: "x-api-key" },
} as const;
const served = (model: string) => ({ model, apis: ["chat_completions", "responses", "messages"] as ApiId[] });
const catalog: Catalog = {
  version: "others",
  providers: [providerOf("alpha", { apis }), providerOf("beta", { apis })],
  models: [
    modelOf("small", { alpha: { ...served("small-1"), price: { input: 1, output: 1 } }, beta: served("small-b") }),
    modelOf("wise", { alpha: served("wise-1") }),
    modelOf("curious", { alpha: { ...served("curious-1"), dataPolicy: { trainsOnPrompts: true } } }),
  ],
};
const models = (lists: { allow?: string[]; block?: string[] }) => ({
  requirements: [],
  models: { allow: [], block: [], ...lists },
});
const post = (world: World, path: string, body: object | string) =>
  world.call(`/v1/${path}`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/json" },
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
  ["chat_completions", { moderation: { model: "mod" } }, ["mod"]],
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
  ["one that the catalog does not have", { requirements: ["no_training"] }, advisor("unheard-of"), "unheard-of"],
  ["one by its name at another provider", { requirements: ["no_training"] }, advisor("small-b"), "small-b"],
  ["text that is no name", { requirements: ["no_training"] }, advisor("my secret 12345"), "unknown model"],
])("%s in a tool blocks the provider that would run it", async (_, policy, asked, found) => {
  const world = await openWorld({ policy: policyOf(policy), catalog });
  const response = await post(world, "messages", { model: "alpha/small", ...asked });
  const failures = [{ code: "model_not_allowed", found }];
  expect(response.status).toBe(403);
  expect(await world.journal()).toEqual([]);
  expect(await world.events()).toMatchObject([{ outcome: "refused", providers: [{ id: "alpha", failures }] }]);
});

it("the message says which, and the next provider serves where it has what is named", async () => {
  const world = await openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog });
  const refused = await errorOf(await post(world, "messages", { model: "alpha/small", ...advisor("curious-1") }));
  expect(refused.message).toContain(
    "alpha does not meet it for small (model_not_allowed: the model curious-1 is not among those allowed)",
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
