// Every surface that the OpenAI SDK has, by the SDK itself: the answer, who gave it, and the 403 that it does not retry.
import OpenAI, { toFile } from "openai";
import { describe, expect, it } from "vitest";
import { demo, failAlone, journal, openai } from "./client.ts";

/** Fails the demo's policy on every surface: compliance is judged before what a provider speaks. */
const BLOCKED = "deepseek/deepseek-v3.2";

const sound = () => toFile(new Uint8Array(50_000).fill(128), "naïve “名前”.wav", { type: "audio/wav" });
const picture = (name: string) => toFile(new Uint8Array(10_000).fill(7), name, { type: "image/png" });

interface Surface {
  name: string;
  model: string;
  provider: string;
  /** The provider's own name for the model, where the stand-in notes it. */
  called?: string;
  /** Asks, and returns what the answer consists of. */
  ask: (client: OpenAI, model: string) => Promise<{ data: unknown; response: Response }>;
  answer: unknown;
}

/** The text that a stream's events carry, with the response that they came in. */
async function collected<T>(
  asked: Promise<{ data: AsyncIterable<T>; response: Response }>,
  textOf: (event: T) => string | undefined,
): Promise<{ data: unknown; response: Response }> {
  const { data: events, response } = await asked;
  const pieces: string[] = [];
  for await (const event of events) pieces.push(textOf(event) ?? "");
  expect(pieces.length).toBeGreaterThan(1);
  return { data: { text: pieces.join("") }, response };
}

const surfaces: Surface[] = [
  {
    name: "images.edit",
    model: "gpt-image-2",
    provider: "openai",
    called: "gpt-image-2",
    ask: async (client, model) => {
      const image = [await picture("1.png"), await picture("2.png")];
      return client.images.edit({ model, image, prompt: "A gate" }).withResponse();
    },
    answer: { data: [{ b64_json: expect.any(String) }] },
  },
  {
    name: "audio.transcriptions.create",
    model: "whisper-large-v3",
    provider: "groq",
    called: "whisper-large-v3",
    ask: async (client, model) =>
      client.audio.transcriptions
        .create({ file: await sound(), model, response_format: "json", timestamp_granularities: ["word"] })
        .withResponse(),
    answer: { text: expect.stringContaining("whisper-large-v3") },
  },
  {
    name: "audio.transcriptions.create, streamed",
    model: "gpt-4o-transcribe",
    provider: "openai",
    called: "gpt-4o-transcribe",
    ask: async (client, model) =>
      collected(
        client.audio.transcriptions.create({ file: await sound(), model, stream: true }).withResponse(),
        (event) => (event.type === "transcript.text.delta" ? event.delta : undefined),
      ),
    answer: { text: expect.stringContaining("gpt-4o-transcribe") },
  },
  {
    name: "audio.translations.create, pinned",
    model: "together-ai/whisper-large-v3",
    provider: "together-ai",
    called: "openai/whisper-large-v3",
    ask: async (client, model) => client.audio.translations.create({ file: await sound(), model }).withResponse(),
    answer: { text: expect.stringContaining("openai/whisper-large-v3") },
  },
  {
    name: "images.generate",
    model: "gpt-image-2",
    provider: "openai",
    called: "gpt-image-2",
    ask: (client, model) => client.images.generate({ model, prompt: "A gate" }).withResponse(),
    answer: { data: [{ b64_json: expect.any(String) }] },
  },
  {
    name: "audio.speech.create",
    model: "gpt-4o-mini-tts",
    provider: "openai",
    called: "gpt-4o-mini-tts",
    ask: async (client, model) => {
      const response = await client.audio.speech.create({ model, voice: "alloy", input: "Hello" });
      const bytes = Buffer.from(await response.arrayBuffer());
      return { data: { type: response.headers.get("content-type"), begins: bytes.toString("latin1", 0, 4) }, response };
    },
    answer: { type: "audio/wav", begins: "RIFF" },
  },
  {
    name: "moderations.create",
    model: "omni-moderation-latest",
    provider: "openai",
    ask: (client, model) => client.moderations.create({ model, input: "Hello" }).withResponse(),
    answer: { results: [{ flagged: false }] },
  },
  {
    name: "completions.create",
    model: "gpt-oss-120b",
    provider: "together-ai",
    called: "openai/gpt-oss-120b",
    ask: (client, model) => client.completions.create({ model, prompt: "Hello" }).withResponse(),
    answer: { choices: [{ text: expect.stringContaining("openai/gpt-oss-120b"), finish_reason: "stop" }] },
  },
  {
    name: "completions.create, streamed",
    model: "gpt-oss-120b",
    provider: "together-ai",
    called: "openai/gpt-oss-120b",
    ask: (client, model) =>
      collected(
        client.completions.create({ model, prompt: "Hello", stream: true }).withResponse(),
        ({ choices }) => choices[0]?.text,
      ),
    answer: { text: expect.stringContaining("Hello") },
  },
  {
    name: "embeddings.create",
    model: "text-embedding-3-small",
    provider: "openai",
    called: "text-embedding-3-small",
    ask: (client, model) => client.embeddings.create({ model, input: "Hello" }).withResponse(),
    answer: { data: [{ embedding: expect.any(Array) }] },
  },
  {
    name: "responses.create",
    model: "gpt-4o-mini",
    provider: "openai",
    called: "gpt-4o-mini",
    ask: (client, model) => client.responses.create({ model, input: "Hello" }).withResponse(),
    answer: { output_text: expect.stringContaining("Hello") },
  },
  {
    name: "responses.create, streamed",
    model: "gpt-4o-mini",
    provider: "openai",
    called: "gpt-4o-mini",
    ask: (client, model) =>
      collected(client.responses.create({ model, input: "Hello", stream: true }).withResponse(), (event) =>
        event.type === "response.output_text.delta" ? event.delta : undefined,
      ),
    answer: { text: expect.stringContaining("Hello") },
  },
];

describe.each(surfaces)("$name", ({ model, provider, called, ask, answer }) => {
  it("answers, says which provider answered, and that provider was asked for its own model", async () => {
    const { data, response } = await ask(openai(), model);
    expect(data).toMatchObject(answer as object);
    expect(response.headers.get("portcullis-provider")).toBe(provider);
    const last = (await journal()).at(-1);
    expect(last?.provider).toBe(provider);
    if (called !== undefined) expect(last?.entry.body?.model).toBe(called);
  });

  it("is PermissionDeniedError where the policy blocks it, not retried, and nothing is sent", async () => {
    let calls = 0;
    const counting: typeof fetch = (input, init) => {
      // The SDK also asks what `fetch` makes of a form, by a data URL.
      if (String(input).startsWith(demo.url)) calls++;
      return fetch(input, init);
    };
    const client = new OpenAI({ baseURL: `${demo.url}/v1`, apiKey: demo.api_keys.web, fetch: counting });
    const before = (await journal()).length;
    const error = await ask(client, BLOCKED).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect((error as InstanceType<typeof OpenAI.PermissionDeniedError>).code).toBe("provider_compliance_blocked");
    expect(calls).toBe(1);
    expect(await journal()).toHaveLength(before);
  });
});

it("a form falls back, whole, to the next admitted provider when one fails", async () => {
  await failAlone("groq", { dropRate: 1 });
  try {
    const asked = openai().audio.transcriptions.create({ file: await sound(), model: "whisper-large-v3" });
    const { data, response } = await asked.withResponse();
    expect(response.headers.get("portcullis-provider")).toBe("together-ai");
    expect(data.text).toContain("openai/whisper-large-v3");
    expect((await journal()).slice(-2).map((each) => each.provider)).toEqual(["groq", "together-ai"]);
  } finally {
    await failAlone("groq", null);
  }
});
