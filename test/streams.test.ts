// What becomes of a provider's stream that does not end as it should, and of one that does.
import { describe, expect, it } from "vitest";
import type { Catalog, Provider } from "../src/catalog/schema.ts";
import type { Behaviour } from "./provider-stand-in.ts";
import { modelOf, providerOf } from "./small-catalog.ts";
import { openWorld, policyOf } from "./world.ts";

const url = "https://alpha.example/v1";
const apis: Provider["apis"] = {
  chat_completions: { url, auth: "bearer" },
  responses: { url, auth: "bearer" },
  messages: { url, auth: "x-api-key" },
};
const catalog: Catalog = {
  version: "streams",
  providers: [
    providerOf("alpha", { apis }),
    providerOf("leaky", { dataPolicy: { ...providerOf("x").dataPolicy, trainsOnPrompts: true } }),
  ],
  models: [modelOf("mix", { alpha: { apis: ["chat_completions", "responses", "messages"] }, leaky: 1 })],
};
const chunks = ["data: one\n\n", "data: t", "wo\n\n", "data: 三\n\n"];

async function streamed(path: string, ending: (Behaviour & { kind: "stream" })["ending"]) {
  const world = await openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog });
  await world.behave("alpha", { kind: "stream", chunks, everyMs: 10, ending });
  const body = JSON.stringify({ model: "mix", stream: true });
  const headers = { "content-type": "application/json" };
  const { response } = world.begin(path, { method: "POST", body, headers });
  return { world, text: await (await response).text() };
}

it.each(["/v1/chat/completions", "/v1/responses", "/v1/messages"])(
  "%s: a whole stream passes byte for byte",
  async (path) => {
    expect((await streamed(path, "end")).text).toBe(chunks.join(""));
  },
);

describe("a stream that breaks off after it began", () => {
  it.each(["/v1/chat/completions", "/v1/responses"])("%s ends with a blank line and OpenAI's error", async (path) => {
    const { text, world } = await streamed(path, "reset");
    const [whole, event] = [text.slice(0, chunks.join("").length), text.slice(chunks.join("").length)];
    expect(whole).toBe(chunks.join(""));
    expect(event).toMatch(/^\n\ndata: .*\n\n$/);
    expect(JSON.parse(event.trim().slice("data: ".length))).toMatchObject({
      error: { type: "api_error", code: "upstream_error" },
    });
    expect((await world.journal()).map(({ provider }) => provider)).toEqual(["alpha"]);
  });

  it("/v1/messages ends with a blank line and Anthropic's error event", async () => {
    const { text } = await streamed("/v1/messages", "reset");
    const event = text.slice(chunks.join("").length);
    expect(event).toMatch(/^\n\nevent: error\ndata: .*\n\n$/);
    expect(JSON.parse(event.split("data: ")[1] ?? "")).toMatchObject({ type: "error", error: { type: "api_error" } });
  });
});
