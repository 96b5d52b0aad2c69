// Checks that bytes are JSON and finds the members of the object at their top, without making anything of what they
// say: no string is decoded and no object built, so that a prompt costs no more than a look at its bytes. It accepts
// exactly what JSON.parse accepts, within bounds: what a provider could read otherwise would be a way around the policy.
// The bytes must be known to be UTF-8. Pure.
import { BACKSLASH, endOfScalar, endOfSpace, endOfString, QUOTE } from "./json-tokens.ts";

/** More objects and arrays than this are refused, and more members at the top: each can become an object in memory. */
export const MAX_STRUCTURES = 100_000;
export const MAX_DEPTH = 256;

/** A member of the object at the top, in byte offsets. */
export interface ScannedMember {
  /** From the name's opening quote to past its closing one. */
  readonly start: number;
  readonly nameEnd: number;
  readonly valueStart: number;
  /** Past the value. */
  readonly end: number;
  /** How many names are written in the objects inside the value. */
  readonly keys: number;
  /** Whether one of those names could be one of a model: it holds that word, or cannot be told without decoding it. */
  readonly mayNameModel: boolean;
}

export type ScanProblem =
  | { problem: "too_many_structures" }
  | { problem: "too_deep" }
  /** At which byte; null where the text ends too early. */
  | { problem: "not_json"; position: number | null }
  | { problem: "not_an_object" };

interface Scan {
  readonly bytes: Uint8Array;
  readonly words: DataView;
  readonly members: ScannedMember[];
  structures: number;
  depth: number;
  /** Names written in objects below the top. */
  keys: number;
  /** Whether one of them, since it was last asked, could name a model. */
  mayNameModel: boolean;
  problem: ScanProblem | null;
}

/** Reads what stands at `at`; returns the offset past it, or {@link FAILED} once the scan says why. */
type Read = (scan: Scan, at: number) => number;
const FAILED = -1;

const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The members of the object that `bytes` hold, as they are written, or why they hold none. */
export function scanObject(bytes: Uint8Array): readonly ScannedMember[] | ScanProblem {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const scan: Scan = {
    bytes,
    words,
    members: [],
    structures: 0,
    depth: 0,
    keys: 0,
    mayNameModel: false,
    problem: null,
  };
  const start = endOfSpace(bytes, 0);
  const end = readValue(scan, start);
  const rest = end === FAILED ? FAILED : endOfSpace(bytes, end);
  if (rest !== FAILED && rest < bytes.length) failAt(scan, rest);
  if (scan.problem !== null) return scan.problem;
  return bytes[start] === OPEN_BRACE ? scan.members : { problem: "not_an_object" };
}

function readValue(scan: Scan, at: number): number {
  switch (scan.bytes[at]) {
    case QUOTE:
      return readString(scan, at);
    case OPEN_BRACE:
      return readList(scan, at, CLOSE_BRACE, scan.depth === 0 ? readTopMember : readMember);
    case OPEN_BRACKET:
      return readList(scan, at, CLOSE_BRACKET, readValue);
    default: {
      const end = endOfScalar(scan.bytes, at);
      return end < 0 ? failAt(scan, ~end) : end;
    }
  }
}

/** An object or an array: items between commas. */
function readList(scan: Scan, open: number, close: number, readItem: Read): number {
  const { bytes } = scan;
  if (++scan.structures > MAX_STRUCTURES) return fail(scan, { problem: "too_many_structures" });
  if (++scan.depth > MAX_DEPTH) return fail(scan, { problem: "too_deep" });
  let at = endOfSpace(bytes, open + 1);
  if (bytes[at] !== close)
    for (;;) {
      at = readItem(scan, at);
      if (at === FAILED) return FAILED;
      at = endOfSpace(bytes, at);
      if (bytes[at] === close) break;
      if (bytes[at] !== COMMA) return failAt(scan, at);
      at = endOfSpace(bytes, at + 1);
    }
  scan.depth--;
  return at + 1;
}

function readMember(scan: Scan, start: number): number {
  scan.keys++;
  const nameEnd = readString(scan, start);
  if (nameEnd === FAILED) return FAILED;
  if (!scan.mayNameModel) scan.mayNameModel = couldHoldModel(scan.bytes, start + 1, nameEnd - 1);
  const valueStart = readColon(scan, nameEnd);
  return valueStart === FAILED ? FAILED : readValue(scan, valueStart);
}

const MODEL = [..."model"].map((letter) => letter.charCodeAt(0));
const LAST_ASCII = 0x7f;
const LOWER = 0x20;
const UNDERSCORE = 0x5f;

/**
 * Whether the name between its quotes holds the word "model", in any case and with underscores in it; or an escape, or a
 * letter beyond ASCII.
 */
function couldHoldModel(bytes: Uint8Array, start: number, end: number): boolean {
  let matched = 0;
  for (let at = start; at < end; at++) {
    const code = bytes[at] as number;
    if (code === BACKSLASH || code > LAST_ASCII) return true;
    if (code === UNDERSCORE) continue;
    if ((code | LOWER) === MODEL[matched]) matched++;
    else matched = (code | LOWER) === MODEL[0] ? 1 : 0;
    if (matched === MODEL.length) return true;
  }
  return false;
}

function readTopMember(scan: Scan, start: number): number {
  if (scan.members.length === MAX_STRUCTURES) return fail(scan, { problem: "too_many_structures" });
  const keysBefore = scan.keys;
  scan.mayNameModel = false;
  const nameEnd = readString(scan, start);
  const valueStart = nameEnd === FAILED ? FAILED : readColon(scan, nameEnd);
  const end = valueStart === FAILED ? FAILED : readValue(scan, valueStart);
  if (end !== FAILED) {
    const { keys, mayNameModel } = scan;
    scan.members.push({ start, nameEnd, valueStart, end, keys: keys - keysBefore, mayNameModel });
  }
  return end;
}

function readString(scan: Scan, at: number): number {
  const end = endOfString(scan.bytes, scan.words, at);
  return end < 0 ? failAt(scan, ~end) : end;
}

/** From past a name to its value. */
function readColon(scan: Scan, nameEnd: number): number {
  const at = endOfSpace(scan.bytes, nameEnd);
  return scan.bytes[at] === COLON ? endOfSpace(scan.bytes, at + 1) : failAt(scan, at);
}

function failAt(scan: Scan, at: number): typeof FAILED {
  return fail(scan, { problem: "not_json", position: at < scan.bytes.length ? at : null });
}

function fail(scan: Scan, problem: ScanProblem): typeof FAILED {
  scan.problem = problem;
  return FAILED;
}
