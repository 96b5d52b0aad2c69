// Forms pass the same door: judged as they are read, made anew as they were judged, and never readable in a second way.
import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import type { Catalog, Provider } from "../src/catalog/schema.ts";
import { BOUNDARY, FORM_TYPE, field, file, type RawPart, rawForm, readAtProvider } from "./forms.ts";
import { modelOf, providerOf } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, type World } from "./world.ts";

const url = "https://provider.example/v1";
const apis: Provider["apis"] = {
  audio_transcriptions: { url, auth: "bearer" },
  images_edits: { url, auth: "bearer" },
  chat_completions: { url, auth: "bearer" },
};
const served = { apis: ["audio_transcriptions", "images_edits"] as const };
const by = (price: number) => ({ apis: [...served.apis], price: { input: price, output: price } });

const catalog: Catalog = {
  version: "forms",
  providers: [
    providerOf("alpha", { apis }),
    providerOf("beta", { apis }),
    providerOf("leaky", { apis, dataPolicy: { ...providerOf("x").dataPolicy, trainsOnPrompts: true } }),
  ],
  models: [
    modelOf("hear", { leaky: by(0.5), alpha: by(1), beta: by(2) }),
    modelOf("write", { alpha: { apis: ["audio_transcriptions"] } }),
    modelOf("chat", { alpha: 1 }),
  ],
};

const open = (vars = {}) => openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog, vars });
const TRANSCRIPTIONS = "/v1/audio/transcriptions";

const post = (world: World, body: BodyInit, { path = TRANSCRIPTIONS, type = FORM_TYPE, headers = {} } = {}) =>
  world.call(path, { method: "POST", body, headers: { ...(type && { "content-type": type }), ...headers } });

const audio = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 31) % 256);
const model = field("model", "hear");
const sound = file("file", "a.mp3", "sound");

/** The bytes of the call that reached a provider, one character each. */
const bytesOf = async (world: World, at = -1) => atob((await world.journal()).at(at)?.body ?? "");
const readOf = async (world: World) => {
  const entry = (await world.journal()).at(-1);
  return entry ? readAtProvider(entry) : [];
};

async function refusedUnsent(world: World, response: Response, expected: Record<string, unknown>): Promise<void> {
  const type = "invalid_request_error";
  expect(await errorOf(response)).toMatchObject({ status: 400, type, code: "invalid_request", ...expected });
  expect(await world.journal()).toEqual([]);
}

describe("what names the model", () => {
  it.each([
    ["before the file", rawForm(model, sound)],
    ["after the file", rawForm(sound, model)],
    ["between two files", rawForm(file("image[]", "1.png", "1"), model, file("image[]", "2.png", "2"))],
  ])("counts %s", async (_, body) => {
    const world = await open();
    const response = await post(world, body);
    expect(response.headers.get("portcullis-provider")).toBe("alpha");
    expect(await world.called()).toEqual(["alpha"]);
    expect((await readOf(world)).find(([name]) => name === "model")).toEqual(["model", "alpha-hear"]);
  });

  it("after the file pins a provider that fails the policy: 403, recorded, and nothing is sent", async () => {
    const world = await open();
    const response = await post(world, rawForm(sound, field("model", "leaky/hear")));
    expect(await errorOf(response)).toMatchObject({ status: 403, code: "provider_compliance_blocked", param: "model" });
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await world.journal()).toEqual([]);
    expect(await world.events()).toMatchObject([
      { outcome: "refused", api: "audio_transcriptions", model: "hear", mode: "pinned", providers: [{ id: "leaky" }] },
    ]);
  });

  it.each<[string, string, RawPart[]]>([
    ["twice", "model", [model, field("model", "leaky/hear")]],
    ["twice, around the file", "model", [model, sound, field("model", "leaky/hear")]],
    ["twice, alike", "model", [model, model]],
    ["not at all", "model", [sound]],
    ["empty", "model", [field("model", "")]],
    ["too long", "model", [field("model", "m".repeat(300))]],
    ["as a file", "model", [file("model", "model.txt", "hear", "text/plain")]],
    ["as text and as a file", "model", [model, file("model", "model.txt", "leaky/hear")]],
    ["as a list", "model[]", [field("model[]", "hear")]],
    ["and as a list", "model[]", [model, field("model[]", "leaky/hear")]],
    ["and as an object", "model[name]", [model, field("model[name]", "leaky/hear")]],
    ["and by a path", "model.name", [model, field("model.name", "leaky/hear")]],
    ["and in another case", "Model", [model, field("Model", "leaky/hear")]],
    ["and models", "models", [model, field("models", "leaky/hear")]],
    ["and models as a list", "models[]", [model, field("models[]", "leaky/hear")]],
    ["and provider", "provider", [model, field("provider", '{"only":["alpha"]}')]],
    ["and provider as an object", "provider[only][]", [model, field("provider[only][]", "alpha")]],
    ["and provider as a file", "provider", [model, file("provider", "p.json", "{}")]],
  ])("is refused %s, by the field's name, and nothing is sent", async (_, param, parts) => {
    const world = await open();
    await refusedUnsent(world, await post(world, rawForm(...parts)), { param });
  });

  it("auto is for text chat: a model that writes transcripts is not chosen, though it writes text", async () => {
    const world = await open();
    const response = await post(world, rawForm(field("model", "auto"), sound));
    expect(await errorOf(response)).toMatchObject({ status: 400, code: "no_provider_matches" });
    expect(await world.journal()).toEqual([]);
  });

  it("auto is the organization's own list where it has one", async () => {
    const world = await open();
    await world.publish({ revision: 2, routing: { auto: ["chat", "hear"] } });
    expect((await post(world, rawForm(field("model", "auto"), sound))).status).toBe(200);
    expect(await readOf(world)).toContainEqual(["model", "alpha-hear"]);
  });
});

describe("what leaves", () => {
  it("is the fields and files in their order, byte for byte, under the provider's own name of the model", async () => {
    const world = await open();
    const prompt = "naïve 名前 🏰\r\nsecond line\n";
    await post(
      world,
      rawForm(
        field("prompt", prompt),
        file("file", "a.mp3", audio),
        model,
        field("timestamp_granularities[]", "word"),
        field("timestamp_granularities[]", "segment"),
        field("chunking_strategy[type]", "server_vad"),
        field("temperature", ""),
      ),
    );
    const [entry] = await world.journal();
    expect(entry?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=----form-[0-9a-f-]{36}$/);
    const sent = await bytesOf(world);
    expect(sent).not.toContain(BOUNDARY);
    const boundary = String(entry?.headers["content-type"]).split("boundary=")[1];
    const expected = rawForm(
      field("prompt", prompt),
      file("file", "a.mp3", audio),
      field("model", "alpha-hear"),
      field("timestamp_granularities[]", "word"),
      field("timestamp_granularities[]", "segment"),
      field("chunking_strategy[type]", "server_vad"),
      field("temperature", ""),
    );
    expect(sent).toBe(Buffer.from(expected).toString("latin1").replaceAll(BOUNDARY, String(boundary)));
  });

  it.each<[string, string, string]>([
    ["with quotes as browsers write them", 'filename="a%22b.mp3"', "a%22b.mp3"],
    ["with quotes as Go and curl write them", String.raw`filename="a\"b.mp3"`, "a%22b.mp3"],
    ["in every script", 'filename="naïve 名前 🏰.mp3"', "naïve 名前 🏰.mp3"],
    ["with a semicolon and a field's name", 'filename="a; name=model.mp3"', "a; name=model.mp3"],
    ["that is a path, as Windows writes it", String.raw`filename="C:\dir\a.mp3"`, "C:%5Cdir%5Ca.mp3"],
    ["that ends as if it escaped the quote", String.raw`filename="a\\"`, "a%5C"],
    ["without quotes, as .NET writes it", "filename=a.mp3; filename*=utf-8''a.mp3", "a.mp3"],
    ["encoded, as .NET writes it", `filename="=?utf-8?B?w6k=?="; filename*=utf-8''%C3%A9%20%22.mp3`, "é %22.mp3"],
  ])("has the file by its name %s", async (_, written, arrives) => {
    const world = await open();
    const head = `Content-Disposition: form-data; name=file; ${written}\r\nContent-Type: audio/webm;codecs=opus`;
    expect((await post(world, rawForm([head, audio], model))).status).toBe(200);
    const sent = await bytesOf(world);
    expect(Buffer.from(sent, "latin1").toString("utf8")).toContain(
      `Content-Disposition: form-data; name="file"; filename="${arrives}"\r\nContent-Type: audio/webm;codecs=opus\r\n\r\n`,
    );
    expect(sent).toContain(Buffer.from(audio).toString("latin1"));
  });

  it("an empty file, two files of one field, and a file without a type", async () => {
    const world = await open();
    const untyped: RawPart = ['Content-Disposition: form-data; name="mask"; filename="m"', "mask"];
    const files = [file("image[]", "1.png", "", "image/png"), file("image[]", "2.png", audio, "image/png"), untyped];
    await post(world, rawForm(...files, model), { path: "/v1/images/edits" });
    expect(await readOf(world)).toEqual([
      ["image[]", { filename: "1.png", type: "image/png", text: "" }],
      ["image[]", { filename: "2.png", type: "image/png", text: new TextDecoder().decode(audio) }],
      ["mask", { filename: "m", type: "", text: "mask" }],
      ["model", "alpha-hear"],
    ]);
    expect(await bytesOf(world)).toContain('name="mask"; filename="m"\r\n\r\nmask');
  });

  it("nothing of what stands before, between headers, and after the form", async () => {
    const world = await open();
    const [head] = sound;
    const whole = Buffer.concat([
      Buffer.from("preamble canary\r\n"),
      rawForm([`${head}\r\nX-Steer: canary\r\nContent-Length: 5`, "sound"], model),
      Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\nleaky/hear canary`),
    ]);
    expect((await post(world, whole)).status).toBe(200);
    expect(await bytesOf(world)).not.toContain("canary");
    expect(await readOf(world)).toHaveLength(2);
  });

  it("a file that holds a form of its own is that file's bytes, and nothing more", async () => {
    const world = await open();
    const inner = Buffer.from(rawForm(field("model", "leaky/hear"))).toString();
    const nested = inner.replaceAll(BOUNDARY, "inner");
    await post(world, rawForm(file("file", "a.mp3", nested), model));
    expect(await readOf(world)).toEqual([
      ["file", { filename: "a.mp3", type: "audio/mpeg", text: nested }],
      ["model", "alpha-hear"],
    ]);
  });

  it("after a 5xx, the whole form again to the next admitted provider, under its own name of the model", async () => {
    const world = await open();
    await world.behave("alpha", { kind: "status", status: 500 });
    const response = await post(world, rawForm(file("file", "a.mp3", audio), model, field("language", "de")));
    expect(response.headers.get("portcullis-provider")).toBe("beta");
    const entries = await world.journal();
    expect(entries.map(({ provider }) => provider)).toEqual(["alpha", "beta"]);
    const [first, second] = await Promise.all(entries.map(readAtProvider));
    expect(first).toContainEqual(["model", "alpha-hear"]);
    expect(second).toEqual(first?.map((part) => (part[0] === "model" ? ["model", "beta-hear"] : part)));
    expect(atob(entries[1]?.body ?? "")).toContain(Buffer.from(audio).toString("latin1"));
  });
});

describe("400 invalid_request, and nothing sent:", () => {
  const form = (head: string, content: string | Uint8Array = "x") => rawForm(model, [head, content]);
  const text = Buffer.from(rawForm(model, sound)).toString();
  const disposition = "Content-Disposition: form-data;";
  it.each<[string, BodyInit, string?]>([
    ["no body", ""],
    ["no form", '{"model":"hear"}'],
    ["another boundary", text.replaceAll(BOUNDARY, "other")],
    ["a form that is cut off", text.slice(0, -30)],
    ["a form that is cut off in its last boundary", text.slice(0, -4)],
    ["line feeds without carriage returns", text.replaceAll("\r\n", "\n")],
    ["a boundary that goes on", text.replace("\r\n--", "\r\n--x\r\n--").replace("--x", `--${BOUNDARY}x`)],
    ["a part without headers", text.replace(`${disposition} name="model"\r\n\r\n`, "")],
    ["a part whose content has no line of its own", text.replace("\r\n\r\nhear\r\n--", "\r\n\r\n--")],
    ["a part without a disposition", form("Content-Type: text/plain")],
    ["a part that is an attachment", form('Content-Disposition: attachment; name="a"')],
    ["a part without a name", form(`${disposition} filename="a"`)],
    ["a name given twice", form(`${disposition} name="a"; name="model"`)],
    ["a name given once more, encoded", form(`${disposition} name="a"; name*=utf-8''model`)],
    ["an escaped name", form(`${disposition} name="mod\\el"`)],
    ["a percent-encoded name", form(`${disposition} name="%6dodel"`)],
    ["a name with a space", form(`${disposition} name="model "`)],
    ["a name that is all brackets", form(`${disposition} name="[model]"`)],
    ["a name that begins with a dot", form(`${disposition} name=".model"`)],
    ["a name in another script", form(`${disposition} name="mоdel"`)],
    ["a field that says how to read the others", form(`${disposition} name="_charset_"`, "utf-16")],
    ["a repeated disposition", form(`${disposition} name="a"\r\n${disposition} name="model"`)],
    ["a folded header", form(`${disposition} name="a";\r\n filename="b"`)],
    ["a header that is none", form(`${disposition} name="a"\r\nNo-Value`)],
    ["a header without a name", form(`${disposition} name="a"\r\n: x`)],
    ["a control character in a header", form(`${disposition} name="a"; filename="a\u0000b"`)],
    ["a bare line feed in a header", form(`${disposition} name="a"\nContent-Type: text/plain`)],
    ["an unclosed quote", form(`${disposition} name="a"; filename="b`)],
    ["headers without end", form(`${disposition} name="a"\r\nX-Y: ${"z".repeat(9_000)}`)],
    ["a transfer encoding", form(`${disposition} name="a"\r\nContent-Transfer-Encoding: base64`), "a"],
    ["a form inside the form", form(`${disposition} name="a"\r\nContent-Type: multipart/mixed; boundary=i`), "a"],
    ["a file without a name", form(`${disposition} name="url"; filename=""`), "url"],
    ["a file's name that cannot be decoded", form(`${disposition} name="a"; filename*=utf-8''%ff`), "a"],
    ["text in another charset", form(`${disposition} name="a"\r\nContent-Type: text/plain; charset=utf-16`), "a"],
    ["text that is not UTF-8", form(`${disposition} name="a"`, Uint8Array.of(0xc3, 0x28)), "a"],
  ])("%s", async (_, body, param) => {
    const world = await open();
    await refusedUnsent(world, await post(world, body), { param: param ?? null });
  });

  it.each<[string, string]>([
    ["no content type", ""],
    ["JSON", "application/json"],
    ["text", "text/plain"],
    ["a form of the other kind", "application/x-www-form-urlencoded"],
    ["another multipart", `multipart/mixed; boundary=${BOUNDARY}`],
    ["no boundary", "multipart/form-data"],
    ["an empty boundary", "multipart/form-data; boundary="],
    ["two boundaries", `${FORM_TYPE}; boundary=other`],
    ["a boundary that is none", 'multipart/form-data; boundary="a\\"b"'],
    ["a boundary that is too long", `multipart/form-data; boundary=${"b".repeat(71)}`],
  ])("a content type that says %s", async (_, type) => {
    const world = await open();
    const body = type === "application/json" ? '{"model":"hear"}' : rawForm(model);
    await refusedUnsent(world, await post(world, body, { type }), { param: null });
  });
});

describe("bounds", () => {
  const LIMIT = 1_000;
  const bodyOf = (bytes: number) =>
    rawForm(model, file("file", "a", "x".repeat(bytes - rawForm(model, file("file", "a", "")).byteLength)));
  const streamed = (body: Uint8Array) => new Blob([body]).stream();

  it.each<[string, (body: Uint8Array) => [BodyInit, Record<string, string>]]>([
    ["with its length", (body) => [body, { "content-length": String(body.byteLength) }]],
    ["in pieces", (body) => [streamed(body), {}]],
  ])("a form of MAX_BODY_BYTES is served, one byte more is 413, sent %s", async (_, sent) => {
    const world = await open({ MAX_BODY_BYTES: String(LIMIT) });
    for (const [bytes, status] of [
      [LIMIT, 200],
      [LIMIT + 1, 413],
    ] as const) {
      const [body, headers] = sent(bodyOf(bytes));
      expect((await post(world, body, { headers })).status).toBe(status);
    }
    expect(await world.called()).toEqual(["alpha"]);
  });

  it("of 1,000 parts is served, one more is 413", async () => {
    const world = await open();
    const parts = (count: number) => rawForm(model, ...Array.from({ length: count - 1 }, () => field("x", "")));
    expect((await post(world, parts(1_000))).status).toBe(200);
    expect(await errorOf(await post(world, parts(1_001)))).toMatchObject({ status: 413, code: "request_too_large" });
  });

  it("a content-encoding is 415, and nothing is sent", async () => {
    const world = await open();
    const response = await post(world, rawForm(model), { headers: { "content-encoding": "gzip" } });
    expect(await errorOf(response)).toMatchObject({ status: 415, code: "unsupported_encoding" });
    expect(await world.journal()).toEqual([]);
  });

  it("what a form holds is given back, whether it was served or refused", async () => {
    const world = await open();
    const big = rawForm(model, file("file", "a", new Uint8Array(7 * 1024 * 1024)));
    for (const body of [big, big.subarray(0, -10), big, big.subarray(0, -10), big])
      expect((await post(world, body)).status).not.toBe(503);
  });
});

describe("JSON and forms are not taken for each other", () => {
  it("a form on a path that takes JSON is told so, also when its file is not UTF-8", async () => {
    const world = await open();
    for (const content of ["sound", audio]) {
      const response = await post(world, rawForm(model, file("file", "a", content)), { path: "/v1/chat/completions" });
      const error = await errorOf(response);
      expect(error).toMatchObject({ status: 400, code: "invalid_json" });
      expect(error.message).toMatch(/not a form/);
    }
    expect(await world.journal()).toEqual([]);
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", FORM_TYPE, ""])(
    "JSON sent as %j leaves as the JSON that was judged",
    async (type) => {
      const world = await open();
      const body = JSON.stringify({ model: "chat", user: "&model=leaky-chat&" });
      expect((await post(world, body, { path: "/v1/chat/completions", type })).status).toBe(200);
      expect((await world.journal())[0]?.headers["content-type"]).toBe("application/json");
    },
  );

  it("images/edits takes JSON too, judged like any JSON", async () => {
    const world = await open();
    const json = { path: "/v1/images/edits", type: "application/json; charset=utf-8" };
    const images = [{ image_url: "data:image/png;base64,AA==" }];
    expect((await post(world, JSON.stringify({ model: "hear", images }), json)).status).toBe(200);
    expect(JSON.parse(await bytesOf(world))).toEqual({ model: "alpha-hear", images });
    expect((await post(world, JSON.stringify({ model: "leaky/hear", images }), json)).status).toBe(403);
    expect((await post(world, '{"model":"hear","model":"leaky/hear"}', json)).status).toBe(400);
    expect((await post(world, rawForm(model), json)).status).toBe(400);
    expect((await post(world, '{"model":"hear"}', { ...json, type: "" })).status).toBe(400);
    expect(await world.called()).toEqual(["alpha"]);
  });
});

describe("back to the client", () => {
  it.each<[string, string]>([
    ["text/plain; charset=utf-8", "Hello.\n"],
    ["application/x-subrip", "1\n00:00:00,000 --> 00:00:01,000\nHello.\n"],
    ["text/vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nHello.\n"],
  ])("an answer of %s passes unchanged", async (type, body) => {
    const world = await open();
    await world.behave("alpha", { kind: "status", status: 200, headers: { "content-type": type }, body });
    const response = await post(world, rawForm(model, sound, field("response_format", "text")));
    expect(response.headers.get("content-type")).toBe(type);
    expect(await response.text()).toBe(body);
  });

  it("a stream passes unmodified, and one that breaks off says so", async () => {
    const world = await open();
    const chunk = 'data: {"type":"transcript.text.delta","delta":"Hel"}\n\n';
    const asked = rawForm(model, field("stream", "true"), sound);
    await world.behave("alpha", { kind: "stream", chunks: [chunk], everyMs: 10, ending: "end" });
    expect(await (await post(world, asked)).text()).toBe(chunk);
    await world.behave("alpha", { kind: "stream", chunks: [chunk], everyMs: 10, ending: "reset" });
    const broken = await (await post(world, asked)).text();
    expect(broken.startsWith(chunk)).toBe(true);
    expect(broken).toContain("upstream_error");
    expect(await readOf(world)).toContainEqual(["stream", "true"]);
  });
});
