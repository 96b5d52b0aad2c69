// The paper trail behind the request: the consumer that carries events from the queue into D1, and the jobs that keep
// the edge in step with D1.
import { createMessageBatch } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { consumeEvents } from "../src/audit/consumer.ts";
import { repairEdge } from "../src/audit/cron.ts";
import type { Env } from "../src/env.ts";
import { putCatalog } from "../src/store/catalogs.ts";
import type { SecurityEvent } from "../src/store/event.ts";
import { createKey, revokeKey } from "../src/store/keys.ts";
import { createOrg } from "../src/store/orgs.ts";
import { publishOrg } from "../src/store/publish.ts";
import { distrustKeys } from "../src/store/publish-key.ts";
import { kvKeys } from "../src/store/records.ts";
import { newestRevision, type Revision, saveRevision } from "../src/store/revisions.ts";
import { hashSecret } from "../src/store/secrets.ts";
import { eventOf } from "./security-event.ts";
import { smallCatalog } from "./small-catalog.ts";
import { openWorld, policyOf, replacing } from "./world.ts";

const noTraining = policyOf({ requirements: ["no_training"] });
const from = { via: "api", country: null } as const;
const down = () => Promise.reject(new Error("it is down"));
const open = () => openWorld({ policy: noTraining, catalog: smallCatalog });

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Delivers bodies to the consumer: what became of each message, and with which delay. */
async function deliver(env: Env, bodies: unknown[], attempts = 1) {
  const settled = bodies.map((): string | number => "neither");
  const batch = createMessageBatch<unknown>(
    "portcullis-audit",
    bodies.map((body, index) => ({ id: String(index), timestamp: new Date(), attempts, body })),
  );
  const messages = batch.messages.map((message, index) =>
    replacing(message, {
      ack: () => {
        settled[index] = "acked";
      },
      retry: (options) => {
        settled[index] = options?.delaySeconds ?? 0;
      },
    }),
  );
  await consumeEvents(replacing(batch, { messages }), env);
  return settled;
}

describe("the consumer", () => {
  it("stores a batch and acknowledges it", async () => {
    const { env, org, events } = await open();
    const sent = [eventOf(org), eventOf(org, { outcome: "rerouted" }), eventOf(org, { type: "policy.unavailable" })];
    expect(await deliver(env, sent)).toEqual(["acked", "acked", "acked"]);
    const byId = (a: { id?: unknown }, b: { id?: unknown }) => (String(a.id) < String(b.id) ? -1 : 1);
    expect((await events()).toSorted(byId)).toEqual(sent.toSorted(byId));
  });

  it("stores an event once, however often and by whichever path it comes", async () => {
    const { env, org, events } = await open();
    const event = eventOf(org);
    expect(await deliver(env, [event, event])).toEqual(["acked", "acked"]);
    expect(await deliver(env, [event, { ...event, model: "another" }])).toEqual(["acked", "acked"]);
    expect(await events()).toEqual([event]);
  });

  it.each<[string, (event: SecurityEvent) => unknown]>([
    ["no event at all", () => "hello"],
    ["null", () => null],
    ["a field of a newer build", (event) => ({ ...event, residency: "eu" })],
    ["a type of a newer build", (event) => ({ ...event, type: "content.flagged" })],
    ["an id that is none", (event) => ({ ...event, id: "evt_1" })],
  ])("retries what it cannot read instead of dropping it, and stores the rest: %s", async (_, unreadable) => {
    const { env, org, events } = await open();
    const event = eventOf(org);
    expect(await deliver(env, [unreadable(eventOf(org)), event])).toEqual([5, "acked"]);
    expect(await events()).toEqual([event]);
  });

  it("retries a whole batch, each time later, while D1 fails", async () => {
    const { env, org, events } = await open();
    const failing = { ...env, DB: replacing(env.DB, { batch: down }) };
    const delays = [];
    for (const attempts of [1, 2, 3, 10, 100])
      delays.push(await deliver(failing, [eventOf(org), eventOf(org)], attempts));
    expect(delays).toEqual([
      [5, 5],
      [10, 10],
      [20, 20],
      [2560, 2560],
      [3600, 3600],
    ]);
    expect(await events()).toEqual([]);
  });

  it("gets a block into D1 over the real queue when the direct insert failed", { timeout: 15_000 }, async () => {
    const world = await open();
    const { DB } = world.env;
    world.restart({ DB: replacing(DB, { batch: down }) });
    const { error } = await (await world.chat({ model: "leaky/mix" })).json<{
      error: { details: { event_id: string } };
    }>();
    world.restart({ DB });
    await vi.waitFor(
      async () => expect(await world.events()).toMatchObject([{ id: error.details.event_id, org: world.org }]),
      { timeout: 10_000, interval: 100 },
    );
  });
});

describe("the job that repairs the edge", () => {
  /** An organization in D1 with one key, published, beside the world's own. */
  async function openStored() {
    const { env, org: other } = await open();
    const org = `stored-${other.slice(4)}`;
    await createOrg(env, { id: org, name: org, plan: "enterprise", policy: noTraining, from });
    const { id, key } = await createKey(env, { org, project: "web", name: "web", actor: "owner@acme.example" });
    await env.DB.prepare("UPDATE api_keys SET changed_at = '2026-01-01T00:00:00.000Z' WHERE id = ?").bind(id).run();
    await putCatalog(env, { ...smallCatalog, version: `v-${org}` });
    await repairEdge(env);
    const edge = async () => {
      const names = [kvKeys.org(org), kvKeys.key(hashSecret(key)), kvKeys.catalog, kvKeys.catalogVersion(`v-${org}`)];
      return Promise.all(names.map((name) => env.CONFIG.get(name, "text")));
    };
    return { env, org, key, keyId: id, edge };
  }

  it.each<[string, (org: string, key: string) => string[]]>([
    ["an organization's record", (org) => [kvKeys.org(org)]],
    ["a lost organization's keys with it", (org, key) => [kvKeys.org(org), kvKeys.key(hashSecret(key))]],
    ["the catalog's pointer", () => [kvKeys.catalog]],
    ["the catalog itself", (org) => [kvKeys.catalogVersion(`v-${org}`)]],
  ])("puts back %s", async (_, lost) => {
    const { env, org, key, edge } = await openStored();
    const before = await edge();
    expect(before).not.toContain(null);
    for (const name of lost(org, key)) await env.CONFIG.delete(name);
    await repairEdge(env);
    expect(await edge()).toEqual(before);
  });

  it.each<[string, (env: Env, name: string) => Promise<void>]>([
    ["lost", ({ CONFIG }, name) => CONFIG.delete(name)],
    ["made unreadable", ({ CONFIG }, name) => CONFIG.put(name, "garbage")],
  ])("puts back what KV has %s of a key that nobody has changed for long, within 80 minutes", async (_, spoil) => {
    const { env, key } = await openStored();
    const name = kvKeys.key(hashSecret(key));
    const before = await env.CONFIG.get(name, "text");
    await spoil(env, name);
    for (let run = 0; run < 16; run++) await repairEdge(env, Date.now() + run * 300_000);
    expect(before).not.toBeNull();
    expect(await env.CONFIG.get(name, "text")).toBe(before);
  });

  it("carries a revision to the edge whose publish had failed", async () => {
    const { env, org } = await openStored();
    const base = await newestRevision(env, org);
    if (!base) throw new Error("no revision");
    const policy = policyOf({ headquarters: ["FR"] });
    await saveRevision(env, {
      base,
      next: { policy },
      change: "FR only",
      action: "policy.save",
      actor: "a@acme.example",
      from,
    });
    await repairEdge(env);
    expect(JSON.parse((await env.CONFIG.get(kvKeys.org(org), "text")) ?? "")).toMatchObject({ revision: 2, policy });
  });

  it.each<[string, (org: string) => string]>([
    ["an organization's record", (org) => kvKeys.org(org)],
    ["the pointer to the catalog", () => kvKeys.catalog],
    ["the catalog", (org) => kvKeys.catalogVersion(`v-${org}`)],
  ])("replaces what is at the edge and not what D1 has: %s", async (_, name) => {
    const { env, edge, org } = await openStored();
    const before = await edge();
    await env.CONFIG.put(name(org), "garbage");
    await repairEdge(env);
    expect(await edge()).toEqual(before);
  });

  it("carries a key to the edge that was created while KV was down, and removes one revoked then", async () => {
    const { env, org, key, keyId } = await openStored();
    const noEdge = { ...env, CONFIG: replacing(env.CONFIG, { put: down, delete: down }) };
    const created = await createKey(noEdge, { org, project: "web", name: "second", actor: "owner@acme.example" });
    const revoked = await revokeKey(noEdge, { org, id: keyId, actor: "owner@acme.example" });
    expect([created.published, revoked?.inStep]).toEqual([false, false]);
    await repairEdge(env);
    expect(await env.CONFIG.get(kvKeys.key(hashSecret(created.key)), "text")).not.toBeNull();
    expect(await env.CONFIG.get(kvKeys.key(hashSecret(key)), "text")).toBeNull();
  });

  it("removes a revoked key that is still there although D1 did not believe it was", async () => {
    const { env, org, key, keyId } = await openStored();
    await distrustKeys(env, [org]);
    const noEdge = { ...env, CONFIG: replacing(env.CONFIG, { delete: down }) };
    await revokeKey(noEdge, { org, id: keyId, actor: "owner@acme.example" });
    await repairEdge(env);
    expect(await env.CONFIG.get(kvKeys.key(hashSecret(key)), "text")).toBeNull();
  });

  it("leaves no key at the edge that is revoked while it is carried there", async () => {
    const { env, org, key, keyId } = await openStored();
    await distrustKeys(env, [org]);
    let revoked = false;
    const put = async (name: string, value: string) => {
      if (!revoked) {
        revoked = true;
        await revokeKey(env, { org, id: keyId, actor: "owner@acme.example" });
      }
      await env.CONFIG.put(name, value);
    };
    await repairEdge({ ...env, CONFIG: replacing(env.CONFIG, { put: put as unknown as KVNamespace["put"] }) });
    expect(revoked).toBe(true);
    expect(await env.CONFIG.get(kvKeys.key(hashSecret(key)), "text")).toBeNull();
  });

  it("never puts an older revision in the place of one that is saved and published while it looks", async () => {
    const { env, org } = await openStored();
    const puts: { revision: number }[] = [];
    let saved = false;
    const get = async (names: string[], type: "text") => {
      if (names.includes(kvKeys.org(org)) && !saved) {
        saved = true;
        const base = (await newestRevision(env, org)) as Revision;
        await saveRevision(env, { base, next: {}, change: "", action: "policy.save", actor: "a", from });
        await publishOrg(env, org);
      }
      return env.CONFIG.get(names, type);
    };
    const put = async (name: string, value: string) => {
      if (name === kvKeys.org(org)) puts.push(JSON.parse(value));
      await env.CONFIG.put(name, value);
    };
    const CONFIG = replacing(env.CONFIG, { get, put } as unknown as Partial<KVNamespace>);
    await repairEdge({ ...env, CONFIG });
    expect(saved).toBe(true);
    expect(puts.filter(({ revision }) => revision < 2)).toEqual([]);
    expect(JSON.parse((await env.CONFIG.get(kvKeys.org(org), "text")) ?? "")).toMatchObject({ revision: 2 });
  });

  it("writes nothing where all is in step", async () => {
    const { env } = await openStored();
    const put = vi.fn(down);
    await repairEdge({ ...env, CONFIG: replacing(env.CONFIG, { put, delete: put }) });
    expect(put).not.toHaveBeenCalled();
  });

  it("repairs the rest when one thing fails, and fails at the end so that it shows", { timeout: 15_000 }, async () => {
    const { env, org, edge } = await openStored();
    const before = await edge();
    await env.CONFIG.delete(kvKeys.org(org));
    await env.CONFIG.delete(kvKeys.catalog);
    const put = (name: string, value: string) => (name === kvKeys.catalog ? down() : env.CONFIG.put(name, value));
    const noCatalog = { ...env, CONFIG: replacing(env.CONFIG, { put: put as unknown as KVNamespace["put"] }) };
    await expect(repairEdge(noCatalog)).rejects.toThrow("not repaired: catalog");
    expect(await edge()).toEqual(before.map((value, index) => (index === 2 ? null : value)));
  });
});
