// What coding agents send by themselves passes under every requirement, and leaves as it came but for what is said.
import { expect, it } from "vitest";
import type { ApiId, Catalog } from "../src/catalog/schema.ts";
import { modelOf, providerOf, TEXT_APIS } from "./small-catalog.ts";
import { openWorld, policyOf, post } from "./world.ts";

const served = { apis: Object.keys(TEXT_APIS) as ApiId[] };
const catalog: Catalog = {
  version: "agents",
  providers: [providerOf("alpha", { apis: TEXT_APIS })],
  models: [modelOf("mix", { alpha: served })],
};

const ephemeral = { type: "ephemeral" };
const argumentsWith = (properties: object) => ({ type: "object", properties, required: Object.keys(properties) });

const claudeCode = {
  model: "mix",
  max_tokens: 32_000,
  stream: true,
  temperature: 1,
  thinking: { type: "adaptive" },
  context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
  output_config: { effort: "high" },
  metadata: { user_id: '{"device_id":"d","session_id":"s"}' },
  system: [{ type: "text", text: "You are an agent. See https://x.example", cache_control: ephemeral }],
  tools: [
    { name: "Agent", input_schema: argumentsWith({ model: { type: "string", enum: ["opus"], default: "opus" } }) },
    { name: "WebFetch", input_schema: argumentsWith({ url: { type: "string", format: "uri" } }) },
    { name: "Read", input_schema: argumentsWith({ file_id: { type: "string" } }), cache_control: ephemeral },
  ],
  messages: [
    { role: "user", content: [{ type: "text", text: "Fix https://x.example/issue", cache_control: ephemeral }] },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "", signature: "s" },
        { type: "tool_use", id: "t1", name: "Agent", input: { model: "opus", url: "https://x.example", tools: ["x"] } },
      ],
    },
    {
      role: "user",
      content: [
        {
          type: "tool_result",
          tool_use_id: "t1",
          content: [
            { type: "text", text: "done" },
            { type: "image", source: { type: "base64", media_type: "image/png", data: "AA==" } },
            { type: "tool_reference", tool_name: "Read" },
          ],
        },
      ],
    },
  ],
};

const codex = {
  model: "mix",
  instructions: "You are an agent.",
  stream: true,
  store: false,
  parallel_tool_calls: true,
  tool_choice: "auto",
  reasoning: { effort: "medium", summary: "auto" },
  include: ["reasoning.encrypted_content"],
  prompt_cache_key: "session",
  text: { verbosity: "low" },
  client_metadata: { session_url: "https://x.example" },
  tools: [
    { type: "function", name: "exec_command", parameters: argumentsWith({ model: { type: "string" } }) },
    { type: "custom", name: "apply_patch", format: { type: "grammar", syntax: "lark", definition: "start: x" } },
    { type: "local_shell" },
    { type: "tool_search", execution: "client" },
    { type: "namespace", name: "mcp__x", tools: [{ type: "function", name: "open", parameters: {} }] },
  ],
  input: [
    { type: "message", role: "developer", content: [{ type: "input_text", text: "See https://x.example" }] },
    { type: "message", role: "user", content: [{ type: "input_image", image_url: "data:image/png;base64,AA==" }] },
    { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "e" },
    { type: "function_call", call_id: "c1", name: "exec_command", arguments: '{"url":"https://x.example"}' },
    { type: "function_call_output", call_id: "c1", output: "https://x.example" },
    { type: "tool_search_call", call_id: "c2", execution: "client", arguments: { url: "https://x.example" } },
    { type: "tool_search_output", call_id: "c2", tools: [{ type: "function", name: "found", parameters: {} }] },
    { type: "custom_tool_call", call_id: "c3", name: "apply_patch", input: "*** Begin Patch" },
  ],
};

const chatAgent = {
  model: "mix",
  stream: true,
  stream_options: { include_usage: true },
  response_format: {
    type: "json_schema",
    json_schema: { name: "a", schema: argumentsWith({ definition: {}, url: {} }) },
  },
  tools: [{ type: "function", function: { name: "f", parameters: argumentsWith({ model: {}, file_id: {} }) } }],
  messages: [
    { role: "system", content: "See https://x.example" },
    { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }] },
    { role: "assistant", tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }] },
    { role: "tool", tool_call_id: "c", content: '{"url":"https://x.example"}' },
  ],
};

const POLICIES = {
  "the demo's policy": { requirements: ["soc2_type2", "no_training"] },
  zero_retention: { requirements: ["zero_retention"] },
  no_remote_tools: { requirements: ["no_remote_tools"] },
  "an allow list of models": { models: { allow: ["mix"], block: [] } },
};

it.each(
  Object.entries(POLICIES).flatMap(([policy, rules]) =>
    (
      [
        ["messages", "Claude Code's", claudeCode],
        ["responses", "Codex's", codex],
        ["chat/completions", "a chat agent's", chatAgent],
      ] as const
    ).map(([path, whose, body]) => [whose, policy, path, body, rules] as const),
  ),
)("%s request passes under %s", async (_, policy, path, body, rules) => {
  const world = await openWorld({ policy: policyOf(rules), catalog });
  const response = await post(world, path, body);
  expect([response.status, await response.text()]).toEqual([200, expect.anything()]);
  const sent = (await world.journal()).map((entry) => JSON.parse(atob(entry.body)));
  const isHardened = policy === "zero_retention" && path !== "messages";
  expect(sent).toEqual([{ ...body, model: "alpha-mix", ...(isHardened && { store: false }) }]);
});

it("what Claude Code asks of its cache's diagnosis is dropped where nothing may be kept, and else its own affair", async () => {
  const asked = { ...claudeCode, diagnostics: { previous_message_id: "msg_1" } };
  for (const [requirement, isSent] of [
    ["no_training", true],
    ["zero_retention", false],
  ] as const) {
    const world = await openWorld({ policy: policyOf({ requirements: [requirement] }), catalog });
    const response = await post(world, "messages", asked);
    expect(response.status).toBe(200);
    await response.text();
    const [sent] = (await world.journal()).map((entry) => JSON.parse(atob(entry.body)));
    expect("diagnostics" in sent).toBe(isSent);
  }
});
