// Outages by name. Whatever fails: no prompt leaves, the client gets a clear answer in seconds, and what can be
// recorded is.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Env } from "../src/env.ts";
import { kvKeys } from "../src/store/records.ts";
import { firstRecord } from "../src/store/revisions.ts";
import { hashSecret } from "../src/store/secrets.ts";
import { smallCatalog } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, readingBy, type World } from "./world.ts";

const noTraining = policyOf({ requirements: ["no_training"] });
const open = (vars: Partial<Env> = {}) => openWorld({ policy: noTraining, catalog: smallCatalog, vars });
const never = new Promise<never>(() => {});
const down = () => Promise.reject(new Error("the store is down"));
const catalogRecord = { schema: 1, ...smallCatalog };
const allowedBody = JSON.stringify({ model: "mix", messages: [{ role: "user", content: "Hi" }] });
const ask = (world: World) => world.begin("/v1/chat/completions", { method: "POST", body: allowedBody }).response;

/** The four values that every request is decided by. */
const values = (world: World) => ({
  "the key": kvKeys.key(hashSecret(world.key)),
  "the organization's record": kvKeys.org(world.org),
  "the catalog pointer": kvKeys.catalog,
  "the catalog": kvKeys.catalogVersion("small"),
});
type Value = keyof ReturnType<typeof values>;
const VALUES: Value[] = ["the key", "the organization's record", "the catalog pointer", "the catalog"];

/** A cold isolate in which reading that value gives what `get` gives. */
function failing(world: World, value: Value, get: () => Promise<string | null>): void {
  const failed = values(world)[value];
  world.restart({ CONFIG: readingBy(world.env.CONFIG, (key, read) => (key === failed ? get() : read())) });
}

/** 503 with its event, and nothing upstream. */
async function expectShut(world: World, response: Response): Promise<void> {
  expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
  expect(await errorOf(response)).toMatchObject({
    status: 503,
    type: "api_error",
    code: "policy_unavailable",
    param: null,
  });
  expect(await world.called()).toEqual([]);
  const requestId = response.headers.get("portcullis-request-id");
  const { results } = await world.env.DB.prepare("SELECT event FROM security_events WHERE event ->> 'request_id' = ?")
    .bind(requestId)
    .all<{ event: string }>();
  expect(results.map(({ event }) => JSON.parse(event))).toMatchObject([
    { type: "policy.unavailable", outcome: "refused", reason: expect.any(String) },
  ]);
}

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("503 policy_unavailable", () => {
  it.each(VALUES)("when KV throws for %s", async (value) => {
    const world = await open();
    failing(world, value, down);
    await expectShut(world, await world.chat({ model: "mix" }));
  });

  it("when KV hangs, whatever for, within four seconds", async () => {
    await Promise.all(
      VALUES.map(async (value) => {
        const world = await open();
        failing(world, value, () => never);
        const began = Date.now();
        await expectShut(world, await world.chat({ model: "mix" }));
        expect(Date.now() - began).toBeLessThan(4000);
      }),
    );
  });

  it.each(VALUES)("when KV returns garbage for %s", async (value) => {
    for (const garbage of ["", "{", "null", "[]", '"x"', "0", "{}", "<html>502 Bad Gateway</html>"]) {
      const world = await open();
      failing(world, value, async () => garbage);
      await expectShut(world, await world.chat({ model: "mix" }));
    }
  });

  it.each(VALUES.slice(1))("when %s is missing, although the key is valid", async (value) => {
    const world = await open();
    failing(world, value, async () => null);
    await expectShut(world, await world.chat({ model: "mix" }));
  });

  const org = firstRecord("acme", noTraining);
  const key = { schema: 1, org: "acme", project: "web", key_id: "key_1", expires_at: null };
  const { alpha } = Object.fromEntries(smallCatalog.providers.map((each) => [each.id, each]));
  it.each<[Value, string, object]>([
    ["the organization's record", "is of a newer schema", { ...org, schema: 2 }],
    ["the organization's record", "names another organization", { ...org, org: "another" }],
    ["the organization's record", "has an unknown field", { ...org, residency: "eu" }],
    [
      "the organization's record",
      "has an unknown field in its policy",
      { ...org, policy: { ...org.policy, residency: "eu" } },
    ],
    [
      "the organization's record",
      "lacks a field of its policy",
      { ...org, policy: { ...org.policy, models: undefined } },
    ],
    [
      "the organization's record",
      "has a policy that is neither on nor off",
      { ...org, policy: { ...org.policy, enabled: "no" } },
    ],
    [
      "the organization's record",
      "has an unknown field in a project",
      { ...org, projects: { web: { policy: org.policy, x: 1 } } },
    ],
    ["the organization's record", "has credentials of a newer build", { ...org, credentials: { alpha: "sealed" } }],
    ["the organization's record", "has no revision", { ...org, revision: 0 }],
    ["the key", "is of a newer schema", { ...key, schema: 2 }],
    ["the key", "has an unknown field", { ...key, scopes: ["chat"] }],
    ["the key", "expires at no date", { ...key, expires_at: "soon" }],
    ["the catalog pointer", "has an unknown field", { version: "small", region: "eu" }],
    ["the catalog pointer", "names a version that is not there", { version: "nowhere" }],
    ["the catalog", "names another version", { ...catalogRecord, version: "another" }],
    ["the catalog", "is of a newer schema", { ...catalogRecord, schema: 2 }],
    ["the catalog", "has an unknown field", { ...catalogRecord, revoked: ["alpha"] }],
    [
      "the catalog",
      "has an unknown field in a provider",
      { ...catalogRecord, providers: [{ ...alpha, revoked: true }], models: [] },
    ],
    ["the catalog", "has a provider twice", { ...catalogRecord, providers: [alpha, alpha], models: [] }],
    ["the catalog", "has a model by a provider that it does not have", { ...catalogRecord, providers: [alpha] }],
  ])("when %s %s", async (value, _, record) => {
    const world = await open();
    const own = value === "the catalog pointer" || value === "the catalog" ? record : { ...record };
    if ("org" in own && own.org === "acme") Object.assign(own, { org: world.org });
    failing(world, value, async () => JSON.stringify(own));
    await expectShut(world, await world.chat({ model: "mix" }));
  });

  it.each<[keyof Env, string]>([
    ["CONFIG_TTL_SECONDS", "ten"],
    ["CONFIG_TTL_SECONDS", "0"],
    ["CONFIG_MAX_STALE_SECONDS", "Infinity"],
    ["MAX_BODY_BYTES", "-1"],
    ["MAX_BODY_BYTES", "8 MiB"],
    ["UPSTREAM_HEADERS_TIMEOUT_SECONDS", "NaN"],
    ["SANDBOX_UPSTREAM", "https://collector.example"],
    ["SANDBOX_UPSTREAM", "http://192.0.2.1:4010"],
    ["SANDBOX_UPSTREAM", "http://127.0.0.1.collector.example"],
    ["SANDBOX_PROVIDERS", "alpha,,beta"],
  ])("when the variable %s is malformed (%s), which the answer names", async (name, value) => {
    const world = await open({ [name]: value });
    const response = await world.chat({ model: "mix" });
    const text = await response.clone().text();
    expect(text).toContain(name);
    expect(text).not.toContain("collector");
    await expectShut(world, response);
  });
});

it("a requirement that this build does not know fails every provider, which is a block like any other", async () => {
  const world = await openWorld({ policy: policyOf({ requirements: ["quantum_safe"] }), catalog: smallCatalog });
  expect(await errorOf(await world.chat({ model: "alpha/mix" }))).toMatchObject({
    status: 403,
    details: { providers: [{ id: "alpha", failures: [{ code: "unknown_requirement", found: "quantum_safe" }] }] },
  });
  expect(await world.called()).toEqual([]);
  expect(await world.events()).toMatchObject([{ type: "compliance.blocked" }]);
});

it("a requirement is known by its own name alone, not by what every object has", async () => {
  const world = await openWorld({
    policy: policyOf({ requirements: ["constructor", "__proto__"] }),
    catalog: smallCatalog,
  });
  expect((await world.chat({ model: "alpha/mix" })).status).toBe(403);
});

it("while KV hangs, the last good copy serves within four seconds", { timeout: 15_000 }, async () => {
  const world = await open({ CONFIG_TTL_SECONDS: "0.01" });
  let hangs = false;
  world.restart({ CONFIG: readingBy(world.env.CONFIG, (_, read) => (hangs ? never : read())) });
  expect((await ask(world)).status).toBe(200);
  hangs = true;
  await new Promise((resolve) => setTimeout(resolve, 20));
  const began = Date.now();
  expect((await ask(world)).status).toBe(200);
  expect(Date.now() - began).toBeLessThan(4000);
});

it("a catalog that is not there yet is waited for with the one before, until that is too old", async () => {
  const world = await open({ CONFIG_TTL_SECONDS: "0.01", CONFIG_MAX_STALE_SECONDS: "0.5" });
  expect((await ask(world)).status).toBe(200);
  await world.env.CONFIG.put(kvKeys.catalog, JSON.stringify({ version: "on-its-way" }));
  expect((await ask(world)).status).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect((await ask(world)).status).toBe(503);
});
