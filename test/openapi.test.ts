// The OpenAPI document and the reference page: complete, true to the schemas, explained, and for anybody to read.
import { env as bindings } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { adminApi } from "../src/admin/index.ts";
import { type OpenApi, openApiDocument } from "../src/admin/openapi/document.ts";
import { PATH_PARAMETERS } from "../src/admin/openapi/glossary.ts";
import { OPERATIONS } from "../src/admin/openapi/groups.ts";
import type { Named } from "../src/admin/openapi/operation.ts";
import type { JsonSchema } from "../src/admin/openapi/schemas.ts";
import type { Env } from "../src/env.ts";
import { send } from "./admin-world.ts";
import { deviationOf, problemWith } from "./conforms.ts";

const env = bindings as unknown as Env;
const api: OpenApi = openApiDocument();
const each = OPERATIONS.map((operation) => ({ ...operation, name: `${operation.method} ${operation.path}` }));

describe("the document has what the API offers, no more and no less", () => {
  // Handlers of all methods are middleware, and what answers 404.
  const offered = adminApi.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => {
      const below = path.replaceAll(/:(\w+)/g, "{$1}").replace(/\/$/, "");
      return `${method.toLowerCase()} /admin/api${below}`;
    });
  const documented = each.filter(({ path }) => path.startsWith("/admin/api")).map(({ name }) => name);

  it("every route is an operation: add what is named here to a file in src/admin/openapi/groups/", () => {
    expect(offered.length).toBeGreaterThan(20);
    expect([...new Set(offered)].filter((route) => !documented.includes(route))).toEqual([]);
  });

  it("every operation is a route: take what is named here out of src/admin/openapi/groups/", () => {
    expect(documented.filter((route) => !offered.includes(route))).toEqual([]);
  });

  it("no operation is there twice, by name or by path", () => {
    expect(new Set(each.map(({ id }) => id)).size).toBe(each.length);
    expect(new Set(each.map(({ name }) => name)).size).toBe(each.length);
  });
});

describe("examples", () => {
  const accepts = (named: Named, value: unknown) =>
    Object.values(named).some((schema) => (schema as z.ZodType).safeParse(value).success);
  const shown = (schema: JsonSchema | undefined, value: unknown) => problemWith(schema ?? {}, value);

  it.each(each.filter(({ body }) => body))("of a body pass the schema that validates the call: $name", (operation) => {
    const { body, method, path } = operation;
    expect(accepts(body?.schema ?? {}, body?.example)).toBe(true);
    const content = api.paths[path]?.[method]?.requestBody?.content["application/json"];
    expect(shown(content?.schema, body?.example)).toBeNull();
  });

  it.each(each)("of answers and problems pass their own schemas: $name", ({ answer, method, path }) => {
    if ("schema" in answer) expect(accepts(answer.schema, answer.example)).toBe(true);
    for (const { content } of Object.values(api.paths[path]?.[method]?.responses ?? {}))
      for (const { schema, example, examples = {} } of Object.values(content ?? {})) {
        if (example !== undefined) expect(shown(schema, example)).toBeNull();
        for (const code of Object.keys(examples))
          expect(shown(schema, api.components.examples[code]?.value)).toBeNull();
      }
  });

  it("of a path name every part of it", () => {
    for (const { path, parameters = {}, name } of each)
      for (const [, part = ""] of path.matchAll(/\{(\w+)\}/g))
        expect(parameters[part] ?? PATH_PARAMETERS[part], `${name}: {${part}}, in glossary.ts`).toBeDefined();
  });
});

describe("what a caller fills in is explained", () => {
  it.each(each)("each parameter: glossary.ts lacks what is named here: $name", ({ method, path }) => {
    const parameters = api.paths[path]?.[method]?.parameters ?? [];
    expect(parameters.filter(({ description }) => !description).map(({ name }) => name)).toEqual([]);
  });

  it.each(each.filter(({ body }) => body))("each field: fields.ts lacks what is named here: $name", (operation) => {
    const { method, path } = operation;
    const content = api.paths[path]?.[method]?.requestBody?.content["application/json"];
    expect(unexplained(content?.schema ?? {})).toEqual([]);
  });

  function unexplained(schema: unknown, seen = new Set<string>()): string[] {
    if (typeof schema !== "object" || schema === null) return [];
    return Object.entries(schema).flatMap(([keyword, inner]) => {
      if (keyword === "$ref") {
        const name = String(inner).replace("#/components/schemas/", "");
        if (seen.has(name)) return [];
        return unexplained(api.components.schemas[name], seen.add(name));
      }
      if (keyword !== "properties") return unexplained(inner, seen);
      return Object.entries(inner as Record<string, JsonSchema>).flatMap(([name, property]) => [
        ...(property.description ? [] : [name]),
        ...unexplained(property, seen),
      ]);
    });
  }
});

describe("answers are held against it in every test of the API", () => {
  const policy = api.paths["/admin/api/orgs/{org}/policy"]?.get?.responses[200]?.content?.["application/json"]?.example;
  const spoken = { method: "GET", path: "/orgs/acme/policy", status: 200, type: "application/json" };

  it("as documented is fine, and so is a path that is none", () => {
    expect(deviationOf({ ...spoken, text: JSON.stringify(policy) })).toBeNull();
    expect(deviationOf({ ...spoken, path: "/nothing", status: 404, text: "" })).toBeNull();
  });

  it.each([
    ["a status", { status: 202 }, {}],
    ["a media type", { type: "text/plain" }, {}],
    ["a field too many", {}, { more: 1 }],
    ["a field of another type", {}, { revision: "7" }],
    ["a field of a component", {}, { policy: { enabled: true } }],
  ])("otherwise is told: %s", (_, change, fields) => {
    const text = JSON.stringify({ ...(policy as object), ...fields });
    expect(deviationOf({ ...spoken, text, ...change })).toContain("readPolicy");
  });

  it("a code that the call does not have is told", () => {
    const problem = { type: "urn:portcullis:problem:x", title: "", status: 404, code: "conflict", detail: "" };
    const type = "application/problem+json";
    expect(deviationOf({ ...spoken, status: 404, type, text: JSON.stringify(problem) })).toContain("readPolicy");
  });
});

describe("anybody may read it", () => {
  it("as JSON, without a token, even where a variable is malformed", async () => {
    const { status, body } = await send({ ...env, CONFIG_TTL_SECONDS: "soon" } as Env, "/openapi.json");
    expect(status).toBe(200);
    expect(body).toEqual(JSON.parse(JSON.stringify(api)));
    expect(body.openapi).toMatch(/^3\.1\./);
  });

  it("as a page, which loads nothing from elsewhere and runs nothing of its own", async () => {
    const { status, text, headers } = await send(env, "/docs");
    expect(status).toBe(200);
    const policy = headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(text).not.toMatch(/<script(?![^>]* src="\/settings\/assets\/)|<style|\son\w+=|style="/);
    expect(
      [...text.matchAll(/(?:src|href|action)="([^"]*)"/g)].filter(([, url = ""]) => !/^[/#]|^data:/.test(url)),
    ).toEqual([]);
  });

  it("and the page has every call, every code and every component, each where its links lead", async () => {
    const { text } = await send(env, "/docs");
    for (const { id, path } of OPERATIONS) {
      expect(text).toContain(`id="${id}"`);
      expect(text).toContain(path);
    }
    const ids = new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    const targets = [...text.matchAll(/href="#([^"]+)"/g)].map(([, target]) => target);
    expect(targets.filter((target) => !ids.has(target))).toEqual([]);
    for (const name of Object.keys(api.components.schemas)) expect(ids).toContain(`schema-${name}`);
  });

  it("and neither holds a secret of the installation", async () => {
    const secret = "a-secret-of-the-installation-0123456789";
    const secrets = {
      OPERATOR_TOKEN: secret,
      CREDENTIALS_KEY: secret,
      AUDIT_SIGNING_KEY: secret,
      OPENAI_API_KEY: secret,
    };
    for (const path of ["/openapi.json", "/docs"])
      expect((await send({ ...env, ...secrets } as Env, path)).text).not.toContain(secret);
  });

  it("with a GET alone: anything else asks who is there", async () => {
    for (const path of ["/openapi.json", "/docs"]) expect((await send(env, path, { method: "POST" })).status).toBe(401);
  });
});
