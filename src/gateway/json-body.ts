// A JSON body that is judged without being rewritten: what the gateway does not judge is never decoded, and leaves as it
// arrived. Pure.
import { isUtf8 } from "node:buffer";
import { joined } from "./bytes.ts";
import { type ScannedMember, type ScanProblem, scanObject } from "./json-scan.ts";
import { BACKSLASH, FIRST_PRINTABLE, QUOTE } from "./json-tokens.ts";

export interface Member extends ScannedMember {
  /** What its text stands for, once that was read. */
  value: unknown;
}

export interface JsonBody {
  readonly bytes: Uint8Array;
  /** By name, in the order they are written. */
  readonly members: ReadonlyMap<string, Member>;
  /** The members by name, each decoded when it is first read: reading a prompt costs its length. Inherits nothing. */
  readonly root: Readonly<Record<string, unknown>>;
}

export type JsonProblem =
  | ScanProblem
  | { problem: "not_utf8" }
  | { problem: "byte_order_mark" }
  | { problem: "repeated_key"; where: string };

/** A member's value before it was read. */
const UNREAD = Symbol("unread");

/** Reads a body, and refuses what two parsers could read differently: repeated keys at the top or inside `tools`. */
export function readJson(bytes: Uint8Array): JsonBody | JsonProblem {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { problem: "byte_order_mark" };
  if (!isUtf8(bytes)) return { problem: "not_utf8" };
  const scanned = scanObject(bytes);
  if ("problem" in scanned) return scanned;
  const members = new Map<string, Member>();
  for (const { start, nameEnd, valueStart, end, keys, mayNameModel } of scanned) {
    // The name that the text stands for, so that an escaped `"mod\u0065l"` is the `model` it is.
    const name = String(decoded(bytes, start, nameEnd));
    if (members.has(name)) return { problem: "repeated_key", where: "the request body" };
    members.set(name, { start, nameEnd, valueStart, end, keys, mayNameModel, value: UNREAD });
  }
  const body = { bytes, members, root: lazyRecord(bytes, members) };
  return repeatedKey(body, (name) => name === "tools") ?? body;
}

/** The problem that a key is repeated inside one of the members that `isJudged` names, or null. */
export function repeatedKey({ members, root }: JsonBody, isJudged: (name: string) => boolean): JsonProblem | null {
  for (const [name, { keys }] of members)
    if (isJudged(name) && keys !== countKeys(root[name])) return { problem: "repeated_key", where: name };
  return null;
}

/** Whether a member is there that could name a model: itself, or by a name inside. Decodes nothing. */
export function mayNameModel({ members }: JsonBody, name: string): boolean {
  const member = members.get(name);
  return member !== undefined && (member.mayNameModel || name.includes("model"));
}

/** The JSON text of a top-level member; `null` where there is none. */
export function memberText({ bytes, members }: JsonBody, name: string): string {
  const member = members.get(name);
  return member ? decoder.decode(bytes.subarray(member.valueStart, member.end)) : "null";
}

/**
 * The body with some members set to a value (JSON text) or, by null, left out; all others byte for byte as they were. In
 * memory of its own.
 */
export function withMembers({ bytes, members }: JsonBody, changes: ReadonlyMap<string, string | null>): Uint8Array {
  const pieces: Uint8Array[] = [];
  let written = "{";
  let separator = "";
  /** Members that stay as they are and stand beside each other leave in one piece. */
  let runStart = -1;
  let runEnd = -1;
  const endRun = () => {
    if (runStart < 0) return;
    pieces.push(bytesOf(written + separator), bytes.subarray(runStart, runEnd));
    written = "";
    separator = ",";
    runStart = -1;
  };
  const write = (name: string, json: string) => {
    endRun();
    written += `${separator}${JSON.stringify(name)}:${json}`;
    separator = ",";
  };

  for (const [name, { start, end }] of members) {
    const change = changes.get(name);
    if (change === undefined) {
      if (runStart < 0) runStart = start;
      runEnd = end;
    } else if (change === null) endRun();
    else write(name, change);
  }
  for (const [name, change] of changes) if (change !== null && !members.has(name)) write(name, change);
  endRun();
  pieces.push(bytesOf(`${written}}`));
  return joined(pieces);
}

const LAST_ASCII = 0x7f;
/** Up to here a loop is faster than a call into the runtime. */
const SHORT = 128;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `text` in UTF-8. Most that is written here is short and plain, for which the encoder is far away. */
function bytesOf(text: string): Uint8Array {
  if (text.length > SHORT) return encoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > LAST_ASCII) return encoder.encode(text);
    bytes[at] = code;
  }
  return bytes;
}

/** What the JSON text between two offsets stands for. */
function decoded(bytes: Uint8Array, start: number, end: number): unknown {
  // Names are short and plain, and so is `model`; the decoder is far away for a few bytes.
  const plain = bytes[start] === QUOTE ? plainText(bytes, start + 1, end - 1) : null;
  return plain ?? JSON.parse(decoder.decode(bytes.subarray(start, end)));
}

/** The text between the quotes of a string, where it is short, ASCII, and stands for itself; else null. */
function plainText(bytes: Uint8Array, start: number, end: number): string | null {
  if (end - start > SHORT) return null;
  let text = "";
  for (let at = start; at < end; at++) {
    const code = bytes[at] as number;
    if (code < FIRST_PRINTABLE || code > LAST_ASCII || code === BACKSLASH) return null;
    text += String.fromCharCode(code);
  }
  return text;
}

/** A record of the members that decodes each when it is first read. */
function lazyRecord(bytes: Uint8Array, members: ReadonlyMap<string, Member>): JsonBody["root"] {
  return new Proxy(new Members(bytes, members), LAZILY) as unknown as JsonBody["root"];
}

class Members {
  readonly #bytes: Uint8Array;
  readonly #members: ReadonlyMap<string | symbol, Member>;
  constructor(bytes: Uint8Array, members: ReadonlyMap<string, Member>) {
    this.#bytes = bytes;
    this.#members = members;
  }
  read(name: string | symbol): unknown {
    const member = this.#members.get(name);
    if (member?.value === UNREAD) member.value = decoded(this.#bytes, member.valueStart, member.end);
    return member?.value;
  }
  has(name: string | symbol): boolean {
    return this.#members.has(name);
  }
  names(): (string | symbol)[] {
    return [...this.#members.keys()];
  }
}

const LAZILY: ProxyHandler<Members> = {
  get: (members, name) => members.read(name),
  has: (members, name) => members.has(name),
  ownKeys: (members) => members.names(),
  getOwnPropertyDescriptor: (members, name) =>
    members.has(name) ? { get: () => members.read(name), enumerable: true, configurable: true } : undefined,
  getPrototypeOf: () => null,
};

/** How many keys the objects inside a parsed value have; a repeated key counts once, so fewer than were written. */
function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const children = Object.values(value);
  let keys = Array.isArray(value) ? 0 : children.length;
  for (const child of children) keys += countKeys(child);
  return keys;
}
