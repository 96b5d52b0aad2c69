import Anthropic from "@anthropic-ai/sdk";
import { afterEach, expect, it } from "vitest";
import { demo, failAlone, journal } from "./client.ts";

const MODEL = "claude-haiku-4-5";
const messages = [{ role: "user" as const, content: "Hello" }];

/** The real SDK with its defaults, retries included. */
const client = new Anthropic({ baseURL: demo.url, authToken: demo.api_keys.web, apiKey: null });

afterEach(() => failAlone("anthropic", null));

it("answers a message, and says which provider answered", async () => {
  const { data, response } = await client.messages.create({ model: MODEL, max_tokens: 100, messages }).withResponse();
  expect(data.content[0]).toMatchObject({ type: "text" });
  expect(response.headers.get("portcullis-provider")).toBe("anthropic");
});

it("streams a message", async () => {
  const stream = client.messages.stream({ model: MODEL, max_tokens: 100, messages });
  let pieces = 0;
  stream.on("text", () => pieces++);
  expect((await stream.finalMessage()).stop_reason).toBe("end_turn");
  expect(pieces).toBeGreaterThan(0);
});

it("passes tool definitions on, and a tool call back", async () => {
  const message = await client.messages.create({
    model: MODEL,
    max_tokens: 100,
    messages: [{ role: "user", content: "What is the weather in Bern?" }],
    tools: [{ name: "get_weather", input_schema: { type: "object", properties: { city: { type: "string" } } } }],
  });
  expect(message.content).toContainEqual(expect.objectContaining({ type: "tool_use", name: "get_weather" }));
});

it("surfaces a block as PermissionDeniedError in Anthropic's envelope, not retried, and nothing is sent", async () => {
  const before = (await journal()).length;
  const error = await client.messages
    .create({ model: "deepseek/deepseek-v3.2", max_tokens: 100, messages })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Anthropic.PermissionDeniedError);
  const denied = error as InstanceType<typeof Anthropic.PermissionDeniedError>;
  expect(denied.error).toMatchObject({
    type: "error",
    error: { type: "permission_error", code: "provider_compliance_blocked" },
    request_id: denied.requestID,
  });
  expect((await journal()).length).toBe(before);
});

it("falls back to the next admitted provider when one fails", async () => {
  await failAlone("anthropic", { dropRate: 1 });
  const { response } = await client.messages.create({ model: MODEL, max_tokens: 100, messages }).withResponse();
  const provider = response.headers.get("portcullis-provider");
  expect(provider).not.toBe("anthropic");
  expect((await journal()).slice(-2).map((each) => each.provider)).toEqual(["anthropic", provider]);
});

it("counts tokens, without sending a message", async () => {
  const before = (await journal()).length;
  const short = await client.messages.countTokens({ model: MODEL, messages });
  const long = await client.messages.countTokens({
    model: MODEL,
    messages: [{ role: "user", content: "Hello ".repeat(500) }],
  });
  expect(short.input_tokens).toBeGreaterThan(0);
  expect(long.input_tokens).toBeGreaterThan(short.input_tokens);
  const sent = (await journal()).slice(before).map(({ provider, entry }) => [provider, entry.path]);
  expect(sent).toEqual(Array(2).fill(["anthropic", "/v1/messages/count_tokens"]));
});

it("does not count tokens for a provider that the policy blocks", async () => {
  const error = await client.messages
    .countTokens({ model: "deepseek/deepseek-v3.2", messages })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Anthropic.PermissionDeniedError);
});

// Last: it costs anthropic its place in the ranking for a while.
it("retries a 5xx when every provider fails, and surfaces it in Anthropic's envelope", async () => {
  await failAlone("anthropic", { dropRate: 1 });
  const before = (await journal()).length;
  const error = await client.messages
    .create({ model: `anthropic/${MODEL}`, max_tokens: 100, messages })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Anthropic.InternalServerError);
  expect(error).toMatchObject({ status: 502, error: { type: "error", error: { code: "upstream_error" } } });
  expect((await journal()).slice(before).map(({ provider }) => provider)).toEqual(Array(3).fill("anthropic"));
});
