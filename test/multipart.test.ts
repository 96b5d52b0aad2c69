// Forms that could be read in two ways, or that hold too much, are refused; so are forms and JSON sent as each other.
import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { audio, bytesOf, model, open, post, refusedUnsent, sound } from "./form-world.ts";
import { BOUNDARY, FORM_TYPE, field, file, rawForm } from "./forms.ts";
import { errorOf } from "./world.ts";

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
