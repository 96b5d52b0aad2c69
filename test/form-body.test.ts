// A form as the gateway reads it, and as it writes it anew.
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { expect, it } from "vitest";
import { FILE, type FormBody, readForm, withFields } from "../src/gateway/form-body.ts";
import { BOUNDARY, field, file, type RawPart, rawForm } from "./forms.ts";

function formOf(...parts: RawPart[]): FormBody {
  const form = readForm(rawForm(...parts), BOUNDARY);
  if ("problem" in form) throw new Error(JSON.stringify(form));
  return form;
}

it("is judged by its members: text as text, files as files, several as a list", () => {
  const { root } = formOf(
    field("model", "m"),
    field("url", "https://a.example"),
    file("file", "a.mp3", "secret"),
    file("image[]", "1.png", "secret"),
    field("image[]", "https://b.example"),
    field("fallbacks[0][model]", "other"),
    field("language", "de"),
    field("language", "fr"),
    field("__proto__", "x"),
  );
  expect(Object.entries(root)).toEqual([
    ["model", "m"],
    ["url", "https://a.example"],
    ["file", FILE],
    ["image", [FILE, "https://b.example"]],
    ["fallbacks", ["other"]],
    ["language", ["de", "fr"]],
    ["__proto__", "x"],
  ]);
  expect(JSON.stringify(root)).not.toMatch(/secret|\.mp3|\.png/);
});

it("leaves with members set, added and left out, wherever and however often they stand", () => {
  const form = formOf(field("a[x]", "1"), field("b", "2"), field("a[y]", "3"), file("c", "c", "4"), field("d", "5"));
  const changes = new Map([
    ["a", '"é"'],
    ["c", null],
    ["store", "false"],
    ["absent", null],
  ]);
  const { body, contentType } = withFields(form, changes);
  const again = readForm(body, contentType.split("boundary=")[1] as string);
  expect(again).toMatchObject({ root: { a: "é", b: "2", d: "5", store: "false" } });
  expect((again as FormBody).parts.map(({ name }) => name)).toEqual(["a", "b", "d", "store"]);
});

it("never leaves under a boundary that was used before", () => {
  const form = formOf(field("a", "1"));
  expect(withFields(form, new Map()).contentType).not.toBe(withFields(form, new Map()).contentType);
});

const name = fc.stringMatching(/^[a-z][\w.:[\]-]{0,12}$/);
const filename = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text));
const part = fc.record({ name, filename: fc.option(filename), content: fc.uint8Array({ maxLength: 40 }) });

it("is read by another parser as the gateway read it, whatever stands in it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 6 }), async (parts) => {
      const escaped = (text: string) => text.replace(/["\\]/g, (each) => `\\${each}`);
      const form = formOf(
        ...parts.map(({ name, filename, content }) =>
          filename === null
            ? field(name, Buffer.from(content).toString("utf8"))
            : file(name, escaped(filename), content, "audio/mpeg"),
        ),
      );
      const { body, contentType } = withFields(form, new Map());
      const read = await new Response(body, { headers: { "content-type": contentType } }).formData();
      const found = await Promise.all(
        [...read].map(async ([name, value]) =>
          typeof value === "string" ? [name, null, value] : [name, value.name, await value.bytes()],
        ),
      );
      expect(found).toEqual(
        parts.map(({ name, filename, content }) =>
          filename === null
            ? [name, null, Buffer.from(content).toString("utf8")]
            : [name, filename.replace(/["\\]/g, encodeURIComponent), content],
        ),
      );
    }),
  );
});

it("bytes that are no form are refused, never thrown at", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom("\r\n", "--", "b", '"', ";", ":", "content-disposition", "form-data", "name=", "\\", " ", "é"),
      ),
      (tokens) => {
        const found = readForm(Buffer.from(tokens.join("")), "b");
        if ("problem" in found) expect(found.problem).toMatch(/^(malformed|too_many_parts)$/);
      },
    ),
  );
});
