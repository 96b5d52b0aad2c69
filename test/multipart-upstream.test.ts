// What leaves of a form is written from what was judged: byte for byte, and readable in one way alone.
import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { audio, bytesOf, model, open, post, readOf, sound } from "./form-world.ts";
import { BOUNDARY, field, file, type RawPart, rawForm, readAtProvider } from "./forms.ts";

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
