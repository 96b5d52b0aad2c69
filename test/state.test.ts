// What a request may ask a provider to keep, or to look up, where the policy says that nothing is kept.
import { describe, expect, it } from "vitest";
import type { Catalog } from "../src/catalog/schema.ts";
import { modelOf, providerOf, TEXT_APIS } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, post, type World } from "./world.ts";

const catalog: Catalog = {
  version: "state",
  providers: [providerOf("alpha", { apis: TEXT_APIS })],
  models: [modelOf("mix", { alpha: { apis: ["chat_completions", "responses", "messages"] } })],
};
const open = () => openWorld({ policy: policyOf({ requirements: ["zero_retention"] }), catalog });

it.each([
  ["messages", "container", "container_1"],
  ["messages", "container", { id: "container_1", skills: [] }],
  ["messages", "thread", { type: "create" }],
  ["messages", "thread", { type: "continue", previous_message_id: "msg_1" }],
  ["chat/completions", "deferred", true],
  ["responses", "input", [{ id: "msg_1", role: null, content: null }]],
])("/v1/%s with %s %j is refused by the field's name, recorded, and nothing is sent", async (path, field, value) => {
  const world = await open();
  const error = await errorOf(await post(world, path, { model: "mix", [field]: value }));
  expect(error).toMatchObject({ status: 400, code: "not_allowed_by_policy" });
  expect(await world.journal()).toEqual([]);
  expect(await world.events()).toMatchObject([
    { outcome: "refused", reason: `${field} is not allowed under zero_retention` },
  ]);
});

const shellIn = (environment: object) => ({ type: "shell", environment });
const fetched = (source: object) => ({ type: "web_fetch_result", url: "https://x.example", content: { source } });
const said = (content: object) => ({ messages: [{ role: "user", content: [content] }] });

it.each<[string, object, string]>([
  ["responses", { tools: [{ type: "function", name: "f" }, { type: "code_interpreter" }] }, "tools.code_interpreter"],
  ["responses", { tools: [{ type: "file_search", vector_store_ids: ["vs_1"] }] }, "tools.file_search"],
  ["responses", { tools: [shellIn({ type: "container_reference", container_id: "cntr_1" })] }, "tools.shell"],
  ["responses", { tools: [{ type: "namespace", tools: [{ type: "code_interpreter" }] }] }, "tools.code_interpreter"],
  ["responses", { input: [{ type: "additional_tools", tools: [{ type: "file_search" }] }] }, "tools.file_search"],
  ["responses", { input: [{ role: "user", content: [{ type: "input_file", file_id: "file_1" }] }] }, "file_id"],
  ["responses", { tools: [{ Type: "code_interpreter" }] }, "tools"],
  ["responses", { tools: [{ type: "function", Type: "code_interpreter" }] }, "tools"],
  ["responses", { tools: [{ type: "image_generation", input_image_mask: { file_id: "file_1" } }] }, "file_id"],
  ["responses", { input: [{ type: "image_generation_call", id: "ig_1" }] }, "input"],
  ["responses", { input: [{ role: "user", content: [{ type: "input_file", fileId: "file_1" }] }] }, "file_id"],
  ["responses", { input: [{ role: "user", [`file${"_".repeat(20_000)}ID`]: "file_1" }] }, "file_id"],
  ["responses", { input: [{ type: "message", Type: "item_reference", id: "a", role: "user", content: "b" }] }, "input"],
  ["messages", said({ type: "web_fetch_tool_result", content: fetched({ type: "file", file_id: "f" }) }), "file_id"],
  ["chat/completions", { tools: [{ type: "code_interpreter" }] }, "tools.code_interpreter"],
  ["chat/completions", { extra_body: { google: { cached_content: "cachedContents/1" } } }, "cached_content"],
  ["responses", { images: [{ file_id: "file_1" }] }, "file_id"],
  ["messages", { tools: [{ type: "code_execution_20250825" }] }, "tools.code_execution_20250825"],
  ["messages", said({ type: "document", source: { type: "file", file_id: "file_1" } }), "file_id"],
  ["chat/completions", said({ type: "file", file: { file_id: "file_1" } }), "file_id"],
  ["chat/completions", { messages: [{ role: "assistant", audio: { id: "audio_1" } }] }, "audio.id"],
])("/v1/%s with %.200j has the provider keep or look something up, and is refused: %s", async (path, asked, field) => {
  const world = await open();
  const error = await errorOf(await post(world, path, { model: "mix", ...asked }));
  expect(error).toMatchObject({ status: 400, code: "not_allowed_by_policy" });
  expect(error.message).toContain(field);
  expect(await world.journal()).toEqual([]);
  expect(await world.events()).toMatchObject([{ reason: `${field} is not allowed under zero_retention` }]);
});

it.each([
  ["responses", { tools: [shellIn({ type: "local" }), { type: "web_search" }] }],
  ["responses", { metadata: { file_id: "mine" } }],
  ["responses", { input: [{ type: "image_generation_call", id: "ig_1", result: "AA==" }] }],
  ["messages", { ...said({ type: "tool_use", input: { file_id: "mine" } }), thread: null }],
  ["chat/completions", { tools: [{ type: "function", function: { parameters: { file_id: "s" } } }] }],
  ["messages", { container: null }],
  ["chat/completions", { deferred: false }],
])("/v1/%s with %j keeps nothing, and passes", async (path, asked) => {
  const world = await open();
  expect((await post(world, path, { model: "mix", ...asked })).status).toBe(200);
});

it("what Claude Code sends of its last answer is dropped, and the request is served", async () => {
  const world = await open();
  const asked = { model: "mix", messages: [], diagnostics: { previous_message_id: "msg_1" } };
  const response = await post(world, "messages", asked);
  expect([response.status, response.headers.get("portcullis-enforced")]).toEqual([200, "diagnostics=dropped"]);
  expect((await world.journal()).map(({ body }) => JSON.parse(atob(body)))).toEqual([
    { model: "alpha-mix", messages: [] },
  ]);
});

describe("what steers a provider's prompt cache", () => {
  it.each([
    [{ ttl: "30m" }, undefined],
    [{ mode: "implicit", ttl: "30m" }, undefined],
    ["30m", undefined],
    [null, undefined],
    [{ mode: "explicit", ttl: "30m", comparison_response_id: "resp_1" }, { mode: "explicit" }],
  ])("%j leaves as %j: a lifetime is dropped, that nothing is cached by itself stays", async (asked, left) => {
    const world = await open();
    const response = await post(world, "responses", { model: "mix", prompt_cache_options: asked });
    expect(response.headers.get("portcullis-enforced")).toBe("store=false, prompt_cache_options=dropped");
    const sent = JSON.parse(atob((await world.journal())[0]?.body ?? ""));
    expect(sent.prompt_cache_options).toEqual(left);
  });
});

it.each([
  '{"model":"mix","input":[{"type":"item_reference","id":"msg_1","type":"message","role":"user","content":"Hi"}]}',
  '{"model":"mix","input":[{"id":"msg_1","role":"user","r\\u006fle":null}]}',
  '{"model":"mix","images":[{"file_id":"file_1","file_id":null}]}',
])("what could be read as a reference or not is 400: %s", async (body) => {
  const world = await open();
  expect(await errorOf(await post(world, "responses", body))).toMatchObject({ status: 400, code: "invalid_json" });
  expect(await world.journal()).toEqual([]);
});

describe("how long Anthropic's prompt cache holds", () => {
  const hour = '{"type":"ephemeral","ttl":"1h"}';
  const usual = '{"type":"ephemeral"}';

  it.each([
    ["on a message's block", `"messages":[{"role":"user","content":[{"type":"text","text":"é","cache_control":$}]}]`],
    ["on the system prompt", `"system":[{"type":"text","text":"a","cache_control":$}]`],
    ["on an advisor", `"tools":[{"type":"advisor_20260301","model":"alpha-mix","caching":$}]`],
    ["on a tool", `"tools":[{"name":"f","input_schema":{"maximum":12345678901234567890},"cache_control":$}]`],
    ["on the whole request", `"cache_control":$`],
  ])("%s: a lifetime is dropped, and nothing else of it changes", async (_, members) => {
    const world = await open();
    const body = (control: string) => `{"model":"mix",${members.replace("$", control)}}`;
    const response = await post(world, "messages", body(hour));
    expect(response.headers.get("portcullis-enforced")).toBe("cache_control.ttl=dropped");
    const sent = Buffer.from((await world.journal())[0]?.body ?? "", "base64").toString("utf8");
    expect(sent).toContain(members.replace("$", usual));
  });

  it("is the client's own affair without such a requirement, and in what only looks like it", async () => {
    const lax = await openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog });
    const strict = await open();
    const inTool = { messages: [{ content: [{ type: "tool_use", input: { cache_control: { ttl: 5 } } }] }] };
    for (const [world, asked] of [
      [lax, { cache_control: JSON.parse(hour) }],
      [strict, inTool],
    ] as const) {
      const response = await post(world, "messages", { model: "mix", ...asked });
      expect(response.headers.get("portcullis-enforced")).toBeNull();
      expect(JSON.parse(atob((await world.journal())[0]?.body ?? ""))).toMatchObject(asked);
    }
  });

  it("said twice could be read in two ways: 400", async () => {
    const world = await open();
    const body = `{"model":"mix","system":[{"cache_control":${hour},"cache_control":${usual}}]}`;
    expect(await errorOf(await post(world, "messages", body))).toMatchObject({ status: 400, code: "invalid_json" });
    expect(await world.journal()).toEqual([]);
  });
});

describe("a provider that refuses any request with `store`", () => {
  const strict = {
    chat_completions: { ...TEXT_APIS.chat_completions, rejectsStore: true },
    responses: TEXT_APIS.responses,
  } as const;
  const openStrict = () =>
    openWorld({
      policy: policyOf({ requirements: ["zero_retention"] }),
      catalog: {
        ...catalog,
        providers: [providerOf("alpha", { apis: strict }), providerOf("beta")],
        models: [modelOf("mix", { alpha: { apis: ["chat_completions", "responses"] }, beta: 2 })],
      },
    });
  const sentBy = async (world: World) =>
    (await world.journal()).map(({ body }) => JSON.parse(atob(body)) as Record<string, unknown>);

  it.each([
    [{ store: true }, "store=dropped"],
    [{ store: false }, "store=dropped"],
    [{}, null],
  ])("is sent none, whatever the client said: %j", async (asked, enforced) => {
    const world = await openStrict();
    const response = await post(world, "chat/completions", { model: "mix", messages: [], ...asked });
    expect([response.status, response.headers.get("portcullis-enforced")]).toEqual([200, enforced]);
    expect(await sentBy(world)).toEqual([{ model: "alpha-mix", messages: [] }]);
  });

  it("is told so on its other APIs, and the provider that serves after it is", async () => {
    const world = await openStrict();
    await post(world, "responses", { model: "alpha/mix", store: true });
    await world.behave("alpha", { kind: "status", status: 503, headers: {}, body: "" });
    const response = await post(world, "chat/completions", { model: "mix", messages: [], store: true });
    expect(response.headers.get("portcullis-enforced")).toBe("store=false");
    expect(await sentBy(world)).toEqual([
      { model: "alpha-mix", store: false },
      { model: "alpha-mix", messages: [] },
      { model: "beta-mix", messages: [], store: false },
    ]);
  });
});
