// An organization to administer in tests: the real admin API on workerd's D1 and KV, made through its own calls.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { Hono } from "hono";
import { adminApi } from "../src/admin/index.ts";
import { DISABLED_POLICY, type StoredPolicy } from "../src/compliance/policy.ts";
import type { Env } from "../src/env.ts";
import { kvKeys, OrgRecord } from "../src/store/records.ts";
import { deviationOf } from "./conforms.ts";
import { shippedCatalog } from "./shipped-catalog.ts";

const app = new Hono<{ Bindings: Env }>().route("/admin/api", adminApi);

export type Caller = "operator" | "owner" | "admin" | "developer" | "nobody";
export type Plan = "free" | "pro" | "enterprise";

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into many shapes of JSON.
  body: any;
  text: string;
}

export interface Asked {
  body?: unknown;
  headers?: Record<string, string>;
  /** Bindings in place of the organization's own. */
  env?: Env;
}

export interface AdminWorld {
  env: Env;
  org: string;
  tokens: Record<Exclude<Caller, "nobody">, string>;
  /** Calls a path below /admin/api and waits for what the Worker does after its answer. */
  call(by: Caller, method: string, path: string, asked?: Asked): Promise<Answer>;
  /** The same below /admin/api/orgs/<org>. */
  ask(by: Caller, method: string, path: string, asked?: Asked): Promise<Answer>;
  savePolicy(by: Caller, policy: StoredPolicy, base: number, asked?: Asked): Promise<Answer>;
  setPlan(plan: Plan): Promise<void>;
  /** What the edge holds. */
  atEdge(): Promise<OrgRecord>;
}

/** Sends a request to the admin API; throws when the answer is none that the OpenAPI document has. */
export async function send(env: Env, path: string, init: RequestInit = {}): Promise<Answer> {
  const context = createExecutionContext();
  const response = await app.fetch(new Request(`https://portcullis.test/admin/api${path}`, init), env, context);
  const text = new TextDecoder().decode(await response.arrayBuffer());
  await waitOnExecutionContext(context);
  const { status, headers } = response;
  const type = headers.get("content-type") ?? "";
  const deviation = deviationOf({ method: init.method ?? "GET", path, status, type, text });
  if (deviation !== null) throw new Error(deviation);
  const isJson = /[/+]json/.test(type);
  return { status, headers, text, body: isJson ? JSON.parse(text) : null };
}

/** Opens an organization with an owner, an admin and a developer. Its catalog is the shipped one. */
export async function openAdminWorld({
  plan = "enterprise",
  policy = DISABLED_POLICY,
}: {
  plan?: Plan;
  policy?: StoredPolicy;
} = {}): Promise<AdminWorld> {
  const env: Env = { ...(bindings as unknown as Env) };
  const org = `org-${crypto.randomUUID().slice(0, 8)}`;
  const tokens = { operator: env.OPERATOR_TOKEN ?? "", owner: "", admin: "", developer: "" };

  const world: AdminWorld = {
    env,
    org,
    tokens,
    call(by, method, path, { body, headers = {}, env: other = env } = {}) {
      return send(other, path, {
        method,
        headers: {
          ...(by !== "nobody" && { authorization: `Bearer ${tokens[by]}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
    },
    ask: (by, method, path, asked) => world.call(by, method, `/orgs/${org}${path}`, asked),
    savePolicy: (by, body, base, asked = {}) =>
      world.ask(by, "PUT", "/policy", { ...asked, body, headers: { "if-match": `"${base}"`, ...asked.headers } }),
    async setPlan(to) {
      await made(world.ask("operator", "PATCH", "", { body: { plan: to } }));
    },
    async atEdge() {
      return OrgRecord.parse(JSON.parse((await env.CONFIG.get(kvKeys.org(org))) ?? "null"));
    },
  };

  await made(world.call("operator", "PUT", "/catalog", { body: shippedCatalog }));
  await made(world.call("operator", "POST", "/orgs", { body: { id: org, name: "Acme", plan, policy } }));
  for (const role of ["owner", "admin", "developer"] as const) {
    const by = role === "owner" ? "operator" : "owner";
    await made(world.ask(by, "PUT", `/members/${role}@acme.example`, { body: { role } }));
    tokens[role] = (await made(world.ask(by, "POST", `/members/${role}@acme.example/tokens`))).body.token;
  }
  return world;
}

/** The answers of a list, page by page, from `path` on, which has a query. */
export async function pagesOf(world: AdminWorld, path: string, by: Caller = "admin"): Promise<Answer[]> {
  const pages: Answer[] = [];
  for (let cursor: string | null = ""; cursor !== null; cursor = pages.at(-1)?.body.next_cursor)
    pages.push(await world.ask(by, "GET", cursor === "" ? path : `${path}&cursor=${cursor}`));
  return pages;
}

/** The answer of a call that must succeed. */
export async function made(answer: Promise<Answer>): Promise<Answer> {
  const { status, text, ...rest } = await answer;
  if (status >= 400) throw new Error(`${status}: ${text}`);
  return { status, text, ...rest };
}
