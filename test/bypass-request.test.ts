// Bypasses by way of the request: a body or headers that the gateway could read in one way and a provider in another,
// or that ask a provider for more than an answer.
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ask, expectCalled, expectRecorded, openBypassWorld } from "./bypass-world.ts";
import { errorOf, post, type World } from "./world.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const arrived = async (world: World) => JSON.parse(atob((await world.journal())[0]?.body ?? ""));

describe("5. a repeated key could be read in two ways: 400", () => {
  it.each([
    ["at the top", '{"model":"alpha/mix","model":"leaky/mix"}'],
    ["at the top, escaped", '{"model":"alpha/mix","mod\\u0065l":"leaky/mix"}'],
    ["at the top, the escaped one first", '{"\\u006dodel":"leaky/mix","model":"alpha/mix"}'],
    ["of the fallback list", '{"models":["mix"],"models":["leaky/mix"]}'],
    ["of the preferences", '{"model":"mix","provider":{},"provider":{"only":["leaky"]}}'],
    ["of a field that is not judged", '{"model":"mix","user":"a","user":"b"}'],
    ["inside tools", '{"model":"mix","tools":[{"type":"function","type":"web_search"}]}'],
    ["inside tools, escaped", '{"model":"mix","tools":[{"type":"function","\\u0074ype":"web_search"}]}'],
    ["deep inside tools", '{"model":"mix","tools":[{"function":{"parameters":{"a":1,"\\u0061":2}}}]}'],
  ])("%s", async (_, body) => {
    const world = await openBypassWorld();
    expect(await errorOf(await post(world, "chat/completions", body))).toMatchObject({
      status: 400,
      code: "invalid_json",
    });
    await expectCalled(world);
  });
});

describe("5, in other letters: a provider that ignores case would read two", () => {
  it.each([
    "Model",
    "MODEL",
    "mOdel",
    "Models",
    "Provider",
    "ſtore",
    "Tools",
    "Messages",
    "Fallbacks",
    "provideroptions",
  ])("%s is 400, alone and beside the exact name", async (name) => {
    const world = await openBypassWorld();
    for (const body of [
      { models: ["mix"], [name]: "leaky/mix" },
      { [name]: "leaky/mix", model: "mix" },
    ]) {
      const error = await errorOf(await post(world, "chat/completions", body));
      expect(error).toMatchObject({ status: 400, code: "invalid_request", param: name });
    }
    await expectCalled(world);
  });

  it("a field of a form, too", async () => {
    const world = await openBypassWorld();
    const form = new FormData();
    form.append("model", "mix");
    form.append("Fallbacks[0][model]", "leaky-mix");
    form.append("file", new File(["x"], "a.mp3"));
    expect((await world.call("/v1/audio/transcriptions", { method: "POST", body: form })).status).toBe(400);
    await expectCalled(world);
  });

  it("names that are nothing like it are the client's own affair", async () => {
    const world = await openBypassWorld();
    expect((await ask(world, { model: "mix", modelName: "x", USER: "y" })).status).toBe(200);
    await expectCalled(world, "alpha");
  });
});

describe("7. fields by which an aggregator lets a client choose who reads the prompt are stripped", () => {
  it.each([
    ["extra_body", { provider: { only: ["leaky"] } }],
    ["route", "fallback"],
    ["transforms", ["middle-out"]],
    ["plugins", [{ id: "web" }]],
    ["providerOptions", { gateway: { only: ["leaky"] } }],
    ["models", ["brokered"]],
    ["provider", { allow_fallbacks: true, sort: "throughput" }],
    ["fallbacks", [{ model: "leaky/mix" }]],
  ])("%s", async (name, value) => {
    const world = await openBypassWorld();
    expect((await ask(world, { model: "brokered", [name]: value })).status).toBe(200);
    await expectCalled(world, "broker");
    expect(Object.keys(await arrived(world)).sort()).toEqual(["messages", "model"]);
  });
});

describe("8. client headers that steer other gateways, or whom a provider bills, go nowhere", () => {
  const STEERING = {
    "x-portkey-provider": "leaky",
    "x-portkey-config": '{"provider":"leaky"}',
    "x-portkey-custom-host": "https://leaky.example",
    "cf-aig-authorization": "Bearer x",
    "cf-aig-custom-cost": "0",
    "x-litellm-api-base": "https://leaky.example",
    "helicone-target-url": "https://leaky.example",
    "openai-organization": "org-other",
    "openai-project": "proj-other",
    "x-forwarded-host": "leaky.example",
    "x-forwarded-for": "203.0.113.7",
    forwarded: "host=leaky.example",
    "x-original-url": "/v1/leaky",
    "x-http-method-override": "GET",
    "x-test-id": "leaky",
    cookie: "provider=leaky",
  };

  it.each(Object.entries(STEERING))("%s", async (name, value) => {
    const world = await openBypassWorld();
    expect((await ask(world, { model: "mix" }, { [name]: value })).status).toBe(200);
    await expectCalled(world, "alpha");
    const [call] = await world.journal();
    expect(JSON.stringify(call?.headers)).not.toMatch(/leaky|other|203\.0\.113|Bearer x/);
  });

  it("and none of them opens a pinned provider that does not comply", async () => {
    const world = await openBypassWorld();
    expect((await ask(world, { model: "leaky/mix" }, STEERING)).status).toBe(403);
    await expectCalled(world);
    await expectRecorded(world, "refused", ["leaky"]);
  });

  it("the host that the client called is not the host that the provider sees", async () => {
    const world = await openBypassWorld();
    await ask(world, { model: "mix" }, { host: "leaky.example" });
    const [call] = await world.journal();
    expect(call?.headers.host).toBe(new URL(world.env.SANDBOX_UPSTREAM ?? "").host);
  });
});

describe("13. state at the provider, where nothing may be kept", () => {
  it.each([
    ["chat/completions", { store: true }],
    ["responses", { store: true }],
    ["responses", {}],
  ])("%s with %j leaves with store: false", async (path, asked) => {
    const world = await openBypassWorld({ requirements: ["zero_retention"] });
    expect((await post(world, path, { model: "mix", ...asked })).status).toBe(200);
    await expectCalled(world, "alpha");
    expect((await arrived(world)).store).toBe(false);
  });

  it.each([
    { previous_response_id: "resp_1" },
    { background: true },
    { conversation: "conv_1" },
    { prompt: { id: "p" } },
  ])("%j is refused and recorded", async (asked) => {
    const world = await openBypassWorld({ requirements: ["no_logging"] });
    const error = await errorOf(await post(world, "responses", { model: "mix", ...asked }));
    expect(error).toMatchObject({ status: 400, code: "not_allowed_by_policy" });
    await expectCalled(world);
    expect(await world.events()).toMatchObject([{ type: "compliance.blocked", outcome: "refused" }]);
  });
});

describe("14. remote tools, in each format", () => {
  it.each([
    ["chat/completions", { web_search_options: {} }],
    ["chat/completions", { messages: [{ content: [{ type: "image_url", image_url: { url: "https://x.example" } }] }] }],
    ["responses", { tools: [{ type: "mcp", server_url: "https://x.example" }] }],
    ["responses", { input: [{ type: "additional_tools", tools: [{ type: "web_search" }] }] }],
    ["messages", { tools: [{ type: "web_fetch_20250910", name: "web_fetch" }] }],
    ["messages", { mcp_servers: [{ type: "url", url: "https://x.example", name: "x" }] }],
  ])("%s with %j is the 403, recorded", async (path, asked) => {
    const world = await openBypassWorld({ requirements: ["no_remote_tools"] });
    expect((await post(world, path, { model: "mix", ...asked })).status).toBe(403);
    await expectCalled(world);
    await expectRecorded(world, "refused", ["alpha", "beta", "blank", "leaky"]);
  });
});

describe("21. a body that is not plain, whole, bounded UTF-8 JSON", () => {
  const body = JSON.stringify({ model: "mix", messages: [] });
  const utf16 = new Uint8Array([0xff, 0xfe, ...[...body].flatMap((character) => [character.charCodeAt(0), 0])]);

  it.each<[string, string | Uint8Array, Record<string, string>, number]>([
    ["a content-encoding", new Uint8Array(gzipSync(body)), { "content-encoding": "gzip" }, 415],
    ["an unknown content-encoding", body, { "content-encoding": "x" }, 415],
    ["a byte-order mark", `\ufeff${body}`, {}, 400],
    ["UTF-16", utf16, {}, 400],
    ["UTF-16, said so", utf16, { "content-type": "application/json; charset=utf-16" }, 400],
    ["invalid UTF-8", new Uint8Array([...bytes('{"model":"mix","user":"'), 0xc3, 0x28, ...bytes('"}')]), {}, 400],
    [
      "an over-long slash in the model",
      new Uint8Array([...bytes('{"model":"leaky'), 0xc0, 0xaf, ...bytes('mix"}')]),
      {},
      400,
    ],
    ["a second document", `${body}{"model":"leaky/mix"}`, {}, 400],
    ["a comment", `{/**/${body.slice(1)}`, {}, 400],
    ["a trailing comma", `${body.slice(0, -1)},}`, {}, 400],
    ["100,001 braces", `{"model":"mix","x":[${Array(100_000).fill("{}").join()}]}`, {}, 413],
    ["deep nesting", `{"model":"mix","x":${"[".repeat(300)}${"]".repeat(300)}}`, {}, 400],
  ])("%s", async (_, sent, headers, status) => {
    const world = await openBypassWorld();
    const response = await post(world, "chat/completions", sent, headers);
    expect(response.status).toBe(status);
    await expectCalled(world);
  });

  it("one that lies about its length", async () => {
    const world = await openBypassWorld({ vars: { MAX_BODY_BYTES: "1000" } });
    const long = `${body.slice(0, -1)},"user":"${"x".repeat(2000)}"}`;
    expect((await post(world, "chat/completions", long, { "content-length": "10" })).status).toBe(413);
    await expectCalled(world);
  });

  it("one that exceeds the limit while it streams in", async () => {
    const world = await openBypassWorld({ vars: { MAX_BODY_BYTES: "1000" } });
    const stream = new Blob([body.slice(0, -1), `,"user":"${"x".repeat(2000)}"}`]).stream();
    expect((await world.call("/v1/chat/completions", { method: "POST", body: stream })).status).toBe(413);
    await expectCalled(world);
  });

  it("a chunked one is served", async () => {
    const world = await openBypassWorld();
    const stream = new Blob([body.slice(0, 9), body.slice(9)]).stream();
    expect((await world.call("/v1/chat/completions", { method: "POST", body: stream })).status).toBe(200);
    await expectCalled(world, "alpha");
  });

  it.each(["__proto__", "constructor", "prototype", "toString"])(
    "a key %s passes through, and does nothing here",
    async (key) => {
      const world = await openBypassWorld();
      const sent = `{"model":"mix","messages":[],"${key}":{"model":"leaky/mix","tools":[],"provider":{"only":["leaky"]}}}`;
      expect((await post(world, "chat/completions", sent)).status).toBe(200);
      await expectCalled(world, "alpha");
      expect(Object.hasOwn(await arrived(world), key)).toBe(true);
      expect(({} as Record<string, unknown>).provider).toBeUndefined();
    },
  );
});
