// A form that is judged, and then made anew: what leaves is written from the parts that were read, so that nothing that
// another parser would read differently ever leaves. Fields and files keep their order, names and bytes.
import { Buffer } from "node:buffer";
import { joined } from "./bytes.ts";
import { type FormPart, type FormProblem, readParts } from "./multipart.ts";

export interface FormBody {
  readonly parts: readonly FormPart[];
  /**
   * What the form says, by member, for judging: text, {@link FILE}, or a list of them where a member stands in several
   * parts or in brackets. `image[]` and `a[b]` are parts of the members `image` and `a`.
   */
  readonly root: Readonly<Record<string, FormValue>>;
}

/** That a part is a file. What it holds and how it is called is nothing to judge by. */
export const FILE = Object.freeze({ file: true });
export type FormValue = string | typeof FILE | readonly (string | typeof FILE)[];

/** Reads a form whose parts `boundary` separates. */
export function readForm(bytes: Uint8Array, boundary: string): FormBody | FormProblem {
  const parts = readParts(bytes, boundary);
  if ("problem" in parts) return parts;
  const members = Map.groupBy(parts, ({ name }) => memberOf(name));
  return { parts, root: Object.fromEntries([...members].map(([member, of]) => [member, sayingOf(member, of)])) };
}

function sayingOf(member: string, parts: readonly FormPart[]): FormValue {
  const [only, ...more] = parts;
  return only?.name === member && more.length === 0 ? contentOf(only) : parts.map(contentOf);
}

/** The member that a field belongs to: `provider` for `provider[only][]`. */
export function memberOf(name: string): string {
  return name.split(/[.[]/, 1)[0] as string;
}

/** The text of a field, or that it is a file. */
export function contentOf({ file, bytes }: FormPart): string | typeof FILE {
  return file ? FILE : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/**
 * The form with some members set to a value (JSON text, as for a JSON body) or, by null, left out; all others as they
 * were. Its separator is new, so that no content can hold it.
 */
export function withFields(
  { parts }: FormBody,
  changes: ReadonlyMap<string, string | null>,
): { body: Uint8Array; contentType: string } {
  const boundary = `----form-${crypto.randomUUID()}`;
  const pieces: Uint8Array[] = [];
  const write = ({ name, file, bytes }: FormPart) => {
    pieces.push(Buffer.from(`--${boundary}\r\n${headOf(name, file)}\r\n\r\n`), bytes, Buffer.from("\r\n"));
  };
  const toSet = new Map<string, FormPart>();
  for (const [name, json] of changes) if (json !== null) toSet.set(name, { name, file: null, bytes: textOf(json) });

  for (const part of parts) {
    const member = memberOf(part.name);
    const change = toSet.get(member);
    if (change) write(change);
    else if (!changes.has(member)) write(part);
    toSet.delete(member);
  }
  for (const change of toSet.values()) write(change);
  pieces.push(Buffer.from(`--${boundary}--\r\n`));
  return { body: joined(pieces), contentType: `multipart/form-data; boundary=${boundary}` };
}

function headOf(name: string, file: FormPart["file"]): string {
  const disposition = `Content-Disposition: form-data; name="${name}"`;
  if (!file) return disposition;
  const head = `${disposition}; filename="${file.filename.replace(/["\\]/g, encodeURIComponent)}"`;
  return file.contentType === null ? head : `${head}\r\nContent-Type: ${file.contentType}`;
}

/** What a form says for a value that JSON writes. */
function textOf(json: string): Uint8Array {
  const value: unknown = JSON.parse(json);
  return Buffer.from(typeof value === "string" ? value : json);
}
