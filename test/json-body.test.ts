// Bodies: judged without being rewritten, and never open to two readings of what was judged.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonBody, type JsonProblem, readJson, withMembers } from "../src/gateway/json-body.ts";
import { MAX_DEPTH, MAX_STRUCTURES } from "../src/gateway/json-scan.ts";

/** The bytes of a text, as a view into a larger buffer, the way a request's body may come. */
function bytesOf(text: string): Uint8Array {
  const encoded = new TextEncoder().encode(text);
  const buffer = new Uint8Array(encoded.byteLength + 7).fill(0x22);
  buffer.set(encoded, 3);
  return buffer.subarray(3, 3 + encoded.byteLength);
}
const read = (text: string): JsonBody | JsonProblem => readJson(bytesOf(text));
function accept(text: string): JsonBody {
  const body = read(text);
  if ("problem" in body) throw new Error(`refused: ${JSON.stringify(body)}`);
  return body;
}
const textOf = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

/** A JSON value as somebody may write it. */
interface Written {
  readonly text: string;
  /** Whether an object in it names a key twice. */
  readonly repeats: boolean;
  /** The members in the order they are written, where it is an object. */
  readonly members: readonly { readonly name: string; readonly value: Written }[];
}
const plain = (text: string): Written => ({ text, repeats: false, members: [] });
const space = fc.constantFrom("", "", "", " ", "\n", "\t", "\r\n  ");
const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
/** A name as JSON text in which any of its characters may be escaped. */
const nameText = (name: string) =>
  fc.infiniteStream(fc.boolean()).map((escapes) => {
    const written = [...name].map((c) =>
      escapes.next().value ? c.split("").map(escaped).join("") : JSON.stringify(c).slice(1, -1),
    );
    return `"${written.join("")}"`;
  });
const NAMES = ["model", "tools", "a", "", "__proto__", "toString", "é", "Ã©", "😀", "{\\", 'q"}'];
const named = fc.constantFrom(...NAMES).chain((name) => fc.record({ name: fc.constant(name), text: nameText(name) }));

const pieces = `\\ud800 \\u0041 \\" \\\\ \\/ \\n { } [ ] , : ' é 😀 \u2028`.split(" ");
const strings = fc
  .array(
    fc.oneof(
      fc.constantFrom(...pieces),
      fc.string({ unit: "grapheme" }).map((s) => JSON.stringify(s).slice(1, -1)),
    ),
  )
  .map((parts) => plain(`"${parts.join("")}"`));
const literals = fc
  .constantFrom("0", "-0", "1e999", "-1E-2", "1.0", "12345678901234567890", "0.1e+3", "true", "false", "null")
  .map(plain);
const { value, object } = fc.letrec<{ value: Written; array: Written; object: Written }>((tie) => ({
  value: fc.oneof({ maxDepth: 4, depthSize: "small" }, literals, strings, tie("array"), tie("object")),
  array: fc.array(fc.tuple(space, tie("value"), space), { maxLength: 4 }).map((items) => ({
    text: `[${items.map(([before, item, after]) => before + item.text + after).join(",")}]`,
    repeats: items.some(([, item]) => item.repeats),
    members: [],
  })),
  object: fc.array(fc.tuple(named, tie("value"), space, space, space), { maxLength: 4 }).map(written),
}));

function written(entries: [{ name: string; text: string }, Written, string, string, string][]): Written {
  const members = entries.map(([{ name }, value]) => ({ name, value }));
  const texts = entries.map(([key, value, a, b, c]) => `${a}${key.text}${b}:${c}${value.text}${a}`);
  return {
    text: `{${texts.join(",")}}`,
    repeats: repeatsAName({ members }) || members.some((member) => member.value.repeats),
    members,
  };
}
const repeatsAName = ({ members }: Pick<Written, "members">) =>
  new Set(members.map(({ name }) => name)).size < members.length;
const hasTwoReadings = (body: Written) =>
  repeatsAName(body) || body.members.some((member) => member.name === "tools" && member.value.repeats);
const unambiguous = object.filter((body) => !hasTwoReadings(body));

describe("any JSON object", () => {
  it("is refused exactly when a key repeats at its top or anywhere in tools, however it is escaped", () => {
    fc.assert(
      fc.property(object, space, (body, around) => {
        const result = read(around + body.text + around);
        const expected = hasTwoReadings(body) ? "repeated_key" : undefined;
        expect("problem" in result ? result.problem : undefined).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it("has the member values that JSON.parse finds", () => {
    fc.assert(
      fc.property(unambiguous, (body) => {
        const parsed = JSON.parse(body.text);
        const accepted = accept(body.text);
        for (const name of [...NAMES, "constructor", "absent"])
          expect(accepted.root[name]).toEqual(Object.hasOwn(parsed, name) ? parsed[name] : undefined);
      }),
    );
  });

  it("is a record that reads like what JSON.parse makes of it, and inherits nothing", () => {
    fc.assert(
      fc.property(unambiguous, (body) => {
        const parsed = JSON.parse(body.text);
        const { root } = accept(body.text);
        expect(Object.keys(root)).toEqual(body.members.map(({ name }) => name));
        for (const name of [...NAMES, "constructor", "hasOwnProperty"]) {
          expect(Object.hasOwn(root, name)).toBe(Object.hasOwn(parsed, name));
          expect(name in root).toBe(Object.hasOwn(parsed, name));
        }
        expect(Object.fromEntries(Object.entries(root))).toEqual(Object.fromEntries(Object.entries(parsed)));
      }),
    );
  });

  it("decodes a member once", () => {
    const { root } = accept('{"tools":[{"name":"é"}]}');
    expect(root.tools).toEqual([{ name: "é" }]);
    expect(root.tools).toBe(root.tools);
  });

  it("leaves with every member byte for byte as it came, but for those that are set or left out", () => {
    const changes = fc.dictionary(fc.constantFrom("model", "a", "store", "provider"), fc.option(value));
    fc.assert(
      fc.property(unambiguous, changes, (body, asked) => {
        const changes = new Map(Object.entries(asked).map(([name, change]) => [name, change?.text ?? null]));
        const out = accept(textOf(withMembers(accept(body.text), changes)));
        const names = body.members.map(({ name }) => name);
        const before = body.members.map(({ name, value }) => [name, value.text] as const);
        const expected = [
          ...before.map(([name, text]) => [name, changes.has(name) ? changes.get(name) : text]),
          ...[...changes].filter(([name]) => !names.includes(name)),
        ].filter(([, text]) => text !== null);
        expect(
          [...out.members.values()].map(({ start, valueStart, end }) => [
            JSON.parse(textOf(out.bytes.subarray(start, endOfName(out.bytes, start, valueStart)))),
            textOf(out.bytes.subarray(valueStart, end)),
          ]),
        ).toEqual(expected);
      }),
    );
  });
});

/** The offset past the quote that closes a member's name. */
function endOfName(bytes: Uint8Array, start: number, valueStart: number): number {
  return start + bytes.subarray(start, valueStart).lastIndexOf(0x22) + 1;
}

describe("any text", () => {
  const mutated = fc
    .tuple(
      object,
      fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom(...'{}[]",:\\ue01-. \n\u00a0é')), { maxLength: 3 }),
    )
    .map(([{ text }, edits]) =>
      edits.reduce((edited, [where, removed, added]) => {
        const at = where % (edited.length + 1);
        return (edited.slice(0, at) + added + edited.slice(at + removed)).toWellFormed();
      }, text),
    );
  const garbage = fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0aé\u0000'), maxLength: 30 });

  it("is JSON to the gateway exactly when it is JSON to JSON.parse", () => {
    fc.assert(
      fc.property(fc.oneof(mutated, garbage), (text) => {
        const result = read(text);
        const problem = "problem" in result ? result.problem : null;
        let parsed: unknown;
        try {
          parsed = JSON.parse(text);
        } catch {
          expect(problem).toBe("not_json");
          return;
        }
        const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
        if (isObject) expect([null, "repeated_key"]).toContain(problem);
        else expect(problem).toBe("not_an_object");
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["quotes", '"'],
    ["backslashes", "\\"],
    ["escaped quotes", '\\"'],
    ["colons", ":"],
    ["spaces", " "],
    ["commas", ","],
  ])("a megabyte of %s is read in linear time", (_, unit) => {
    for (const text of [unit.repeat(1_000_000), `{"a":"${unit.repeat(1_000_000)}`, `{"a":${unit.repeat(1_000_000)}`])
      expect(read(text)).toMatchObject({ problem: "not_json" });
  });
});

describe("a body is refused", () => {
  const nested = (depth: number) => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
  const wide = (structures: number) =>
    `{"a":[${Array(structures - 2)
      .fill("{}")
      .join()}]}`;

  const atTop: JsonProblem = { problem: "repeated_key", where: "the request body" };
  const inTools: JsonProblem = { problem: "repeated_key", where: "tools" };

  it.each<[string, string, JsonProblem]>([
    ["empty", "", { problem: "not_json", position: null }],
    ["an array", '[{"model":"m"}]', { problem: "not_an_object" }],
    ["null", "null", { problem: "not_an_object" }],
    ["a string", '"{}"', { problem: "not_an_object" }],
    ["after a byte-order mark", "\u{feff}{}", { problem: "byte_order_mark" }],
    ["one level too deep", nested(MAX_DEPTH + 1), { problem: "too_deep" }],
    ["one structure too many", wide(MAX_STRUCTURES + 1), { problem: "too_many_structures" }],
    ["100,001 open brackets", "[".repeat(100_001), { problem: "too_deep" }],
    ["100,001 open braces", "{".repeat(100_001), { problem: "not_json", position: 1 }],
    ["two values", "{}{}", { problem: "not_json", position: 2 }],
    ["a model given twice", '{"model":"a","model":"b"}', atTop],
    ["a model given twice, once escaped", '{"model":"a","mod\\u0065l":"b"}', atTop],
    ["__proto__ twice", '{"__proto__":1,"__proto__":2}', atTop],
    ["a key twice in tools", '{"tools":[{"f":{"name":"a","name":"b"}}]}', inTools],
    ["the same within escaped tools", '{"t\\u006fols":[{"a":1,"\\u0061":2}]}', inTools],
  ])("%s", (_, text, problem) => {
    expect(read(text)).toEqual(problem);
  });

  it.each([
    ["an overlong zero", [0xc0, 0x80]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a cut sequence", [0xe2, 0x82]],
    ["beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
    ["a stray byte", [0xff]],
  ])("invalid UTF-8: %s", (_, bad) => {
    const bytes = new Uint8Array([...new TextEncoder().encode('{"a":"'), ...bad, 0x22, 0x7d]);
    expect(readJson(bytes)).toEqual({ problem: "not_utf8" });
  });

  it("at its bounds it is not", () => {
    accept(nested(MAX_DEPTH));
    accept(wide(MAX_STRUCTURES));
    accept(JSON.stringify({ text: '{["'.repeat(MAX_STRUCTURES) }));
  });

  it.each([
    ['{"a" 1}', 5],
    ["{,}", 1],
    ['{"a":1,}', 7],
    ['{"a":"é\\x"}', 9],
    ['{"a":"é\n"}', 8],
    ['{"a":tru}', 8],
    ['{"a":01}', 6],
    ['{"a":-}', 6],
    ['{"a":"', null],
    ['{"a":[1', null],
  ])("and the byte said is where it is no longer JSON: %s", (text, position) => {
    expect(read(text)).toEqual({ problem: "not_json", position });
  });
});
