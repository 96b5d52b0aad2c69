// Forms as clients write them, and as a provider reads them: with the runtime's own parser, which is not the gateway's.
import { Buffer } from "node:buffer";
import type { JournalEntry } from "./provider-stand-in.ts";

export const BOUNDARY = "----client-boundary";
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

type Content = string | Uint8Array;
export type RawPart = [head: string, content: Content];

/** A form, byte for byte: each part its headers and its content. */
export function rawForm(...parts: readonly RawPart[]): Uint8Array {
  const pieces = parts.flatMap(([head, content]) => [`--${BOUNDARY}\r\n${head}\r\n\r\n`, content, "\r\n"]);
  return Buffer.concat([...pieces, `--${BOUNDARY}--\r\n`].map((piece) => Buffer.from(piece as string)));
}

/** A text field, as a part of {@link rawForm}. */
export const field = (name: string, content: Content): RawPart => [
  `Content-Disposition: form-data; name="${name}"`,
  content,
];

/** A file, as a part of {@link rawForm}. */
export const file = (name: string, filename: string, content: Content, type = "audio/mpeg"): RawPart => [
  `Content-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: ${type}`,
  content,
];

/** The fields of a body, spelled as the OpenAI SDK spells nested values in a form. */
export function fieldsOf(body: Record<string, unknown>): [name: string, value: string][] {
  const spell = (name: string, value: unknown): [string, string][] => {
    if (Array.isArray(value)) return value.flatMap((each) => spell(`${name}[]`, each));
    if (typeof value !== "object" || value === null) return [[name, String(value)]];
    return Object.entries(value).flatMap(([key, each]) => spell(`${name}[${key}]`, each));
  };
  return Object.entries(body).flatMap(([name, value]) => spell(name, value));
}

export interface ReadFile {
  filename: string;
  type: string;
  text: string;
}

/** What a provider reads in a form that reached it. */
export async function readAtProvider({ body, headers }: JournalEntry): Promise<[string, string | ReadFile][]> {
  const type = String(headers["content-type"]);
  const form = await new Response(Buffer.from(body, "base64"), { headers: { "content-type": type } }).formData();
  return Promise.all(
    [...form].map(
      async ([name, value]): Promise<[string, string | ReadFile]> => [
        name,
        typeof value === "string" ? value : { filename: value.name, type: value.type, text: await value.text() },
      ],
    ),
  );
}
