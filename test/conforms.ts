// Holds answers of the admin API against its OpenAPI document: status, media type and body must be as it says.
import { Validator } from "@cfworker/json-schema";
import { type Content, type DocumentedOperation, openApiDocument } from "../src/admin/openapi/document.ts";
import type { JsonSchema } from "../src/admin/openapi/schemas.ts";

const PREFIX = "/admin/api";

export interface Spoken {
  method: string;
  /** Below /admin/api, with or without a query. */
  path: string;
  status: number;
  type: string;
  text: string;
}

const calls = Object.entries(openApiDocument().paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);
// The most literal path first, as `events/verify` is no event.
const matchers = calls
  .sort((a, b) => a.path.split("{").length - b.path.split("{").length)
  .map((call) => ({ ...call, pattern: new RegExp(`^${call.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`) }));

/** The operation that a call is of, or null where there is none. */
function operationAt(method: string, path: string): DocumentedOperation | null {
  const at = `${PREFIX}${path.split("?")[0]}`.replace(/\/$/, "");
  return matchers.find((each) => each.method === method && each.pattern.test(at))?.operation ?? null;
}

/** What the document does not have of an answer, in words to act on; null when it is as documented. */
export function deviationOf({ method, path, status, type, text }: Spoken): string | null {
  const operation = operationAt(method, path);
  if (!operation) return null;
  const told = (what: string) =>
    `${method} ${path} (${operation.operationId}) ${what}. Say so in its entry in src/admin/openapi/groups/, or mend the handler.`;
  const answered = operation.responses[status];
  if (!answered) return told(`answered ${status}, which is not documented: ${text.slice(0, 200)}`);
  if (!answered.content) return text === "" ? null : told(`answered ${status} with a body, which is not documented`);
  const media = type.split(";")[0] ?? "";
  const content = answered.content[media];
  if (!content) return told(`answered ${status} as "${type}", which is not documented`);
  const wrong = mismatchOf(content, media, text);
  return wrong === null ? null : told(`answered ${status} otherwise than documented: ${wrong}`);
}

/** What is wrong with a value by a schema of the document; null when nothing is. */
export function problemWith(schema: JsonSchema, value: unknown): string | null {
  const { valid, errors } = validatorOf(schema).validate(value);
  if (valid) return null;
  const [deepest] = errors.sort((a, b) => b.instanceLocation.length - a.instanceLocation.length);
  return `${deepest?.instanceLocation} ${deepest?.error}`;
}

function mismatchOf({ schema, "x-lines": lines }: Content, media: string, text: string): string | null {
  if (/[/+]json$/.test(media)) return problemWith(schema, JSON.parse(text));
  if (!lines) return null;
  const wrong = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => problemWith(lines, JSON.parse(line)));
  return wrong.find((each) => each !== null) ?? null;
}

const validators = new Map<JsonSchema, Validator>();

function validatorOf(schema: JsonSchema): Validator {
  const known = validators.get(schema);
  if (known) return known;
  const { components } = openApiDocument();
  const made = new Validator({ allOf: [schema], components } as never, "2020-12");
  validators.set(schema, made);
  return made;
}
