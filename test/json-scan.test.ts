// The scanner's verdict on any text is JSON.parse's: one that were milder would let through what a provider may read
// otherwise, one that were stricter would refuse what clients send.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  MAX_DEPTH,
  MAX_STRUCTURES,
  type ScannedMember,
  type ScanProblem,
  scanObject,
} from "../src/gateway/json-scan.ts";

/** Scans the UTF-8 of a text, as a view that begins `shift` bytes into a larger buffer full of quotes. */
function scan(text: string, shift = 0): readonly ScannedMember[] | ScanProblem {
  const encoded = new TextEncoder().encode(text);
  const buffer = new Uint8Array(encoded.byteLength + 16).fill(0x22);
  buffer.set(encoded, shift);
  return scanObject(buffer.subarray(shift, shift + encoded.byteLength));
}

type Kind = "object" | "not_an_object" | "not_json";

function kindByScan(text: string, shift = 0): Kind | "too_many_structures" | "too_deep" {
  const scanned = scan(text, shift);
  return "problem" in scanned ? scanned.problem : "object";
}

function kindByParse(text: string): Kind {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "not_json";
  }
  return typeof value === "object" && value !== null && !Array.isArray(value) ? "object" : "not_an_object";
}

/** Both verdicts on each text, alone and as a member's value, name, and item. */
function expectSameVerdicts(tokens: Iterable<string>): void {
  for (const token of tokens)
    for (const text of [token, `{"a":${token}}`, `{${token}:1}`, `{"a":[1,${token}`, `{"a":[${token},{"b":${token}}]}`])
      if (kindByScan(text) !== kindByParse(text))
        expect({ text, kind: kindByScan(text) }).toEqual({ text, kind: kindByParse(text) });
}

const character = (code: number) => String.fromCharCode(code);
const everyByte = Array.from({ length: 256 }, (_, code) => character(code));
const oddCharacters = [..."\u00a0\u0085\u1680\u2028\u2029\ufeff\u3000\u00ad\u200b\u0000\u007f０＂｛"];

describe("exhaustively", () => {
  it("every character stands inside a string as in JSON.parse's, wherever in a word of four bytes", () => {
    expectSameVerdicts(
      [...everyByte, ...oddCharacters, "😀"].flatMap((c) =>
        ["", "x", "xy", "xyz", "xyzw", "xyzwé"].flatMap((before) => [
          `"${before}${c}"`,
          `"${before}${c}abcdefgh"`,
          `"${before}${c}${c}${before}"`,
        ]),
      ),
    );
  });

  it("every escape is one of JSON's, or none", () => {
    expectSameVerdicts(everyByte.flatMap((c) => [`"\\${c}"`, `"ab\\${c}cdef"`, `"\\\\${c}"`, `"\\\\\\${c}"`]));
    expectSameVerdicts(
      [0, 1, 2, 3].flatMap((place) =>
        everyByte.map((c) => `"\\u${"0aF9".slice(0, place)}${c}${"0aF9".slice(place + 1)}"`),
      ),
    );
    expectSameVerdicts([
      '"\\u',
      '"\\u1',
      '"\\u123',
      '"\\u1234',
      '"\\u12"',
      '"\\ud800"',
      '"\\udc00\\ud800"',
      '"\\U0041"',
    ]);
  });

  it("every character between tokens is space, or none", () => {
    expectSameVerdicts(
      [...everyByte, ...oddCharacters].flatMap((c) => [`${c}1`, `1${c}`, `"a"${c}`, `[${c}]`, `{${c}}`]),
    );
    for (const c of [...everyByte, ...oddCharacters])
      for (const text of [`${c}{}`, `{}${c}`, `{"a"${c}:1}`, `{"a":${c}1}`, `{"a":1${c}}`, `{"a":1,${c}"b":2}`])
        if (kindByScan(text) !== kindByParse(text)) expect(text).toBe("read alike");
  });

  it("every text of up to five of a number's characters is a number, or none", () => {
    const characters = [..."01-+.eE"];
    let texts = [""];
    for (let length = 1; length <= 5; length++) {
      texts = texts.flatMap((text) => characters.map((c) => text + c));
      for (const text of texts)
        if (kindByScan(`{"a":${text}}`) !== kindByParse(`{"a":${text}}`)) expect(text).toBe("read alike");
    }
  });

  it("every text of up to five tokens is an object, or none", () => {
    const tokens = ["{", "}", "[", "]", ",", ":", '"a"', "1"];
    let texts = [""];
    for (let length = 1; length <= 5; length++) {
      texts = texts.flatMap((text) => tokens.map((token) => text + token));
      for (const text of texts) if (kindByScan(text) !== kindByParse(text)) expect(text).toBe("read alike");
    }
  });

  it("every word is one of JSON's, or none", () => {
    const words = ["true", "false", "null"];
    expectSameVerdicts(
      [...words, "NaN", "Infinity", "-Infinity", "undefined", "True", "NULL"].flatMap((word) => [
        word,
        `${word}x`,
        `${word}0`,
        `-${word}`,
        ...Array.from(word, (_, at) => word.slice(0, at)),
        ...Array.from(word, (_, at) => `${word.slice(0, at)}_${word.slice(at + 1)}`),
      ]),
    );
  });
});

describe("any text", () => {
  const value = fc.jsonValue({ maxDepth: 4, stringUnit: "binary" });
  const written = fc
    .tuple(
      fc.dictionary(fc.constantFrom("model", "__proto__", "constructor", "", "é", "a\nb"), value),
      fc.constantFrom(0, 1, "\t"),
    )
    .map(([object, indent]) => JSON.stringify(object, null, indent));

  it("is JSON exactly where JSON.parse reads it, from any offset", () => {
    fc.assert(
      fc.property(written, fc.nat(7), (text, shift) => {
        expect(kindByScan(text, shift)).toBe("object");
      }),
      { numRuns: 500 },
    );
  });

  it("that ends too early, at any character, is not", () => {
    fc.assert(
      fc.property(written, (text) => {
        for (let length = 0; length < text.length; length++)
          expect(scan(text.slice(0, length).toWellFormed())).toEqual({ problem: "not_json", position: null });
      }),
      { numRuns: 100 },
    );
  });

  it("with characters removed, replaced and added is what JSON.parse takes it for", () => {
    const edit = fc.tuple(
      fc.nat(),
      fc.nat(2),
      fc.oneof(
        fc.constantFrom(...'{}[]",:\\/u0aEe+-.1 \n\t\r\u0001\u00a0é😀', "true", "null", "\\u00e9", "\\ud83d"),
        fc.string(),
      ),
    );
    fc.assert(
      fc.property(written, fc.array(edit, { minLength: 1, maxLength: 4 }), fc.nat(7), (text, edits, shift) => {
        const edited = edits.reduce((now, [where, removed, added]) => {
          const at = where % (now.length + 1);
          return now.slice(0, at) + added + now.slice(at + removed);
        }, text);
        expect(kindByScan(edited.toWellFormed(), shift)).toBe(kindByParse(edited.toWellFormed()));
      }),
      { numRuns: 5000 },
    );
  });

  it("has its members where they are written", () => {
    fc.assert(
      fc.property(written, (text) => {
        const members = scan(text);
        if ("problem" in members) throw new Error(members.problem);
        const bytes = new TextEncoder().encode(text);
        const read = (from: number, to: number) => JSON.parse(new TextDecoder().decode(bytes.subarray(from, to)));
        const found = members.map(({ start, nameEnd, valueStart, end }) => [
          read(start, nameEnd),
          read(valueStart, end),
        ]);
        expect(found).toEqual(Object.entries(JSON.parse(text)));
      }),
      { numRuns: 500 },
    );
  });

  it("has as many keys inside a member as its objects name, repeated ones each time", () => {
    const counted = (text: string) => {
      const members = scan(text);
      return "problem" in members ? members : members.map(({ keys }) => keys);
    };
    expect(counted('{"a":1,"b":{},"c":{"x":1,"x":{"x":[{"y":{}},{"z":0}]}},"d":[[{"":"\\":"}]]}')).toEqual([
      0, 0, 5, 1,
    ]);
  });

  it.each([
    ['{"a":{"model":1}}', true],
    ['{"a":[[{"x":{"reasoning_Models":1}}]]}', true],
    ['{"a":{"mmodelId":1}}', true],
    ['{"a":{"mo__d_EL":1}}', true],
    ['{"a":{"mod\\u0065l":1}}', true],
    ['{"a":{"\u017f":1}}', true],
    ['{"a":{"mode":1,"l":"model","el":["model"]}}', false],
    ['{"a":"model"}', false],
    ['{"model":"x"}', false],
  ])("tells of %s whether a name inside its member could be one of a model: %s", (text, expected) => {
    const members = scan(text);
    expect("problem" in members ? members : members.map(({ mayNameModel }) => mayNameModel)).toEqual([expected]);
  });

  it("tells so of each member for itself", () => {
    const members = scan('{"a":{"model":1},"b":{"x":1},"c":{"model":1}}');
    expect("problem" in members ? members : members.map(({ mayNameModel }) => mayNameModel)).toEqual([
      true,
      false,
      true,
    ]);
  });
});

describe("bounds", () => {
  it("on depth and structure hold before anything is made of them", () => {
    const nested = (depth: number) => `{"a":${'[{"b":'.repeat(depth / 2)}1${"}]".repeat(depth / 2)}}`;
    expect(kindByScan(nested(MAX_DEPTH - 2))).toBe("object");
    expect(kindByScan(nested(MAX_DEPTH))).toBe("too_deep");
    expect(kindByScan(`{"a":[${"[],".repeat(MAX_STRUCTURES - 3)}[]]}`)).toBe("object");
    expect(kindByScan(`{"a":[${"[],".repeat(MAX_STRUCTURES - 2)}[]]}`)).toBe("too_many_structures");
  });

  it("on members at the top hold, since each is remembered", () => {
    const wide = (members: number) => `{${Array.from({ length: members }, (_, index) => `"${index}":0`).join()}}`;
    expect(kindByScan(wide(MAX_STRUCTURES))).toBe("object");
    expect(kindByScan(wide(MAX_STRUCTURES + 1))).toBe("too_many_structures");
  });
});
