// A JSON body that is judged without being rewritten: values that the gateway does not judge leave as they arrived.
// Offsets are bytes: the text is the bytes read as Latin-1, in which UTF-8's structure stands where it stood, so that
// nothing is decoded and encoded again. Pure.
import { Buffer, isUtf8 } from "node:buffer";

/** More `{` and `[` than this are refused before they are parsed: each becomes an object in memory. */
export const MAX_STRUCTURES = 100_000;
export const MAX_DEPTH = 256;

export interface Member {
  readonly name: string;
  /** Byte offsets: from the name's opening quote, of the value, and past its end. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
  /** How many keys the objects inside the value have, as they are written. */
  readonly keys: number;
}

export interface JsonBody {
  readonly bytes: Uint8Array;
  /** The same, one character a byte. */
  readonly text: string;
  readonly members: readonly Member[];
  /** The parsed body, for structure and ASCII constants; its other text is not decoded. Use {@link memberValue} for text. */
  readonly root: Readonly<Record<string, unknown>>;
}

export type JsonProblem =
  | { problem: "not_utf8" }
  | { problem: "byte_order_mark" }
  | { problem: "too_many_structures" }
  | { problem: "too_deep" }
  | { problem: "not_json"; position: string | null }
  | { problem: "not_an_object" }
  | { problem: "repeated_key"; where: string };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

/** Reads a body, and refuses what two parsers could read differently: repeated keys at the top or inside `tools`. */
export function readJson(bytes: Uint8Array): JsonBody | JsonProblem {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { problem: "byte_order_mark" };
  if (!isUtf8(bytes)) return { problem: "not_utf8" };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");

  const scan = scanObject(text);
  if (scan.structures > MAX_STRUCTURES) return { problem: "too_many_structures" };
  if (scan.tooDeep) return { problem: "too_deep" };
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (error) {
    // The engine's message quotes the body; only the number in it is ours to repeat.
    const position = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec((error as Error).message)?.[1] ?? null;
    return { problem: "not_json", position };
  }
  if (typeof root !== "object" || root === null || Array.isArray(root)) return { problem: "not_an_object" };
  const body = root as Record<string, unknown>;
  const { members } = scan;
  if (new Set(members.map(({ name }) => name)).size !== members.length)
    return { problem: "repeated_key", where: "the request body" };
  const result = { bytes, text, members, root: body };
  return repeatedKey(result, (name) => name === "tools") ?? result;
}

/** The problem that a key is repeated inside one of the members that `isJudged` names, or null. */
export function repeatedKey(
  { bytes, text, members, root }: JsonBody,
  isJudged: (name: string) => boolean,
): JsonProblem | null {
  for (const member of members) {
    if (!isJudged(member.name)) continue;
    // Undecoded, a name in UTF-8 and the same bytes written as escapes would look like one.
    const undecoded = NON_ASCII.test(text.slice(member.valueStart, member.end));
    const parsed = undecoded ? decoded(bytes, member) : root[member.name];
    if (member.keys !== countKeys(parsed)) return { problem: "repeated_key", where: member.name };
  }
  return null;
}

/** The decoded value of a top-level member, or undefined. */
export function memberValue({ bytes, text, members }: JsonBody, name: string): unknown {
  const member = members.find((each) => each.name === name);
  if (!member) return undefined;
  const raw = text.slice(member.valueStart, member.end);
  if (!NON_ASCII.test(raw)) return JSON.parse(raw);
  return decoded(bytes, member);
}

function decoded(bytes: Uint8Array, { valueStart, end }: Member): unknown {
  return JSON.parse(Buffer.from(bytes.subarray(valueStart, end)).toString("utf8"));
}

/** The JSON text of a top-level member; `null` where there is none. */
export function memberText({ bytes, members }: JsonBody, name: string): string {
  const member = members.find((each) => each.name === name);
  return member ? Buffer.from(bytes.subarray(member.valueStart, member.end)).toString("utf8") : "null";
}

/** The body with some members set to a value (JSON text) or, by null, left out; all others byte for byte as they were. */
export function withMembers({ bytes, members }: JsonBody, changes: ReadonlyMap<string, string | null>): Uint8Array {
  const pieces: Uint8Array[] = [];
  let written = "{";
  let separator = "";
  /** Members that stay as they are and stand beside each other leave in one piece. */
  let run: { start: number; end: number } | null = null;
  const endRun = () => {
    if (run === null) return;
    pieces.push(Buffer.from(written + separator), bytes.subarray(run.start, run.end));
    written = "";
    separator = ",";
    run = null;
  };
  const write = (name: string, json: string) => {
    endRun();
    written += `${separator}${JSON.stringify(name)}:${json}`;
    separator = ",";
  };

  const added = new Map(changes);
  for (const { name, start, end } of members) {
    const change = changes.get(name);
    added.delete(name);
    if (change === undefined) run = { start: run === null ? start : (run as { start: number }).start, end };
    else if (change === null) endRun();
    else write(name, change);
  }
  for (const [name, change] of added) if (change !== null) write(name, change);
  endRun();
  pieces.push(Buffer.from(`${written}}`));
  return Buffer.concat(pieces);
}

interface Scan {
  members: Member[];
  structures: number;
  tooDeep: boolean;
}

/**
 * Finds the members of the top-level object and counts structures and keys. It trusts nothing: what it makes of text
 * that is not JSON does not matter, since that is refused right after.
 */
function scanObject(text: string): Scan {
  const scan: Scan = { members: [], structures: 0, tooDeep: false };
  const length = text.length;
  let depth = 0;
  let keys = 0;
  let keysBefore = 0;
  let start = -1;
  let name = "";
  let valueStart = -1;
  const endMember = (end: number) => {
    if (valueStart < 0) return;
    let last = end;
    while (last > valueStart && isSpace(text.charCodeAt(last - 1))) last--;
    scan.members.push({ name, start, valueStart, end: last, keys: keys - keysBefore });
    start = valueStart = -1;
  };

  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (depth === 1 && start < 0) {
        start = at;
        name = keyName(text.slice(at, end));
      }
      at = end - 1;
    } else if (code === 0x7b || code === 0x5b) {
      if (++scan.structures > MAX_STRUCTURES) return scan;
      if (++depth > MAX_DEPTH) {
        scan.tooDeep = true;
        return scan;
      }
    } else if (code === 0x7d || code === 0x5d) {
      if (depth === 1) endMember(at);
      depth--;
    } else if (code === COLON) {
      if (depth !== 1) keys++;
      else if (start >= 0) {
        valueStart = at + 1;
        while (isSpace(text.charCodeAt(valueStart))) valueStart++;
        keysBefore = keys;
      }
    } else if (code === COMMA && depth === 1) endMember(at);
  }
  return scan;
}

/** The offset past the closing quote of the string that opens at `open`; the text's end when it never closes. */
function endOfString(text: string, open: number): number {
  for (let from = open + 1; ; ) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}

const NON_ASCII = /[\x80-\xff]/;

/** The name that a key's JSON text stands for, so that an escaped `"mod\u0065l"` is the `model` it is. */
function keyName(quoted: string): string {
  if (!quoted.includes("\\") && !NON_ASCII.test(quoted)) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(Buffer.from(quoted, "latin1").toString("utf8")));
  } catch {
    return quoted;
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** How many keys the objects inside a parsed value have; a repeated key counts once, so fewer than were written. */
function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const children = Object.values(value);
  let keys = Array.isArray(value) ? 0 : children.length;
  for (const child of children) keys += countKeys(child);
  return keys;
}
