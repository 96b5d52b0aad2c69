// Takes a multipart/form-data body apart (RFC 7578). Strict, where parsers differ: what two of them could read in two
// ways is refused, never guessed. Contents are views of the body, not copies. Pure.
import { Buffer, isUtf8 } from "node:buffer";
import { type HeaderParameters, headerParameters } from "./header-parameters.ts";

/** More parts than this are refused: each becomes an object in memory. */
export const MAX_PARTS = 1_000;
const MAX_HEADER_BYTES = 8 * 1024;

export interface FormPart {
  readonly name: string;
  /** What the part says of its file; null for a text field, whose bytes are valid UTF-8. */
  readonly file: { readonly filename: string; readonly contentType: string | null } | null;
  readonly bytes: Uint8Array;
}

/** `why` is a sentence for the client; it quotes the name of a field at the most. */
export type FormProblem = { problem: "too_many_parts" } | { problem: "malformed"; field: string | null; why: string };

/** One of the separators that RFC 2046 allows. */
const BOUNDARY = /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/;

/** Names that all parsers read alike: without what some of them unescape or trim, and with a member before any bracket. */
const FIELD_NAME = /^\w[\w.:[\]-]{0,127}$/;

/** Encodings of a part's content that change nothing; RFC 7578 has no others, but some parsers undo them. */
const PLAIN_ENCODINGS: ReadonlySet<string> = new Set(["7bit", "8bit", "binary"]);

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const BLANK_LINE = "\r\n\r\n";

/** The separator that a content type of multipart/form-data names, or null. */
export function boundaryIn({ parameters }: HeaderParameters): string | null {
  const boundary = parameters.get("boundary");
  return boundary !== undefined && BOUNDARY.test(boundary) ? boundary : null;
}

/** The parts in their order. What stands before the first and after the last is no part of the form. */
export function readParts(bytes: Uint8Array, boundary: string): FormPart[] | FormProblem {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const parts: FormPart[] = [];
  // The first one may open the body, without a line break before it.
  const opens = body.subarray(0, delimiter.length - 2).equals(delimiter.subarray(2));
  const first = opens ? -2 : body.indexOf(delimiter);
  if (!opens && first < 0) return malformed("the boundary that the content-type names does not stand in it");
  for (let at = first + delimiter.length; ; ) {
    if (body[at] === DASH && body[at + 1] === DASH) return parts;
    if (body[at] !== CR || body[at + 1] !== LF)
      return malformed("a boundary is not followed by a line break; the body may be cut off");
    if (parts.length === MAX_PARTS) return { problem: "too_many_parts" };

    const headersEnd = body.indexOf(BLANK_LINE, at);
    const contentStart = headersEnd + BLANK_LINE.length;
    const end = body.indexOf(delimiter, at);
    if (end < 0) return malformed("its closing boundary is missing; the body may be cut off");
    if (headersEnd < 0 || end < contentStart) return malformed("a part has no content after its headers");
    if (headersEnd - at > MAX_HEADER_BYTES) return malformed("the headers of a part are too long");
    const part = readPart(body.subarray(at + 2, headersEnd), body.subarray(contentStart, end));
    if ("problem" in part) return part;
    parts.push(part);
    at = end + delimiter.length;
  }
}

function readPart(head: Buffer, bytes: Uint8Array): FormPart | FormProblem {
  const headers = headersOf(head);
  if (!headers) return malformed("a part has headers that are malformed or repeated");
  const disposition = headerParameters(headers.get("content-disposition") ?? "");
  const name = disposition?.parameters.get("name");
  if (disposition?.value !== "form-data" || name === undefined)
    return malformed("a part has no content-disposition that reads form-data with a name");
  if (!FIELD_NAME.test(name) || name === "_charset_" || disposition.parameters.has("name*"))
    return malformed("a field has a name that is not made of letters, digits and _ . : - [ ]");

  const problem = (why: string): FormProblem => ({ problem: "malformed", field: name, why: `${name} ${why}` });
  const encoding = headers.get("content-transfer-encoding")?.toLowerCase();
  if (encoding !== undefined && !PLAIN_ENCODINGS.has(encoding))
    return problem("is sent with a content-transfer-encoding; send its bytes as they are");
  const contentType = headers.get("content-type") ?? null;
  const type = contentType === null ? null : headerParameters(contentType);
  if (contentType !== null && (!type || type.value.startsWith("multipart/") || !/^[\x20-\x7e]+$/.test(contentType)))
    return problem("has a content-type that a field of a form cannot have");

  const filename = filenameOf(disposition.parameters);
  // Without one, some parsers take a file for text.
  if (filename === "") return problem("is a file without a usable name; give it one");
  if (filename !== null) return { name, file: { filename, contentType }, bytes };
  const charset = type?.parameters.get("charset")?.toLowerCase() ?? "utf-8";
  if ((charset !== "utf-8" && charset !== "us-ascii") || !isUtf8(bytes)) return problem("is not UTF-8 text");
  return { name, file: null, bytes };
}

/** The headers of a part by lower-case name; null when one is malformed, folded over lines or repeated. */
function headersOf(head: Buffer): ReadonlyMap<string, string> | null {
  if (!isUtf8(head)) return null;
  const headers = new Map<string, string>();
  for (const line of head.toString("utf8").split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /\p{Cc}/u.test(line) || headers.has(name)) return null;
    headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}

/**
 * The name of a part's file: null when it is none, empty when it has none that can be read. .NET writes it twice, the
 * second time (`filename*`, RFC 5987) in full.
 */
function filenameOf(parameters: ReadonlyMap<string, string>): string | null {
  const extended = parameters.get("filename*");
  if (extended === undefined) return parameters.get("filename") ?? null;
  const encoded = /^utf-8'[\w-]*'(.+)$/i.exec(extended)?.[1] ?? "";
  try {
    const decoded = decodeURIComponent(encoded);
    return /\p{Cc}/u.test(decoded) ? "" : decoded;
  } catch {
    return "";
  }
}

function malformed(why: string): FormProblem {
  return { problem: "malformed", field: null, why: `The form cannot be read: ${why}.` };
}
