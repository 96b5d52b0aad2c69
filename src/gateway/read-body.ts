// Takes a request's body in, within bounds: an isolate's memory is shared by all of its tenants.
import type { Settings } from "../env.ts";
import { type Refusal, refuse } from "../errors.ts";
import { giveBack, joined } from "./bytes.ts";
import type { Isolate } from "./context.ts";
import { type JsonBody, type JsonProblem, readJson } from "./json-body.ts";
import { MAX_DEPTH, MAX_STRUCTURES } from "./json-scan.ts";

/** Parsing multiplies a body's memory, and an isolate has 128 MB. */
const MAX_BYTES_IN_FLIGHT = 24 * 1024 * 1024;
const OVERLOADED_RETRY_SECONDS = 2;

/** Reads and checks a JSON body. Its bytes count against the isolate until the caller releases `memory`. */
export async function readBody(request: Request, settings: Settings, memory: Reservation): Promise<JsonBody> {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity")
    return refuse({ code: "unsupported_encoding", encoding });
  const bytes = await readBytes(request, settings.MAX_BODY_BYTES, memory);
  memory.hold(bytes);
  const body = readJson(bytes);
  return "problem" in body ? refuse(refusalOf(body)) : body;
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

export function reserveBytes(isolate: Isolate): Reservation {
  let held = 0;
  let body: Uint8Array | null = null;
  return {
    reserve(bytes) {
      if (isolate.bodyBytesInFlight + bytes > MAX_BYTES_IN_FLIGHT)
        refuse({ code: "overloaded", retryAfterSeconds: OVERLOADED_RETRY_SECONDS });
      isolate.bodyBytesInFlight += bytes;
      held += bytes;
    },
    hold(bytes) {
      body = bytes;
    },
    release() {
      if (body) giveBack(body);
      isolate.bodyBytesInFlight -= held;
      held = 0;
    },
  };
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
