// A JSON body that is judged without being rewritten: what the gateway does not judge is never decoded, and leaves as it
// arrived. Pure.
import { Buffer, isUtf8 } from "node:buffer";
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
  const root: Record<string, unknown> = Object.create(null);
  const members: Member[] = [];
  for (const found of scanned) {
    // Decoded, so that an escaped `"mod\u0065l"` is the `model` it is.
    const name = String(decoded(bytes, found.start, found.nameEnd));
    if (name in root) return { problem: "repeated_key", where: "the request body" };
    members.push({ ...found, name });
    defineLazily(root, name, () => decoded(bytes, found.valueStart, found.end));
    if (name === "tools" && found.keys !== countKeys(root[name])) return { problem: "repeated_key", where: "tools" };
  }
  return { bytes, members, root };
}

/** The decoded value of a top-level member, or undefined. */
export function memberValue({ root }: JsonBody, name: string): unknown {
  return root[name];
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

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What the JSON text between two offsets stands for. */
function decoded(bytes: Uint8Array, start: number, end: number): unknown {
  return JSON.parse(utf8.decode(bytes.subarray(start, end)));
}

function defineLazily(record: Record<string, unknown>, name: string, read: () => unknown): void {
  let known: { value: unknown } | null = null;
  Object.defineProperty(record, name, {
    enumerable: true,
    get() {
      known ??= { value: read() };
      return known.value;
    },
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
