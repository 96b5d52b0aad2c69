// The OpenAPI 3.1 document, made of the operations and the schemas that validate their calls.
import { version } from "../../../package.json";
import { TITLES } from "../problem.ts";
import { PERMISSIONS } from "../roles.ts";
import { curlOf } from "./curl.ts";
import { PATH_PARAMETERS, parameterMeaning } from "./glossary.ts";
import { GROUPS, OPERATIONS } from "./groups.ts";
import type { Named, Operation } from "./operation.ts";
import { PROBLEMS, ProblemDetails, problemsOf } from "./problems.ts";
import { type JsonSchema, type Schemas, schemasWith } from "./schemas.ts";

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required: boolean;
  description?: string;
  schema: JsonSchema;
  example?: unknown;
}

export interface Content {
  schema: JsonSchema;
  example?: unknown;
  examples?: Record<string, { $ref: string }>;
  /** What each line of a text is. */
  "x-lines"?: JsonSchema;
}

export interface Answered {
  description: string;
  headers?: Record<string, { description: string; schema: JsonSchema }>;
  content?: Record<string, Content>;
}

export interface DocumentedOperation {
  operationId: string;
  summary: string;
  description?: string;
  tags: [string];
  security: Record<string, never[]>[];
  "x-who-may": string;
  "x-codeSamples": [{ lang: string; source: string }];
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Record<string, Content> };
  responses: Record<string, Answered>;
}

export interface OpenApi {
  openapi: "3.1.1";
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  paths: Record<string, Partial<Record<Operation["method"], DocumentedOperation>>>;
  components: {
    schemas: Record<string, JsonSchema>;
    /** By the code of the problem. */
    examples: Record<string, { value: { title: string; detail: string } }>;
    securitySchemes: Record<string, object>;
  };
}

const DESCRIPTION = `Manages organizations, their policy on model providers, and the record of what it blocked.

Send an admin token as \`Authorization: Bearer\`. Times are RFC 3339 in UTC. Lists are \`{ data, next_cursor }\`. A body has at most 1 MiB, and a field that is not named here is refused. Problems are \`application/problem+json\` (RFC 9457) with a \`code\` that never changes; texts may.`;

let made: OpenApi | undefined;

/** The document; made once per isolate. */
export function openApiDocument(): OpenApi {
  made ??= makeDocument();
  return made;
}

function makeDocument(): OpenApi {
  const named = OPERATIONS.flatMap(({ body, answer }) => [body?.schema ?? {}, ...schemasOf(answer)]);
  const schemas = schemasWith([{ ProblemDetails }, ...named]);
  schemas.of(ProblemDetails, "output");
  const paths: OpenApi["paths"] = {};
  for (const { title, operations } of GROUPS)
    for (const operation of operations)
      paths[operation.path] = {
        ...paths[operation.path],
        [operation.method]: documented(operation, { tag: title, schemas }),
      };
  return {
    openapi: "3.1.1",
    info: { title: "Portcullis admin API", version, description: DESCRIPTION },
    servers: [{ url: "/" }],
    tags: GROUPS.map(({ title, description }) => ({ name: title, description })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas.components).sort(([a], [b]) => (a < b ? -1 : 1))),
      examples: problemExamples(),
      securitySchemes: { adminToken: { type: "http", scheme: "bearer", description: "An admin token." } },
    },
  };
}

function documented(operation: Operation, { tag, schemas }: { tag: string; schemas: Schemas }): DocumentedOperation {
  const { id, summary, details, who, body, answer } = operation;
  const parameters = parametersOf(operation, schemas);
  return {
    operationId: id,
    summary,
    ...(details !== undefined && { description: details }),
    tags: [tag],
    security: who === "anybody" ? [] : [{ adminToken: [] }],
    "x-who-may": whoMay(operation),
    "x-codeSamples": [{ lang: "Shell", source: curlOf(operation, parameters) }],
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: !body.optional,
        content: { "application/json": { schema: oneOf(body.schema, "input", schemas), example: body.example } },
      },
    }),
    responses: { ...successOf(answer, schemas), ...failuresOf(operation) },
  };
}

function whoMay({ who, also }: Operation): string {
  const roles = who === "anybody" || who === "operator" ? who : PERMISSIONS[who].join(", ");
  const sentence = `${roles.charAt(0).toUpperCase()}${roles.slice(1)}.`;
  return also === undefined ? sentence : `${sentence} ${also}`;
}

function parametersOf({ id, path, parameters = {}, query, ifMatch }: Operation, schemas: Schemas): Parameter[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]): Parameter => {
    const { description, example } = parameters[name] ?? PATH_PARAMETERS[name] ?? { description: "", example: "" };
    return { name, in: "path", required: true, description, schema: { type: "string" }, example };
  });
  const asked = query ? schemas.of(query, "input") : {};
  const inQuery = Object.entries(asked.properties ?? {}).map(([name, schema]): Parameter => {
    const description = parameterMeaning(name, id);
    const required = asked.required?.includes(name) ?? false;
    return { name, in: "query", required, ...(description !== undefined && { description }), schema };
  });
  const header: Parameter = {
    name: "If-Match",
    in: "header",
    required: ifMatch === "required",
    description: "The revision that the change is based on, in quotation marks, as the ETag of a read has it.",
    schema: { type: "string", pattern: '^(W/)?"[1-9]\\d{0,14}"$' },
    example: '"7"',
  };
  return [...inPath, ...inQuery, ...(ifMatch ? [header] : [])];
}

const HEADERS = {
  etag: { description: "The revision, in quotation marks.", schema: { type: "string" } },
  location: { description: "Where the new thing is.", schema: { type: "string" } },
};

function successOf(answer: Operation["answer"], schemas: Schemas): Record<string, Answered> {
  if ("empty" in answer) return { 204: { description: "Done; there is nothing to say." } };
  if ("texts" in answer) {
    const content = Object.entries(answer.texts).map(([type, { description, lines }]): [string, Content] => [
      type,
      {
        schema: { type: "string", description },
        ...(lines && { "x-lines": oneOf(lines, "output", schemas) }),
      },
    ]);
    return { 200: { description: "As asked for.", content: Object.fromEntries(content) } };
  }
  const { status = 200, schema, example, headers = [] } = answer;
  return {
    [status]: {
      description: status === 201 ? "Made." : "Done.",
      ...(headers.length > 0 && { headers: Object.fromEntries(headers.map((name) => [name, HEADERS[name]])) }),
      content: { "application/json": { schema: oneOf(schema, "output", schemas), example } },
    },
  };
}

function failuresOf(operation: Operation): Record<string, Answered> {
  const each = [...problemsOf(operation)].map(([status, codes]): [string, Answered] => [
    String(status),
    {
      description: codes.map((code) => TITLES[code]).join("; "),
      content: {
        "application/problem+json": {
          schema: {
            $ref: "#/components/schemas/ProblemDetails",
            properties: { status: { const: status }, code: { enum: codes } },
          },
          examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
        },
      },
    },
  ]);
  return Object.fromEntries(each);
}

/** Each problem that a call may be answered with, once. */
function problemExamples(): OpenApi["components"]["examples"] {
  const all = OPERATIONS.flatMap((operation) => [...problemsOf(operation)]);
  const each = all.flatMap(([status, codes]) =>
    codes.map((code) => {
      const type = `urn:portcullis:problem:${code}`;
      return [code, { value: { type, title: TITLES[code], status, code, detail: PROBLEMS[code] } }] as const;
    }),
  );
  return Object.fromEntries(each);
}

function oneOf(named: Named, io: "input" | "output", schemas: Schemas): JsonSchema {
  const all = Object.values(named).map((schema) => schemas.of(schema, io));
  const [only] = all;
  return all.length === 1 && only ? only : { oneOf: all };
}

function schemasOf(answer: Operation["answer"]): Named[] {
  if ("schema" in answer) return [answer.schema];
  return "texts" in answer ? Object.values(answer.texts).map(({ lines }) => lines ?? {}) : [];
}
