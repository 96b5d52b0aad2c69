// A JSON Schema as the reference page says it: its fields one by one, each with its form in words. Pure.
import type { JsonSchema } from "../openapi/schemas.ts";

export interface Field {
  /** Where it is, such as `providers.allow` or `data[].id`. */
  path: string;
  required: boolean;
  form: Form;
  description: string | undefined;
}

/** What may stand there: words, and the components that are meant. */
export interface Form {
  words: string;
  components: string[];
}

/** The fields of an object, with those of the objects within it that have no name of their own. */
export function fieldsOf(schema: JsonSchema, path = ""): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const at = path === "" ? name : `${path}.${name}`;
    const required = schema.required?.includes(name) ?? false;
    const field = { path: at, required, form: formOf(property), description: property.description };
    return [field, ...fieldsWithin(property, at)];
  });
}

function fieldsWithin(schema: JsonSchema, path: string): Field[] {
  if (schema.items) return fieldsWithin(schema.items, `${path}[]`);
  const branches = schema.anyOf ?? [];
  return [...fieldsOf(schema, path), ...branches.flatMap((branch) => fieldsWithin(branch, path))];
}

/** "text, 1 to 100 characters", "list of at most 1000: text", "Policy or null". */
export function formOf(schema: JsonSchema): Form {
  if (schema.$ref !== undefined) {
    const name = componentOf(schema.$ref);
    return { words: name, components: [name] };
  }
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return joined(either.map(formOf), " or ");
  if (schema.items) {
    const each = formOf(schema.items);
    const most = schema.maxItems === undefined ? "list of" : `list of at most ${schema.maxItems}:`;
    return { ...each, words: `${most} ${each.words}` };
  }
  return { words: [kindOf(schema), ...limitsOf(schema)].join(", "), components: [] };
}

/** The name at the end of a reference. */
export function componentOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}

function joined(forms: Form[], between: string): Form {
  return { words: forms.map(({ words }) => words).join(between), components: forms.flatMap((each) => each.components) };
}

const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  boolean: "true or false",
  object: "object",
  null: "null",
  integer: "whole number",
  number: "number",
};

const FORMATS: Readonly<Record<string, string>> = {
  "date-time": "time (RFC 3339)",
  date: "day (YYYY-MM-DD)",
  email: "email address",
  uri: "URL",
};

function kindOf({ type, format, enum: values, const: value }: JsonSchema): string {
  if (value !== undefined) return JSON.stringify(value);
  if (Array.isArray(values)) return values.length === 1 ? String(values[0]) : `one of ${values.join(", ")}`;
  if (typeof format === "string" && FORMATS[format] !== undefined) return FORMATS[format];
  const kinds = [type ?? []].flat().map((kind) => KINDS[kind] ?? kind);
  return kinds.join(" or ") || "anything";
}

function limitsOf({
  minLength,
  maxLength,
  minimum,
  maximum,
  exclusiveMinimum,
  pattern,
  ...rest
}: JsonSchema): string[] {
  const characters = range(minLength, maxLength);
  const values = range(minimum, maximum);
  return [
    ...(characters === null ? [] : [`${characters} characters`]),
    ...(values === null ? [] : [values]),
    ...(exclusiveMinimum === undefined ? [] : [`more than ${exclusiveMinimum}`]),
    ...(rest.default === undefined ? [] : [`${JSON.stringify(rest.default)} unless given`]),
    ...(pattern === undefined ? [] : [`like ${pattern}`]),
  ];
}

function range(least: unknown, most: unknown): string | null {
  if (least === undefined && most === undefined) return null;
  if (most === undefined) return `at least ${least}`;
  return least === undefined ? `at most ${most}` : `${least} to ${most}`;
}
