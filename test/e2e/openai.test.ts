import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { admin, demo, failAlone, journal, openai } from "./client.ts";
import { waitUntil } from "./stack.ts";

const BLOCKED = "deepseek/deepseek-v3.2";
const messages = [{ role: "user" as const, content: "Hello" }];

it("answers, and says which provider answered", async () => {
  const { data, response } = await openai().chat.completions.create({ model: "gpt-4o-mini", messages }).withResponse();
  expect(data.choices[0]?.message.content).toBeTruthy();
  expect(response.headers.get("portcullis-provider")).toBe("openai");
  expect(response.headers.get("x-request-id")).toMatch(/^req_/);
});

it("streams", async () => {
  const stream = await openai().chat.completions.create({ model: "gpt-4o-mini", messages, stream: true });
  let text = "";
  let chunks = 0;
  for await (const chunk of stream) {
    chunks++;
    text += chunk.choices[0]?.delta?.content ?? "";
  }
  expect(text).toBeTruthy();
  expect(chunks).toBeGreaterThan(1);
});

it("passes tool definitions on, and a tool call back", async () => {
  const completion = await openai().chat.completions.create({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: "What is the weather in Bern?" }],
    tools: [
      {
        type: "function",
        function: {
          name: "get_weather",
          parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
        },
      },
    ],
  });
  const [call] = completion.choices[0]?.message.tool_calls ?? [];
  expect(call).toMatchObject({ type: "function", function: { name: "get_weather" } });
});

it("surfaces a block as PermissionDeniedError with its code, not retried, and nothing reaches the provider", async () => {
  let calls = 0;
  const client = new OpenAI({
    baseURL: `${demo.url}/v1`,
    apiKey: demo.api_keys.web,
    fetch: (input, init) => {
      calls++;
      return fetch(input, init);
    },
  });
  const error = await client.chat.completions.create({ model: BLOCKED, messages }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
  const denied = error as InstanceType<typeof OpenAI.PermissionDeniedError>;
  expect(denied.code).toBe("provider_compliance_blocked");
  expect(denied.message).toContain("deepseek does not meet it for deepseek-v3.2");
  expect(calls).toBe(1);
  expect((await journal()).filter(({ provider }) => provider === "deepseek")).toEqual([]);

  const { event_id } = (denied.error as { details: { event_id: string } }).details;
  const event = await waitUntil(10_000, async () => {
    const answer = await admin(`/events/${event_id}`);
    return answer.ok ? ((await answer.json()) as Record<string, unknown>) : null;
  });
  expect(event).toMatchObject({ id: event_id, outcome: "refused", model: "deepseek-v3.2", mode: "pinned" });
});

it("answers a blocked stream with the 403 in JSON", async () => {
  const error = await openai()
    .chat.completions.create({ model: BLOCKED, messages, stream: true })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
});

it("answers a response, streams one, and blocks one as PermissionDeniedError", async () => {
  const client = openai();
  const response = await client.responses.create({ model: "gpt-4o-mini", input: "Hello" });
  expect(response.output_text).toBeTruthy();
  let text = "";
  for await (const event of await client.responses.create({ model: "gpt-4o-mini", input: "Hello", stream: true }))
    if (event.type === "response.output_text.delta") text += event.delta;
  expect(text).toBeTruthy();
  // A model that only a provider which the policy blocks answers through this API.
  const error = await client.responses
    .create({ model: "meta/muse-spark-1.3", input: "Hello" })
    .catch((thrown) => thrown);
  expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
});

it("embeds", async () => {
  const { data } = await openai().embeddings.create({ model: "text-embedding-3-small", input: "Hello" });
  expect(data[0]?.embedding.length).toBeGreaterThan(0);
});

it("surfaces a wrong key as AuthenticationError", async () => {
  const error = await openai("sk-not-ours")
    .chat.completions.create({ model: "gpt-4o-mini", messages })
    .catch((thrown) => thrown);
  expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
});

it("lists the models that the policy allows, each with the providers that may serve it", async () => {
  const listed: OpenAI.Model[] = [];
  for await (const model of openai().models.list()) listed.push(model);
  const ids = listed.map(({ id }) => id);
  expect(ids).toContain("gpt-4o-mini");
  expect(ids).not.toContain("deepseek-v4-flash-vision-exp");
  const one = await openai().models.retrieve("gpt-4o-mini");
  expect(one).toMatchObject({ id: "gpt-4o-mini", object: "model" });
});

describe("a provider's 5xx", () => {
  /** Served by several allowed providers, none of which other tests count on. */
  const SHARED = "gpt-oss-120b";
  const ask = (model: string) => openai().chat.completions.create({ model, messages }).withResponse();
  const providerOf = ({ response }: Awaited<ReturnType<typeof ask>>) =>
    response.headers.get("portcullis-provider") ?? "";

  it("falls back to the next admitted provider, unseen by the client", async () => {
    const first = providerOf(await ask(SHARED));
    await failAlone(first, { dropRate: 1 });
    const before = (await journal()).length;
    const second = providerOf(await ask(SHARED));
    await failAlone(first, null);
    expect(second).not.toBe(first);
    expect((await journal()).slice(before).map(({ provider }) => provider)).toEqual([first, second]);
  });

  it("is retried by the SDK when there is no other, and served once the provider has recovered", async () => {
    const pinned = providerOf(await ask(SHARED));
    await failAlone(pinned, { dropRate: 1 });
    const statuses: number[] = [];
    const client = new OpenAI({
      baseURL: `${demo.url}/v1`,
      apiKey: demo.api_keys.web,
      fetch: async (input, init) => {
        const answer = await fetch(input, init);
        if (statuses.push(answer.status) === 2) await failAlone(pinned, null);
        return answer;
      },
    });
    const before = (await journal()).length;
    await client.chat.completions.create({ model: `${pinned}/${SHARED}`, messages });
    expect(statuses).toEqual([502, 502, 200]);
    expect((await journal()).slice(before).map(({ provider }) => provider)).toEqual(Array(3).fill(pinned));
  });
});
