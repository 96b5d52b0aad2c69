// A JSON body that is judged without being rewritten: what the gateway does not judge is never decoded, and leaves as it
// arrived. Pure.
import { isUtf8 } from "node:buffer";
import { joined } from "./bytes.ts";
import { type ScannedMember, type ScanProblem, scanObject } from "./json-scan.ts";

export interface Member extends ScannedMember {
  readonly name: string;
}

export interface JsonBody {
  readonly bytes: Uint8Array;
  readonly members: readonly Member[];
  /** The members by name, each decoded when it is first read: reading a prompt costs its length. Inherits nothing. */
  readonly root: Readonly<Record<string, unknown>>;
}

export type JsonProblem =
  | ScanProblem
  | { problem: "not_utf8" }
  | { problem: "byte_order_mark" }
  | { problem: "repeated_key"; where: string };

/** Reads a body, and refuses what two parsers could read differently: repeated keys at the top or inside `tools`. */
export function readJson(bytes: Uint8Array): JsonBody | JsonProblem {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { problem: "byte_order_mark" };
  if (!isUtf8(bytes)) return { problem: "not_utf8" };
  const scanned = scanObject(bytes);
  if ("problem" in scanned) return scanned;
  const members = scanned.map((found): Member => ({ ...found, name: nameOf(bytes, found) }));
  const byName = new Map<string | symbol, Member>(members.map((member) => [member.name, member]));
  if (byName.size < members.length) return { problem: "repeated_key", where: "the request body" };
  const root = lazyRecord(bytes, byName);
  const body = { bytes, members, root };
  return repeatedKey(body, (name) => name === "tools") ?? body;
}

/** The problem that a key is repeated inside one of the members that `isJudged` names, or null. */
export function repeatedKey({ members, root }: JsonBody, isJudged: (name: string) => boolean): JsonProblem | null {
  for (const { name, keys } of members)
    if (isJudged(name) && keys !== countKeys(root[name])) return { problem: "repeated_key", where: name };
  return null;
}

/** The decoded value of a top-level member, or undefined. */
export function memberValue({ root }: JsonBody, name: string): unknown {
  return root[name];
}

/** The JSON text of a top-level member; `null` where there is none. */
export function memberText({ bytes, members }: JsonBody, name: string): string {
  const member = members.find((each) => each.name === name);
  return member ? decoder.decode(bytes.subarray(member.valueStart, member.end)) : "null";
}

/**
 * The body with some members set to a value (JSON text) or, by null, left out; all others byte for byte as they were. In
 * memory of its own.
 */
export function withMembers(
  { bytes, members, root }: JsonBody,
  changes: ReadonlyMap<string, string | null>,
): Uint8Array {
  const pieces: Uint8Array[] = [];
  let written = "{";
  let separator = "";
  /** Members that stay as they are and stand beside each other leave in one piece. */
  let run: { start: number; end: number } | null = null;
  const endRun = () => {
    if (run === null) return;
    pieces.push(encoder.encode(written + separator), bytes.subarray(run.start, run.end));
    written = "";
    separator = ",";
    run = null;
  };
  const write = (name: string, json: string) => {
    endRun();
    written += `${separator}${JSON.stringify(name)}:${json}`;
    separator = ",";
  };

  for (const { name, start, end } of members) {
    const change = changes.get(name);
    if (change === undefined) run = { start: run === null ? start : (run as { start: number }).start, end };
    else if (change === null) endRun();
    else write(name, change);
  }
  for (const [name, change] of changes) if (change !== null && !(name in root)) write(name, change);
  endRun();
  pieces.push(encoder.encode(`${written}}`));
  return joined(pieces);
}

const BACKSLASH = 0x5c;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What the JSON text between two offsets stands for. */
function decoded(bytes: Uint8Array, start: number, end: number): unknown {
  return JSON.parse(decoder.decode(bytes.subarray(start, end)));
}

const SHORT_NAME = 64;

/** The name that a member's JSON text stands for, so that an escaped `"mod\u0065l"` is the `model` it is. */
function nameOf(bytes: Uint8Array, { start, nameEnd }: ScannedMember): string {
  let name = "";
  // Names are short and plain, and the decoder is far away for a few bytes.
  for (let at = start + 1; at < nameEnd - 1; at++) {
    const code = bytes[at] ?? 0;
    if (code === BACKSLASH || code > 0x7f || name.length > SHORT_NAME) return String(decoded(bytes, start, nameEnd));
    name += String.fromCharCode(code);
  }
  return name;
}

/** A record of the members that decodes each when it is first read. */
function lazyRecord(bytes: Uint8Array, members: ReadonlyMap<string | symbol, Member>): JsonBody["root"] {
  const known = new Map<Member, unknown>();
  const read = (name: string | symbol) => {
    const member = members.get(name);
    if (!member) return undefined;
    if (!known.has(member)) known.set(member, decoded(bytes, member.valueStart, member.end));
    return known.get(member);
  };
  return new Proxy(Object.create(null), {
    get: (_, name) => read(name),
    has: (_, name) => members.has(name),
    ownKeys: () => [...members.keys()],
    getOwnPropertyDescriptor: (_, name) =>
      members.has(name) ? { get: () => read(name), enumerable: true, configurable: true } : undefined,
  });
}

/** How many keys the objects inside a parsed value have; a repeated key counts once, so fewer than were written. */
function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const children = Object.values(value);
  let keys = Array.isArray(value) ? 0 : children.length;
  for (const child of children) keys += countKeys(child);
  return keys;
}
