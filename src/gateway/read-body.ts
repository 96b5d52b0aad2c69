// Takes a request's body in, within bounds: an isolate's memory is shared by all of its tenants.
import type { Settings } from "../env.ts";
import { type Refusal, refuse, shown } from "../errors.ts";
import { giveBack, joined } from "./bytes.ts";
import type { Held, HeldBytes, Isolate } from "./context.ts";
import { type FormBody, readForm } from "./form-body.ts";
import { headerParameters } from "./header-parameters.ts";
import { type JsonBody, type JsonProblem, readJson, repeatedKey } from "./json-body.ts";
import { MAX_DEPTH, MAX_STRUCTURES } from "./json-scan.ts";
import { lookAlike } from "./judged-names.ts";
import { boundaryIn, type FormProblem, MAX_PARTS } from "./multipart.ts";
import type { BodyKind } from "./surfaces.ts";

/** Parsing multiplies a body's memory, and an isolate has 128 MB. */
const MAX_BYTES_IN_FLIGHT = 24 * 1024 * 1024;
const OVERLOADED_RETRY_SECONDS = 2;
/** Fewer holders than that are no crowd; looking for those that left costs a look at each. */
const MIN_CROWD = 256;
/** In a crowd, those that left are not looked for by each request that finds no room. */
const LOOK_AGAIN_MS = 250;

/** A body that was read: JSON unless it has parts. */
export type Body = JsonBody | FormBody;

/** Reads and checks a body of the kind `takes`. Its bytes count against the isolate until the caller releases `memory`. */
export async function readBody(
  request: Request,
  takes: BodyKind,
  { settings, memory }: { settings: Settings; memory: Reservation },
): Promise<Body> {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity")
    return refuse({ code: "unsupported_encoding", encoding });
  const boundary = takes === "json" ? null : boundaryOf(request, takes);
  const bytes = await readBytes(request, settings.MAX_BODY_BYTES, memory);
  memory.hold(bytes);
  if (boundary !== null) {
    const form = readForm(bytes, boundary);
    return "problem" in form ? refuse(refusalOfForm(form)) : exactlyNamed(form, Object.keys(form.root));
  }
  const body = readJson(bytes);
  if (!("problem" in body)) return exactlyNamed(body, body.members.keys());
  return refuse(isForm(request) ? { code: "invalid_json", why: "this path takes JSON, not a form" } : refusalOf(body));
}

/** The body, unless a member is called like one that is judged, but for its case or underscores. */
function exactlyNamed<B extends Body>(body: B, names: Iterable<string>): B {
  const found = lookAlike(names);
  if (!found) return body;
  const why = `${shown(found.name)} differs from ${found.of} only in case or underscores, and some providers would read it as that; send it as ${found.of}.`;
  return refuse({ code: "invalid_request", param: shown(found.name), why });
}

function isForm(request: Request): boolean {
  return /^(multipart|application\/x-www-form-urlencoded)\b/i.test(request.headers.get("content-type") ?? "");
}

/** What separates the parts of the form that is sent; null where JSON is sent to a path that takes either. */
function boundaryOf(request: Request, takes: "form" | "either"): string | null {
  const type = headerParameters(request.headers.get("content-type") ?? "");
  if (takes === "either" && type?.value === "application/json") return null;
  const boundary = type?.value === "multipart/form-data" ? boundaryIn(type) : null;
  const asked = takes === "either" ? "multipart/form-data or application/json" : "multipart/form-data";
  const why = `This path takes ${asked}: send that content-type, a form's with its boundary.`;
  return boundary ?? refuse({ code: "invalid_request", param: null, why });
}

/**
 * Refuses a JSON body with a repeated key inside one of the members that `isJudged` names: it could be read in two ways.
 * A form's parts are all looked at, however often a name stands there.
 */
export function requireOneReading(body: Body, isJudged: (name: string) => boolean): void {
  const problem = "parts" in body ? null : repeatedKey(body, isJudged);
  if (problem) refuse(refusalOf(problem));
}

/** A place in the isolate's memory for one body. */
export interface Reservation {
  /** Counts more bytes as held; refuses when the isolate holds too many. */
  reserve(bytes: number): void;
  /** Makes `bytes` the body that is held. */
  hold(bytes: Uint8Array): void;
  /** The body is no longer held: its memory is given back, and it can no longer be read. */
  release(): void;
}

/** A place for the body of the client that `clientGone` is about; one whose client is gone is lost when room runs out. */
export function reserveBytes({ held }: Isolate, clientGone: AbortSignal): Reservation {
  const own: HeldBytes = { bytes: 0, clientGone };
  let body: Uint8Array | null = null;
  return {
    reserve(bytes) {
      const isFull = () => held.total + bytes > MAX_BYTES_IN_FLIGHT;
      if (held.by.size > held.crowdedAt || (isFull() && isWorthALook(held))) reclaim(held);
      if (isFull()) refuse({ code: "overloaded", retryAfterSeconds: OVERLOADED_RETRY_SECONDS });
      held.total += bytes;
      own.bytes += bytes;
      held.by.add(own);
    },
    hold(bytes) {
      body = bytes;
    },
    release() {
      if (body) giveBack(body);
      uncount(held, own);
    },
  };
}

function uncount(held: Held, own: HeldBytes): void {
  held.by.delete(own);
  held.total -= own.bytes;
  own.bytes = 0;
}

/** Of a request whose client is gone nothing runs any more, no `finally` either, so that others take its bytes back. */
function reclaim(held: Held): void {
  for (const each of held.by) if (isGone(each)) uncount(held, each);
  held.crowdedAt = Math.max(MIN_CROWD, 2 * held.by.size);
  held.lookedAt = Date.now();
}

/** A runtime that lets no request ask after another's client has nothing taken back, and serves all the same. */
function isGone({ clientGone }: HeldBytes): boolean {
  try {
    return clientGone.aborted;
  } catch {
    return false;
  }
}

function isWorthALook({ by, lookedAt }: Held): boolean {
  return by.size <= MIN_CROWD || Math.abs(Date.now() - lookedAt) >= LOOK_AGAIN_MS;
}

async function readBytes(request: Request, limit: number, memory: Reservation): Promise<Uint8Array> {
  const tooLarge = (): never =>
    refuse({ code: "request_too_large", why: `The request body is larger than ${limit} bytes.` });
  const declared = request.headers.get("content-length");
  if (declared !== null) {
    if (!(Number(declared) <= limit)) return tooLarge();
    memory.reserve(Number(declared));
    const bytes = new Uint8Array(await request.arrayBuffer());
    return bytes.byteLength > limit ? tooLarge() : bytes;
  }
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    length += piece.byteLength;
    if (length > limit) return tooLarge();
    memory.reserve(piece.byteLength);
    pieces.push(piece);
  }
  return joined(pieces);
}

function refusalOf(found: JsonProblem): Refusal {
  switch (found.problem) {
    case "not_utf8":
      return { code: "invalid_json", why: "it is not valid UTF-8" };
    case "byte_order_mark":
      return { code: "invalid_json", why: "it begins with a byte-order mark; send plain UTF-8 without one" };
    case "too_many_structures":
      return {
        code: "request_too_large",
        why: `The request body has more than ${MAX_STRUCTURES} objects and arrays, or members.`,
      };
    case "too_deep":
      return { code: "invalid_json", why: `it is nested more than ${MAX_DEPTH} levels deep` };
    case "not_json":
      return {
        code: "invalid_json",
        why: `it cannot be parsed${found.position === null ? "" : ` at byte ${found.position}`}`,
      };
    case "not_an_object":
      return { code: "invalid_json", why: "it must be a JSON object" };
    case "repeated_key":
      return {
        code: "invalid_json",
        why: `a key is repeated in ${found.where}, so that it could be read in two ways; send each key once`,
      };
  }
}

function refusalOfForm(found: FormProblem): Refusal {
  switch (found.problem) {
    case "malformed":
      return { code: "invalid_request", param: found.field, why: found.why };
    case "too_many_parts":
      return { code: "request_too_large", why: `The form has more than ${MAX_PARTS} parts.` };
  }
}
