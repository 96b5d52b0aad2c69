// The client's format is the provider's format: what the gateway does not judge arrives as it was written.
import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { smallCatalog } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, type World } from "./world.ts";

const open = (requirements: string[] = []) => openWorld({ policy: policyOf({ requirements }), catalog: smallCatalog });
const post = (world: World, body: BodyInit, headers: Record<string, string> = {}) =>
  world.call("/v1/chat/completions", {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });

/** The bytes of the one call that reached a provider, one character each. */
async function arrived(world: World): Promise<string> {
  const journal = await world.journal();
  expect(journal).toHaveLength(1);
  return atob(journal[0]?.body ?? "");
}
const latin1 = (text: string) => Buffer.from(text).toString("latin1");

describe("a body", () => {
  it.each<{ name: string; sent: string; arrives: string }>([
    {
      name: "numbers that no double holds",
      sent: '{"model":"pair","seed":12345678901234567890,"x":1.0,"y":1e400,"z":-0}',
      arrives: '{"model":"alpha-pair","seed":12345678901234567890,"x":1.0,"y":1e400,"z":-0}',
    },
    {
      name: "unknown fields, nested, in their order",
      sent: '{"zz":{"b":1,"a":[{},[]]},"model":"pair","client_metadata":{"k":null},"aa":true}',
      arrives: '{"zz":{"b":1,"a":[{},[]]},"model":"alpha-pair","client_metadata":{"k":null},"aa":true}',
    },
    {
      name: "every script, escapes as written, and lone surrogates as escapes",
      sent: String.raw`{"model":"pair","messages":[{"content":"naïve 名前 🏰 \u00e9 \ud800 \/ \n"}]}`,
      arrives: String.raw`{"model":"alpha-pair","messages":[{"content":"naïve 名前 🏰 \u00e9 \ud800 \/ \n"}]}`,
    },
    {
      name: "spaces inside values",
      sent: '\n{ "model" : "pair" ,\t"messages" : [ { "content" : " a " } ] }\r\n',
      arrives: '{"model":"alpha-pair","messages" : [ { "content" : " a " } ]}',
    },
    {
      name: "without what is for the gateway: models and provider",
      sent: '{"provider":{"ignore":["beta"]},"models":["mix"],"model":"pair","n":1}',
      arrives: '{"model":"alpha-pair","n":1}',
    },
    {
      name: "names at other levels than the top",
      sent: '{"model":"pair","metadata":{"model":"leaky/mix","provider":{"only":["x"]},"models":[1]}}',
      arrives: '{"model":"alpha-pair","metadata":{"model":"leaky/mix","provider":{"only":["x"]},"models":[1]}}',
    },
    {
      name: "quotes, braces and backslashes in text",
      sent: String.raw`{"a":"\\\"},{\"model\":\"leaky/mix\"","model":"pair","b":"\\"}`,
      arrives: String.raw`{"a":"\\\"},{\"model\":\"leaky/mix\"","model":"alpha-pair","b":"\\"}`,
    },
    {
      name: "a repeated key where nothing is judged",
      sent: '{"model":"pair","metadata":{"a":1,"a":2}}',
      arrives: '{"model":"alpha-pair","metadata":{"a":1,"a":2}}',
    },
    { name: "an escaped key of ours", sent: String.raw`{"mod\u0065l":"pair"}`, arrives: '{"model":"alpha-pair"}' },
    {
      name: "the client's own store, where the policy does not forbid it",
      sent: '{"model":"pair","store":true}',
      arrives: '{"model":"alpha-pair","store":true}',
    },
    {
      name: "a member named __proto__",
      sent: '{"__proto__":{"model":"leaky/mix"},"model":"pair"}',
      arrives: '{"__proto__":{"model":"leaky/mix"},"model":"alpha-pair"}',
    },
  ])("arrives as it was written: $name", async ({ sent, arrives }) => {
    const world = await open();
    expect((await post(world, sent)).status).toBe(200);
    expect(await arrived(world)).toBe(latin1(arrives));
  });

  it.each(["no_logging", "zero_retention"])("is not stored under %s, whatever the client says", async (requirement) => {
    for (const store of ["", ',"store":true', ',"store":false', ',"store":"yes"', String.raw`,"st\u006fre":true`]) {
      const world = await open([requirement]);
      const response = await post(world, `{"model":"pair"${store},"n":1}`);
      expect(response.headers.get("portcullis-enforced")).toBe("store=false");
      expect(JSON.parse(await arrived(world))).toEqual({ model: "alpha-pair", store: false, n: 1 });
    }
  });

  it("of half a megabyte arrives whole", async () => {
    const world = await open();
    const content = "gate 🏰 ".repeat(50_000);
    await post(world, JSON.stringify({ model: "pair", messages: [{ role: "user", content }] }));
    expect(await arrived(world)).toBe(
      latin1(JSON.stringify({ model: "alpha-pair", messages: [{ role: "user", content }] })),
    );
  });

  it("goes to each provider under that provider's own name of the model", async () => {
    const world = await open();
    await world.behave("alpha", { kind: "status", status: 500 });
    await post(world, '{"model":"pair","n":1}');
    expect((await world.journal()).map(({ body }) => atob(body))).toEqual([
      '{"model":"alpha-pair","n":1}',
      '{"model":"beta-pair","n":1}',
    ]);
  });
});

describe("400 invalid_json, and nothing sent:", () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  it.each<[string, BodyInit]>([
    ["no body", ""],
    ["not JSON", "model=pair"],
    ["cut short", '{"model":"pair"'],
    ["a trailing comma", '{"model":"pair",}'],
    ["two documents", '{"model":"pair"}{"model":"leaky/mix"}'],
    ["a comment", '{"model":"pair"/*leaky*/}'],
    ["single quotes", "{'model':'pair'}"],
    ["NaN", '{"model":"pair","x":NaN}'],
    ["a list", '[{"model":"pair"}]'],
    ["a string", '"pair"'],
    ["null", "null"],
    ["a repeated model", '{"model":"pair","model":"leaky/mix"}'],
    ["a repeated model, once escaped", String.raw`{"model":"pair","m\u006fdel":"leaky/mix"}`],
    ["a repeated provider", '{"model":"pair","provider":{},"provider":{"only":["leaky"]}}'],
    ["a repeated key that nobody judges, at the top", '{"model":"pair","n":1,"n":2}'],
    ["a repeated __proto__", '{"model":"pair","__proto__":1,"__proto__":2}'],
    ["a repeated key inside tools", '{"model":"pair","tools":[{"function":{"name":"a","name":"b"}}]}'],
    ["invalid UTF-8", Uint8Array.from([...encode('{"model":"pair","x":"'), 0xc3, 0x28, ...encode('"}')])],
    ["an overlong encoding", Uint8Array.from([...encode('{"model":"pair","x":"'), 0xc0, 0xaf, ...encode('"}')])],
    ["UTF-16", Uint8Array.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
    ["a byte-order mark", Uint8Array.from([0xef, 0xbb, 0xbf, ...encode('{"model":"pair"}')])],
    ["nesting too deep", `{"model":"pair","x":${"[".repeat(300)}${"]".repeat(300)}}`],
  ])("%s", async (_, body) => {
    const world = await open();
    expect(await errorOf(await post(world, body))).toMatchObject({
      status: 400,
      type: "invalid_request_error",
      code: "invalid_json",
      param: null,
    });
    expect(await world.called()).toEqual([]);
  });
});

it("the content type is the client's own affair: the body is read as JSON all the same", async () => {
  const world = await open();
  expect((await post(world, '{"model":"pair"}', { "content-type": "text/plain" })).status).toBe(200);
  expect(
    (await post(world, '{"model":"leaky/mix","provider":{"data_collection":"deny"}}', { "content-type": "" })).status,
  ).toBe(403);
});
