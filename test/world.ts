// A gateway to test against: real KV, D1 and queue of workerd, one organization, and a stand-in for the providers.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { inject } from "vitest";
import type { Catalog } from "../src/catalog/schema.ts";
import type { StoredPolicy } from "../src/compliance/policy.ts";
import { DISABLED_POLICY } from "../src/compliance/policy.ts";
import type { Env } from "../src/env.ts";
import { gateway } from "../src/gateway/index.ts";
import { kvKeys, type OrgRecord } from "../src/store/records.ts";
import { firstRecord } from "../src/store/revisions.ts";
import { API_KEY_PREFIX, hashSecret, newSecret } from "../src/store/secrets.ts";
import type { Behaviour, JournalEntry } from "./provider-stand-in.ts";
import { replacing } from "./replacing.ts";
import { shippedCatalog } from "./shipped-catalog.ts";

export { replacing };

export interface World {
  env: Env;
  key: string;
  org: string;
  /** Calls the gateway with the world's key and waits for what it does after its answer. */
  call(path: string, init?: RequestInit): Promise<Response>;
  /** The same, without that wait: `settled` is what comes after the answer. */
  begin(path: string, init?: RequestInit): { response: Promise<Response>; settled: () => Promise<void> };
  /** Posts a chat completion. */
  chat(body: Record<string, unknown>, init?: RequestInit): Promise<Response>;
  /** Puts a record for the organization at the edge. */
  publish(change: Partial<OrgRecord>): Promise<void>;
  /** Puts a catalog in force at the edge. */
  publishCatalog(catalog: Catalog): Promise<void>;
  /** From here on a new isolate, which remembers nothing, with some bindings or variables changed. */
  restart(change?: Partial<Env>): void;
  journal(): Promise<JournalEntry[]>;
  /** The providers that were called, in order. */
  called(): Promise<string[]>;
  behave(provider: string, behaviour: Behaviour | null): Promise<void>;
  /** The events that are in D1. */
  events(): Promise<Record<string, unknown>[]>;
}

/** A policy that is on, with these rules. */
export const policyOf = (rules: Partial<StoredPolicy>): StoredPolicy => ({
  ...DISABLED_POLICY,
  enabled: true,
  ...rules,
});

/** KV of which each read is decided by `get`, which may call `read` for what is really there. */
export function readingBy(
  kv: KVNamespace,
  get: (key: string, read: () => Promise<string | null>) => Promise<string | null>,
): KVNamespace {
  const method = (key: string) => get(key, () => kv.get(key, "text"));
  return replacing(kv, { get: method as unknown as KVNamespace["get"] });
}

/** Posts to a path below /v1: text as it is, anything else as JSON. */
export const post = (world: World, path: string, body: object | string | Uint8Array, headers: HeadersInit = {}) =>
  world.call(`/v1/${path}`, {
    method: "POST",
    body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });

/** The error an answer carries, in OpenAI's shape. */
export async function errorOf(response: Response): Promise<Record<string, unknown>> {
  return { status: response.status, ...((await response.json()) as { error: object }).error };
}

export async function openWorld({
  policy = DISABLED_POLICY,
  catalog = shippedCatalog,
  vars = {},
}: {
  policy?: StoredPolicy;
  catalog?: Catalog;
  vars?: Partial<Env>;
} = {}): Promise<World> {
  const run = crypto.randomUUID();
  const org = `org-${run.slice(0, 8)}`;
  const upstream = `${inject("standIn")}/${run}`;
  const env: Env = { ...(bindings as unknown as Env), SANDBOX_UPSTREAM: upstream, ...vars };
  const key = newSecret(API_KEY_PREFIX);
  const keyRecord = { schema: 1, org, project: "web", key_id: "key_1", expires_at: null };
  await env.CONFIG.put(kvKeys.key(hashSecret(key)), JSON.stringify(keyRecord));

  const world: World = {
    env,
    key,
    org,
    async call(path, init = {}) {
      const { response, settled } = world.begin(path, init);
      const answered = await response;
      await settled();
      return answered;
    },
    begin(path, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has("authorization") && !headers.has("x-api-key")) headers.set("authorization", `Bearer ${key}`);
      const context = createExecutionContext();
      const request = new Request(`http://gateway${path}`, { ...init, headers });
      const response = Promise.resolve(gateway.fetch(request, world.env, context));
      return { response, settled: () => waitOnExecutionContext(context) };
    },
    chat: (body, init = {}) =>
      world.call("/v1/chat/completions", {
        method: "POST",
        body: JSON.stringify({ messages: [{ role: "user", content: "Hi" }], ...body }),
        ...init,
        headers: { "content-type": "application/json", ...init.headers },
      }),
    async publish(change) {
      await env.CONFIG.put(kvKeys.org(org), JSON.stringify({ ...firstRecord(org, policy), ...change }));
    },
    async publishCatalog(next) {
      await env.CONFIG.put(kvKeys.catalogVersion(next.version), JSON.stringify({ schema: 1, ...next }));
      await env.CONFIG.put(kvKeys.catalog, JSON.stringify({ version: next.version }));
    },
    restart(change = {}) {
      world.env = { ...world.env, ...change };
    },
    called: async () => (await world.journal()).map(({ provider }) => provider),
    journal: async () => (await fetch(`${upstream}/__journal`)).json(),
    async behave(provider, behaviour) {
      const init = behaviour ? { method: "PUT", body: JSON.stringify(behaviour) } : { method: "DELETE" };
      await fetch(`${upstream}/__behaviour/${provider}`, init);
    },
    async events() {
      const { results } = await env.DB.prepare("SELECT event FROM security_events WHERE org = ? ORDER BY id")
        .bind(org)
        .all<{ event: string }>();
      return results.map(({ event }) => JSON.parse(event));
    },
  };
  await world.publish({});
  await world.publishCatalog(catalog);
  return world;
}
