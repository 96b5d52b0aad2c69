// Takes in what a call was given: its body, its query, its If-Match. Only what a schema has accepted is used.
import type { Context } from "hono";
import * as z from "zod";
import type { AdminEnv } from "../authorize.ts";
import { checkGiven } from "../field-words.ts";
import { type FieldError, invalid, Problem } from "../problem.ts";

const MIB = 1024 * 1024;
/** A policy whose lists are all full has less. */
const MAX_BODY_BYTES = MIB;

const oneLine = (maxCharacters: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(maxCharacters, `must have at most ${maxCharacters} characters`)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, "must be one line without control characters");

/** A short text of people's own: one line. */
export const Name = oneLine(100);

export const MAX_REASON_CHARACTERS = 500;
/** Why something is changed, in people's own words: one line. */
export const Reason = oneLine(MAX_REASON_CHARACTERS);

/** Reads a JSON body of at most `maxBytes` (1 MiB); an empty one that may be is `{}`. Throws 413, 415 and 400. */
export async function readJson<T extends z.ZodType>(
  c: Context<AdminEnv>,
  schema: T,
  { maxBytes = MAX_BODY_BYTES, mayBeEmpty = false }: { maxBytes?: number; mayBeEmpty?: boolean } = {},
): Promise<z.output<T>> {
  const encoding = c.req.header("content-encoding")?.toLowerCase() ?? "identity";
  if (encoding !== "identity") throw unsupported("Send the body uncompressed.");
  const bytes = await readBytes(c.req.raw, maxBytes);
  if (bytes.byteLength === 0 && mayBeEmpty) return parse(schema, {});
  if (!isJson(c.req.header("content-type"))) throw unsupported("Send the body as content-type: application/json.");
  return parse(schema, parseJson(bytes));
}

/** Reads the query. Throws 400, also for a parameter that is unknown or repeated. */
export function readQuery<T extends z.ZodType>(c: Context<AdminEnv>, schema: T): z.output<T> {
  const { searchParams } = new URL(c.req.url);
  for (const name of searchParams.keys())
    if (searchParams.getAll(name).length > 1) throw invalid([{ path: name, message: "is given more than once" }]);
  return parse(schema, Object.fromEntries(searchParams));
}

/** The revision that If-Match names, weak or strong. Throws 428 when none is named, 400 when it is none of ours. */
export function readIfMatch(c: Context<AdminEnv>): number {
  const given = c.req.header("if-match")?.trim() ?? "";
  if (given === "" || given === "*")
    throw new Problem({
      status: 428,
      code: "revision_required",
      detail:
        'Say which revision your change is based on, as If-Match: "<revision>". GET answers with it in its ETag; so nobody overwrites what they have not seen.',
    });
  const revision = /^(?:W\/)?"([1-9]\d{0,14})"$/.exec(given)?.[1];
  if (revision === undefined)
    throw invalid([{ path: "If-Match", message: 'must be one revision in quotation marks, such as "7"' }]);
  return Number(revision);
}

/** 400, with the path of each field that the schema refused. */
export function invalidBy(error: z.ZodError): Problem {
  return invalid(error.issues.flatMap(fieldErrors));
}

function parse<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = checkGiven(schema, value);
  if (parsed.success) return parsed.data;
  throw invalidBy(parsed.error);
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = (key?: PropertyKey) => [...issue.path, ...(key === undefined ? [] : [key])].map(String).join(".");
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ path: path(key), message: "is not a field of this" }));
  return [{ path: path(), message: issue.message }];
}

function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw invalid([{ path: "", message: "The body is not valid UTF-8." }]);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw invalid([{ path: "", message: "The body is not valid JSON." }]);
  }
}

async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const check = (bytes: number) => {
    if (bytes <= limit) return;
    throw new Problem({
      status: 413,
      code: "request_too_large",
      detail: `The body is larger than ${limit / MIB} MiB.`,
    });
  };
  check(Number(request.headers.get("content-length") ?? 0));
  for await (const piece of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    length += piece.byteLength;
    check(length);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function isJson(contentType: string | undefined): boolean {
  return /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(contentType?.trim() ?? "");
}

function unsupported(detail: string): Problem {
  return new Problem({ status: 415, code: "unsupported_media_type", detail });
}
