// What is wrong with what somebody sent is said in words of ours: the validation engine's own are for programmers.
import { env as bindings } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { checkGiven } from "../src/admin/field-words.ts";
import { OPERATIONS } from "../src/admin/openapi/groups.ts";
import type { Operation } from "../src/admin/openapi/operation.ts";
import type { Env } from "../src/env.ts";
import { type AdminWorld, type Answer, type Asked, made, openAdminWorld } from "./admin-world.ts";

const ENGINE =
  /invalid (input|option|string|key|iso|url|email|discriminator)|too (small|big)|expected|, received|match pattern|\/\^/i;

describe("a field is told", () => {
  it.each<[string, z.ZodType, unknown]>([
    ["is missing", z.string(), undefined],
    ["is missing", z.enum(["a", "b"]), undefined],
    ["must be text", z.string(), 3],
    ["must be text", z.string().nullable(), 3],
    ["must be a number", z.number(), "3"],
    ["must be a whole number", z.number().int(), 1.5],
    ["must be true or false", z.boolean(), "true"],
    ["must be a list", z.array(z.string()), {}],
    ["must be an object", z.strictObject({}), []],
    ["must be an object", z.record(z.string(), z.string()), null],
    ["must not be empty", z.string().min(1), ""],
    ["must have at least 3 characters", z.string().min(3), "a"],
    ["must have at most 2 characters", z.string().max(2), "abc"],
    ["must have at most 1 entries", z.array(z.string()).max(1), ["a", "b"]],
    ["must be at least 180", z.number().min(180), 3],
    ["must be more than 0", z.number().positive(), 0],
    ["must be at most 9", z.number().max(9), 10],
    ["must be less than 9", z.number().lt(9), 9],
    ["must be owner, admin or developer", z.enum(["owner", "admin", "developer"]), "king"],
    ["must be true", z.literal(true), false],
    ["must be an email address", z.email(), "nobody"],
    ["must be an http or https address", z.url({ protocol: /^https?$/ }), "ftp://x"],
    ["must be a day, such as 2027-01-31", z.iso.date(), "soon"],
    ["must be a time in UTC, such as 2027-01-31T00:00:00Z", z.iso.datetime(), "soon"],
    ["does not have the form that it must have", z.string().regex(/^a$/), "b"],
    ["has no field b or c", z.strictObject({}), { b: 1, c: 2 }],
    ["has a name that it must not have", z.record(z.string().max(2), z.string()), { abc: "x" }],
    ["is not valid", z.union([z.strictObject({ a: z.string() }), z.number()]), "x"],
    ["is not valid", z.string().refine(() => false), "x"],
  ])("%s", (words, schema, value) => {
    expect(checkGiven(schema, value).error?.issues.map(({ message }) => message)).toEqual([words]);
  });

  it("its schema's own words, where it has some", () => {
    expect(checkGiven(z.string("must be a name"), 3).error?.issues[0]?.message).toBe("must be a name");
  });
});

const WRONG: readonly unknown[] = [
  undefined,
  null,
  "",
  " ",
  "\u0000",
  "x".repeat(3000),
  -1,
  0.5,
  1e12,
  true,
  [],
  [[]],
  [""],
  {},
  { a: 1 },
];

let world: AdminWorld;
let env: Env;
let keyId: string;
let webhookId: string;
beforeAll(async () => {
  env = { ...(bindings as unknown as Env) };
  world = await openAdminWorld();
  keyId = (await made(world.ask("owner", "POST", "/keys", { body: { project: "web", name: "first" } }))).body.id;
  const webhook = { body: { url: "https://siem.example/in" } };
  webhookId = (await made(world.ask("owner", "POST", "/webhooks", webhook))).body.id;
});

function send({ method, path, who, ifMatch }: Operation, query: string, asked: Asked) {
  const ids: Record<string, string> = {
    org: world.org,
    project: "web",
    provider: "openai",
    email: "owner@acme.example",
  };
  const id = path.includes("/webhooks/") ? webhookId : keyId;
  const address = path
    .replace("/admin/api", "")
    .replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? (name === "id" ? id : "1"));
  const headers = ifMatch ? { "if-match": '"999"' } : {};
  return world.call(who === "operator" ? "operator" : "owner", method.toUpperCase(), address + query, {
    ...asked,
    headers,
    env,
  });
}

/** Each field of an object with each wrong value, as deep as the example goes. */
function spoiled(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.slice(0, 1).flatMap((item) => spoiled(item).map((each) => [each]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) =>
    [...WRONG, ...spoiled(field)].map((each) => ({ ...value, [name]: each })),
  );
}

describe.each(OPERATIONS.filter(({ body, query }) => body || query))("$id", (operation) => {
  it("answers a wrong body and a wrong query in words", async () => {
    const { body, query } = operation;
    const bodies = body ? [...WRONG.slice(1), ...spoiled(body.example)] : [];
    const queries = Object.keys(query?.shape ?? {}).flatMap((name) =>
      ["", " ", "nonsense!", "x".repeat(3000), "-1"].map((value) => `?${new URLSearchParams({ [name]: value })}`),
    );
    const answers: Answer[] = [];
    for (const each of bodies) answers.push(await send(operation, "", { body: JSON.stringify(each) }));
    for (const each of queries) answers.push(await send(operation, each, body ? { body: body.example } : {}));
    const refusals = answers.filter(({ status }) => status === 400);
    expect(refusals.length).toBeGreaterThan(0);
    for (const { text } of refusals) expect(text).not.toMatch(ENGINE);
    for (const { status } of answers) expect(status).not.toBe(500);
  });
});
