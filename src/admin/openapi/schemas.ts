// Zod schemas as JSON Schema 2020-12, which is what OpenAPI 3.1 speaks. Named ones are components, written once.
import * as z from "zod";
import { Mapping, Model, Provider } from "../../catalog/schema.ts";
import { SignedHead } from "../../chain/signed-head.ts";
import { Policy, StoredPolicy } from "../../compliance/policy.ts";
import { DEFAULT_LIMIT, MAX_LIMIT, PAGE_QUERY } from "../api/page.ts";
import { Difference } from "../difference.ts";
import { fieldMeaning } from "./glossary.ts";
import type { Named } from "./operation.ts";

/** What is used of JSON Schema. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  description?: string;
  [keyword: string]: unknown;
}

/** Named although no call takes or answers with them alone. */
const PARTS: Named = {
  Policy: StoredPolicy,
  NewPolicy: Policy,
  SignedHead,
  Difference,
  Provider,
  Model,
  Mapping,
  Evidence: Provider.shape.evidence.shape.soc2.unwrap(),
};

/** Query parameters are text, and some of that text is numbers. */
const NUMBERS_AS_TEXT = new Map<unknown, JsonSchema>([
  [PAGE_QUERY.limit, { type: "integer", minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT }],
]);

export interface Schemas {
  /** The schema of what is taken in or answered, as a reference where it has a name. */
  of(schema: z.ZodType, io: "input" | "output"): JsonSchema;
  /** All that has been referred to. */
  readonly components: Record<string, JsonSchema>;
}

/** Turns schemas into JSON Schema, with `named` and what they share as components. */
export function schemasWith(named: readonly Named[]): Schemas {
  const names = z.registry<{ id: string }>();
  const components: Record<string, JsonSchema> = {};
  for (const each of [PARTS, ...named]) for (const [id, schema] of Object.entries(each)) names.add(schema, { id });

  return {
    components,
    of(schema, io) {
      const { $schema, $defs, ...converted } = z.toJSONSchema(schema, { io, metadata: names, override: simplify });
      for (const [id, definition] of Object.entries($defs ?? {})) define(id, definition as JsonSchema);
      return finished(converted as JsonSchema);
    },
  };

  function define(id: string, { id: _, ...definition }: JsonSchema): void {
    const component = finished(definition, id);
    const known = components[id];
    if (known && JSON.stringify(known) !== JSON.stringify(component))
      throw new Error(`${id} is taken in and answered in two forms: give one of them another name.`);
    components[id] = component;
  }
}

function simplify({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: object }): void {
  const written = NUMBERS_AS_TEXT.get(zodSchema);
  if (written) {
    for (const keyword of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, keyword);
    Object.assign(jsonSchema, written);
  }
  const schema = jsonSchema as JsonSchema;
  // The format says it; what zod checks it by is a screenful.
  if (schema.format !== undefined) delete schema.pattern;
  // Every integer has these bounds.
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
}

/** The schema with references to components, and a description on every field that the glossary knows. */
function finished(schema: JsonSchema, component = ""): JsonSchema {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([keyword, inner]) => [keyword, entry(keyword, inner)]));
  };
  const entry = (keyword: string, inner: unknown): unknown => {
    if (keyword === "$ref" && typeof inner === "string") return inner.replace("#/$defs/", "#/components/schemas/");
    if (keyword !== "properties") return walk(inner);
    return Object.fromEntries(
      Object.entries(inner as Record<string, JsonSchema>).map(([name, property]) => {
        const description = property.description ?? fieldMeaning(name, component);
        return [name, { ...(walk(property) as JsonSchema), ...(description !== undefined && { description }) }];
      }),
    );
  };
  return walk(schema) as JsonSchema;
}
