// What a request would have the provider call somebody else by, in each format's own terms; and that under
// `no_remote_tools` nothing of such a request leaves.
import { describe, expect, it } from "vitest";
import type { ApiId, Catalog } from "../src/catalog/schema.ts";
import { remoteTools } from "../src/gateway/remote-tools.ts";
import { modelOf, providerOf, TEXT_APIS } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, post } from "./world.ts";

type Root = Record<string, unknown>;

const part = (content: unknown): Root => ({ messages: [{ role: "user", content: [content] }] });
const addition = (tool: unknown): Root => part({ type: "tool_addition", tool });

const twoShells = { type: "shell", environment: { type: "local" }, Environment: { type: "container_auto" } };

const REMOTE: [ApiId, string, Root, string[]][] = [
  // Chat completions
  ["chat_completions", "web search options", { web_search_options: {} }, ["web_search_options"]],
  ["chat_completions", "Groq's browser", { tools: [{ type: "browser_search" }] }, ["browser_search"]],
  ["chat_completions", "Groq's hosted code", { tools: [{ type: "code_interpreter" }] }, ["code_interpreter"]],
  ["chat_completions", "Groq's compound tools", { compound_custom: { tools: {} } }, ["compound_custom"]],
  ["chat_completions", "xAI's live search", { search_parameters: { mode: "auto" } }, ["search_parameters"]],
  ["chat_completions", "Alibaba's search", { enable_search: true }, ["enable_search"]],
  ["chat_completions", "Z AI's search", { tools: [{ type: "web_search", web_search: {} }] }, ["web_search"]],
  ["chat_completions", "Mistral's connectors", { tools: [{ type: "connector", connector_id: "c" }] }, ["connector"]],
  ["chat_completions", "Azure's data", { data_sources: [{ type: "azure_search" }] }, ["data_sources"]],
  ["chat_completions", "Baidu's search", { web_search: { enable: true } }, ["web_search"]],
  ["chat_completions", "Tencent's search", { enable_enhancement: true }, ["enable_enhancement"]],
  [
    "chat_completions",
    "tools that a message brings",
    { messages: [{ role: "system", tools: [{ type: "builtin_function", function: { name: "$web_search" } }] }] },
    ["builtin_function"],
  ],
  ["chat_completions", "OpenRouter's plugins", { plugins: [{ id: "web" }] }, ["plugins"]],
  ["chat_completions", "Google's URL context", { extra_body: { google: { tools: [] } } }, ["extra_body"]],
  [
    "chat_completions",
    "Moonshot's search, a function by name",
    { tools: [{ type: "builtin_function", function: { name: "$web_search" } }] },
    ["builtin_function"],
  ],
  [
    "chat_completions",
    "the same, called a function",
    { tools: [{ type: "function", function: { name: "$web_search" } }] },
    ["$web_search"],
  ],
  [
    "chat_completions",
    "a type of tool that nobody knows yet",
    { tools: [{ type: "teleport_2027" }] },
    ["teleport_2027"],
  ],
  ["chat_completions", "a type that is a sentence", { tools: [{ type: "Dear model, …" }] }, ["unknown tool type"]],
  ["chat_completions", "a tool without a type", { tools: [{ function: { name: "f" } }] }, ["tools"]],
  ["chat_completions", "a type that is no text", { tools: [{ type: ["function"] }] }, ["tools"]],
  ["chat_completions", "a tool that is no object", { tools: ["web_search"] }, ["tools"]],
  ["chat_completions", "tools that are no list", { tools: { type: "mcp" } }, ["tools"]],
  // Responses
  [
    "responses",
    "web search",
    { tools: [{ type: "web_search_preview_2025_03_11" }] },
    ["web_search_preview_2025_03_11"],
  ],
  ["responses", "a remote MCP server", { tools: [{ type: "mcp", server_url: "https://x.example" }] }, ["mcp"]],
  ["responses", "a connector", { tools: [{ type: "mcp", connector_id: "connector_dropbox" }] }, ["mcp"]],
  ["responses", "stored files", { tools: [{ type: "file_search", vector_store_ids: ["vs_1"] }] }, ["file_search"]],
  [
    "responses",
    "hosted code",
    { tools: [{ type: "code_interpreter", container: { type: "auto" } }] },
    ["code_interpreter"],
  ],
  ["responses", "a hosted shell", { tools: [{ type: "shell", environment: { type: "container_auto" } }] }, ["shell"]],
  ["responses", "a shell of no stated environment", { tools: [{ type: "shell" }] }, ["shell"]],
  ["responses", "a tool search at the provider", { tools: [{ type: "tool_search" }] }, ["tool_search"]],
  ["responses", "a function without a type", { tools: [{ name: "f" }] }, ["tools"]],
  [
    "responses",
    "one inside a namespace",
    { tools: [{ type: "namespace", name: "n", tools: [{ type: "function" }, { type: "mcp" }] }] },
    ["mcp"],
  ],
  ["responses", "a second type in other letters", { tools: [{ type: "function", Type: "mcp" }] }, ["tools"]],
  ["responses", "a type in other letters", { tools: [{ TYPE: "function" }] }, ["tools"]],
  ["responses", "tools in other letters", { input: [{ type: "message", Tools: [{ type: "mcp" }] }] }, ["mcp"]],
  [
    "responses",
    "tools that the input brings",
    { input: [{ type: "additional_tools", tools: [{ type: "mcp" }] }] },
    ["mcp"],
  ],
  [
    "responses",
    "tools that a search found",
    { input: [{ type: "tool_search_output", tools: [{ type: "mcp" }] }] },
    ["mcp"],
  ],
  ["responses", "tools of an input item that are no list", { input: [{ tools: { type: "mcp" } }] }, ["tools"]],
  // Messages
  [
    "messages",
    "a tool that is added in the middle",
    addition({ type: "tool_definition", definition: { type: "web_search_20250305", name: "web_search" } }),
    ["web_search_20250305"],
  ],
  [
    "messages",
    "one that a compaction brings back",
    part({ type: "compaction", tool_changes: [{ tool: { definition: { type: "mcp_toolset" } } }] }),
    ["mcp_toolset"],
  ],
  ["responses", "a stored prompt, which can have tools", { prompt: { id: "pmpt_1" } }, ["prompt"]],
  ["responses", "a stored conversation", { conversation: "conv_1" }, ["conversation"]],
  ["messages", "a stored conversation", { thread: { type: "continue", previous_message_id: "m" } }, ["thread"]],
  ["chat_completions", "a function in other letters", { tools: [{ type: "function", Function: {} }] }, ["tools"]],
  [
    "chat_completions",
    "a function of two names",
    { tools: [{ type: "function", function: { name: "f", Name: "$web_search" } }] },
    ["tools"],
  ],
  ["responses", "a shell in two environments", { tools: [twoShells] }, ["shell"]],
  ["messages", "a definition that is no tool", part({ type: "tool_addition", tool: { definition: [] } }), ["tools"]],
  ["messages", "web search", { tools: [{ type: "web_search_20250305", name: "web_search" }] }, ["web_search_20250305"]],
  ["messages", "web fetch", { tools: [{ type: "web_fetch_20260309", name: "f" }] }, ["web_fetch_20260309"]],
  ["messages", "hosted code", { tools: [{ type: "code_execution_20250825", name: "c" }] }, ["code_execution_20250825"]],
  ["messages", "MCP servers", { mcp_servers: [{ type: "url", url: "https://x.example" }] }, ["mcp_servers", "url"]],
  ["messages", "a set of MCP tools", { tools: [{ type: "mcp_toolset", mcp_server_name: "x" }] }, ["mcp_toolset"]],
  ["messages", "a second model's advice", { tools: [{ type: "advisor_20260301", model: "m" }] }, ["advisor_20260301"]],
  [
    "messages",
    "a name that only begins like a client's",
    { tools: [{ type: "bash_20250124_remote" }] },
    ["bash_20250124_remote"],
  ],
];

const AT_THE_CALLER: [ApiId, string, Root][] = [
  [
    "chat_completions",
    "functions and custom tools",
    { tools: [{ type: "function" }, { type: "custom" }], functions: [] },
  ],
  [
    "chat_completions",
    "switches that are off",
    { enable_search: false, web_search_options: null, plugins: [], mcp_servers: [] },
  ],
  [
    "chat_completions",
    "Google's thinking budget",
    { extra_body: { google: { thinking_config: { thinking_budget: 1 } } } },
  ],
  ["chat_completions", "no tools", { tools: null }],
  ["responses", "functions and custom tools", { tools: [{ type: "function" }, { type: "custom" }] }],
  [
    "responses",
    "the caller's own machine",
    { tools: [{ type: "local_shell" }, { type: "apply_patch" }, { type: "computer" }] },
  ],
  ["responses", "a local shell", { tools: [{ type: "shell", environment: { type: "local" } }] }],
  ["responses", "a tool search at the caller", { tools: [{ type: "tool_search", execution: "client" }] }],
  ["responses", "a namespace of functions", { tools: [{ type: "namespace", tools: [{ type: "function" }] }] }],
  [
    "messages",
    "tools of no stated type, which are the caller's",
    { tools: [{ name: "f", input_schema: {} }, { type: null }] },
  ],
  [
    "messages",
    "a function that is added in the middle",
    addition({ type: "tool_definition", definition: { name: "f", input_schema: {} } }),
  ],
  [
    "messages",
    "an example of a function that is added",
    addition({ definition: { name: "f", input_examples: [{ url: "https://x.example" }] } }),
  ],
  [
    "messages",
    "a schema of an answer",
    { output_config: { format: { schema: { properties: { definition: { type: "string" }, url: "s" } } } } },
  ],
  ["completions", "a prompt that is text", { prompt: "Hi" }],
  ["messages", "a tool that is added by its name", addition({ type: "tool_reference", name: "f" })],
  ["messages", "tools that a call tells of", part({ type: "tool_use", input: { tools: [{ type: "mcp" }] } })],
  ["messages", "the caller's own machine", { tools: [{ type: "bash_20250124" }, { type: "text_editor_20250728" }] }],
  ["messages", "a search through the request's own tools", { tools: [{ type: "tool_search_tool_bm25_20251119" }] }],
];

it.each(REMOTE)("%s: %s is remote", (api, _, root, expected) => {
  expect(remoteTools(api, root)).toEqual(expected);
});

it.each(AT_THE_CALLER)("%s: %s: nobody else is called", (api, _, root) => {
  expect(remoteTools(api, root)).toEqual([]);
});

const fetched = (source: Root): Root => ({ type: "web_fetch_result", url: "https://x.example", content: { source } });
const message = (url: string): Root => ({ role: "user", content: [{ type: "image", source: { type: "url", url } }] });

describe("an address that the provider would fetch", () => {
  it.each<[ApiId, Root, string]>([
    ["chat_completions", part({ type: "image_url", image_url: { url: "https://x.example/?q=secret" } }), "url"],
    ["chat_completions", part({ type: "image_url", image_url: "https://x.example/a.png" }), "image_url"],
    ["chat_completions", part({ type: "file", fileData: { fileUri: "https://x.example/a.pdf" } }), "fileUri"],
    ["chat_completions", part({ type: "image", imageURL: "https://x.example/a.png" }), "imageURL"],
    ["chat_completions", part({ type: "video_url", video_url: { url: "http://x.example" } }), "url"],
    ["chat_completions", part({ type: "document_url", document_url: "https://x.example" }), "document_url"],
    ["chat_completions", part({ type: "input_audio", input_audio: "https://x.example/a.mp3" }), "input_audio"],
    ["chat_completions", part({ type: "input_audio", input_audio: { data: "https://x.example/a.wav" } }), "data"],
    ["chat_completions", part({ type: "text", data: "https://x.example/a.wav" }), "data"],
    ["chat_completions", part({ type: "file", file: { file_data: "https://x.example/a.pdf" } }), "file_data"],
    ["chat_completions", part({ type: "image_url", image_url: { url: " https://x.example" } }), "url"],
    ["chat_completions", part({ type: "image_url", image_url: { url: "gs://bucket/a" } }), "url"],
    ["responses", { input: [{ content: [{ type: "input_image", image_url: "https://x.example" }] }] }, "image_url"],
    ["responses", { input: [{ content: [{ type: "input_file", file_url: "https://x.example" }] }] }, "file_url"],
    [
      "responses",
      { input: [{ type: "function_call_output", output: [{ type: "input_image", image_url: "https://x.example" }] }] },
      "image_url",
    ],
    ["messages", part({ type: "image", source: { type: "url", url: "https://x.example" } }), "url"],
    [
      "messages",
      part({ type: "tool_result", content: [{ type: "document", source: { type: "url", url: "https://x.example" } }] }),
      "url",
    ],
    // A type tells of an earlier turn only where the format has such.
    ["chat_completions", part({ type: "tool_use", input: { url: "https://x.example" } }), "url"],
    ["messages", part({ type: "web_fetch_tool_result", content: fetched({ url: "https://x.example/a.pdf" }) }), "url"],
    ["messages", part({ type: "web_search_tool_result", Type: "y", content: [{ url: "https://x.example" }] }), "url"],
    ["messages", { messages: [{ type: "web_search_tool_result", ...message("https://x.example") }] }, "url"],
    ["messages", { messages: [{ type: "tool_use", input: [], ...message("https://x.example") }] }, "url"],
    ["messages", { type: "web_search_tool_result", content: [{ url: "https://x.example" }] }, "url"],
    ["responses", { type: "tool_use", input: [{ type: "input_image", image_url: "https://x.example" }] }, "image_url"],
    ["responses", { input: [{ content: [{ type: "a_call", outputs: [{ url: "https://x.example" }] }] }] }, "url"],
    ["embeddings", { type: "tool_use", input: [{ image_url: "https://x.example" }] }, "image_url"],
    ["images_generations", { prompt: "p", image: ["https://x.example/a.png"] }, "image"],
    ["images_generations", { prompt: "p", reference_images: ["https://x.example/a.png"] }, "reference_images"],
    ["moderations", { input: [{ type: "image_url", image_url: { url: "https://x.example" } }] }, "url"],
    ["audio_transcriptions", { file: "https://x.example/a.mp3" }, "file"],
    ["audio_transcriptions", { url: "https://x.example/a.mp3" }, "url"],
  ])("counts as remote: %s %j", (api, root, found) => {
    expect(remoteTools(api, root)).toEqual([found]);
  });

  it.each([
    ["MY SECRET 12345_url", "url"],
    ["my_secret_12345_uris", "uris"],
    ["mySecretUrl", "url"],
    [`${"x".repeat(20_000)}_URL`, "url"],
    ["image_url", "image_url"],
    ["fileUri", "fileUri"],
  ])("is told by a name that a client cannot fill: %.30s", (name, told) => {
    expect(remoteTools("chat_completions", part({ [name]: "https://x.example" }))).toEqual([told]);
  });

  it.each<[ApiId, Root]>([
    ["chat_completions", part({ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } })],
    ["chat_completions", part({ type: "input_audio", input_audio: { data: "AA==", format: "wav" } })],
    ["chat_completions", part({ type: "text", text: "See https://x.example" })],
    ["chat_completions", { messages: [{ tool_calls: [{ function: { arguments: '{"url":"https://x.example"}' } }] }] }],
    ["chat_completions", { tools: [{ type: "function", function: { parameters: { properties: { url: {} } } } }] }],
    ["chat_completions", { metadata: { url: "https://x.example" } }],
    ["responses", { input: [{ type: "web_search_call", action: { type: "open_page", url: "https://x.example" } }] }],
    ["responses", { input: [{ content: [{ type: "output_text", annotations: [{ url: "https://x.example" }] }] }] }],
    ["messages", part({ type: "tool_use", input: { url: "https://x.example" } })],
    ["messages", part({ type: "web_search_tool_result", content: [{ url: "https://x.example" }] })],
    ["messages", part({ type: "web_fetch_tool_result", content: fetched({ type: "base64", data: "AA==" }) })],
    ["responses", { input: [{ type: "tool_search_call", arguments: { url: "https://x.example" } }] }],
    ["messages", part({ type: "image", source: { type: "base64", data: "AA==" } })],
    ["messages", part({ type: "document", source: { type: "text", data: "https://x.example is down" } })],
    ["images_generations", { prompt: "p", image: "AA==" }],
  ])("is not what is bytes, text, or told of: %s %j", (api, root) => {
    expect(remoteTools(api, root)).toEqual([]);
  });
});

it("a long name of a long list is looked at once", () => {
  const root = part({ ["x".repeat(100_000)]: Array(50_000).fill(1), definition: Array(50_000).fill({}) });
  const began = performance.now();
  expect(remoteTools("messages", root)).toEqual([]);
  expect(performance.now() - began).toBeLessThan(1_000);
});

const served = { apis: ["chat_completions", "responses", "messages"] as ApiId[] };
const catalog: Catalog = {
  version: "tools",
  providers: [
    providerOf("alpha", { apis: TEXT_APIS }),
    providerOf("seeker", { apis: TEXT_APIS, searches: true }),
    providerOf("broker", { apis: TEXT_APIS, aggregator: true }),
  ],
  models: [modelOf("mix", { alpha: served, seeker: served }), modelOf("brokered", { broker: served })],
};
const open = (requirements = ["no_remote_tools"]) => openWorld({ policy: policyOf({ requirements }), catalog });
describe("under no_remote_tools", () => {
  it.each([
    ["chat/completions", { web_search_options: {} }, "web_search_options"],
    ["responses", { tools: [{ type: "mcp", server_url: "https://x.example" }] }, "mcp"],
    ["messages", { tools: [{ type: "web_search_20250305", name: "web_search" }] }, "web_search_20250305"],
    ["messages/count_tokens", { mcp_servers: [{ name: "x" }] }, "mcp_servers"],
  ])("%s with %j is the 403, recorded with the tool's type, and nothing is sent", async (path, asked, tool) => {
    const world = await open();
    const response = await post(world, path, { model: "alpha/mix", ...asked });
    const failures = [{ code: "no_remote_tools", found: tool }];
    expect(await errorOf(response)).toMatchObject({
      status: 403,
      code: "provider_compliance_blocked",
      details: { providers: [{ id: "alpha", failures }], alternatives: [] },
    });
    expect(await world.journal()).toEqual([]);
    expect(await world.events()).toMatchObject([{ outcome: "refused", providers: [{ id: "alpha", failures }] }]);
  });

  it("the same request without the tool is served, also right after", async () => {
    const world = await open();
    const asked = { model: "mix", messages: [] };
    expect((await post(world, "chat/completions", asked)).status).toBe(200);
    expect((await post(world, "chat/completions", { ...asked, enable_search: true })).status).toBe(403);
    expect((await post(world, "chat/completions", asked)).status).toBe(200);
    expect(await world.called()).toEqual(["alpha", "alpha"]);
  });

  it("a model that searches by itself, or that an aggregator passes on, is not chosen, and pinned it is the 403", async () => {
    const world = await open();
    for (const [model, provider, found] of [
      ["seeker/mix", "seeker", "searches"],
      ["broker/brokered", "broker", null],
    ]) {
      const response = await post(world, "chat/completions", { model, messages: [] });
      const failures = [{ code: "no_remote_tools", found }];
      expect(await errorOf(response)).toMatchObject({
        status: 403,
        details: { providers: [{ id: provider, failures }] },
      });
    }
    expect(await world.journal()).toEqual([]);
  });

  it.each([
    ["tools", '{"model":"mix","tools":[{"type":"function","type":"mcp"}]}'],
    ["tools", '{"model":"mix","tools":[{"type":"function","ty\\u0070e":"mcp"}]}'],
    ["messages", '{"model":"mix","messages":[{"content":[{"image_url":{"url":"data:,","url":"https://x.example"}}]}]}'],
    ["input", '{"model":"mix","input":[{"type":"additional_tools","tools":[],"tools":[{"type":"mcp"}]}]}'],
  ])("a key repeated inside %s could be read in two ways, and is 400", async (where, body) => {
    const world = await open();
    const error = await errorOf(await post(world, "responses", body));
    expect(error).toMatchObject({ status: 400, code: "invalid_json" });
    expect(error.message).toContain(where);
    expect(await world.journal()).toEqual([]);
  });

  it("a member's name of any length leaves an event that can be read", async () => {
    const world = await open();
    for (const length of [513, 20_000]) {
      const body = { model: "mix", ...part({ [`my secret 12345 ${"x".repeat(length)}_url`]: "https://x.example" }) };
      const response = await post(world, "chat/completions", body);
      expect(await errorOf(response)).toMatchObject({
        status: 403,
        details: { providers: [{ failures: [{ code: "no_remote_tools", found: "url" }] }, {}] },
      });
    }
    const events = await world.events();
    expect(events).toHaveLength(2);
    expect(JSON.stringify(events)).not.toContain("12345");
  });

  it("what is put in a tool's type is not kept, unless it looks like one", async () => {
    const world = await open();
    const response = await post(world, "responses", { model: "mix", tools: [{ type: "my secret is 12345" }] });
    expect(response.status).toBe(403);
    expect(JSON.stringify([await response.json(), await world.events()])).not.toContain("12345");
  });
});

it("where it is not required, such a request is the client's own affair", async () => {
  const world = await open(["no_training"]);
  const tools = [{ type: "mcp", server_url: "https://x.example" }];
  expect((await post(world, "responses", { model: "mix", tools })).status).toBe(200);
  expect(JSON.parse(atob((await world.journal())[0]?.body ?? ""))).toMatchObject({ tools });
});
