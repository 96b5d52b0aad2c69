// What a project or a key cannot do at the gateway: allow more than its organization, speak for another one, outlive its
// expiry or its revocation.

import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StoredPolicy } from "../src/compliance/policy.ts";
import { kvKeys } from "../src/store/records.ts";
import { API_KEY_PREFIX, hashSecret } from "../src/store/secrets.ts";
import { type AdminWorld, made, openAdminWorld } from "./admin-world.ts";
import { smallCatalog } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, type World } from "./world.ts";

const second = 1000;
const TTL_SECONDS = 10;
const noTraining = policyOf({ requirements: ["no_training"] });

/** An organization under the admin API, and the gateway that serves it. */
async function open(policy: StoredPolicy = noTraining) {
  const admin = await openAdminWorld({ policy });
  const gateway = await openWorld({ catalog: smallCatalog });
  const key = async (project = "web", more = {}) =>
    (await made(admin.ask("owner", "POST", "/keys", { body: { project, name: "k", ...more } }))).body as {
      id: string;
      key: string;
    };
  const ask = (apiKey: string, model: string, headers = {}) =>
    gateway.chat({ model }, { headers: { "x-api-key": apiKey, ...headers } });
  return { admin, gateway, key, ask };
}
const saveOwn = (admin: AdminWorld, body: StoredPolicy, base: number, project = "web") =>
  made(
    admin.ask("admin", "PUT", `/projects/${project}/policy?confirm=no-providers`, {
      body,
      headers: { "if-match": `"${base}"` },
    }),
  );
/** Later than any copy lives; an isolate keeps what it read for CONFIG_TTL_SECONDS. */
const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * second);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => vi.useRealTimers());

describe("a project that tries to widen the organization's policy", () => {
  it.each<[string, StoredPolicy]>([
    ["with nothing asked for", policyOf({})],
    ["switched off", { ...policyOf({}), enabled: false }],
    ["allowing the provider by name", policyOf({ providers: { allow: ["leaky"], block: [] } })],
    ["allowing the model by name", policyOf({ models: { allow: ["mix"], block: [] } })],
  ])("%s, reaches no provider that it excludes, and each attempt is recorded", async (_, own) => {
    const { admin, gateway, key, ask } = await open();
    const { id, key: apiKey } = await key();
    await saveOwn(admin, own, 1);
    const refused = await errorOf(await ask(apiKey, "leaky/mix"));
    expect(refused).toMatchObject({
      status: 403,
      code: "provider_compliance_blocked",
      details: { policy_revision: 2 },
    });
    expect(await gateway.called()).toEqual([]);
    const { results } = await admin.env.DB.prepare("SELECT event FROM security_events WHERE org = ?")
      .bind(admin.org)
      .all<{ event: string }>();
    expect(results.map(({ event }) => JSON.parse(event))).toMatchObject([
      { key_id: id, project: "web", providers: [{ id: "leaky", failures: [{ code: "no_training", found: true }] }] },
    ]);
  });

  it("is narrowed by its own policy too, and another project is not", async () => {
    const { admin, gateway, key, ask } = await open();
    const [web, batch] = [await key("web"), await key("batch")];
    await saveOwn(admin, policyOf({ headquarters: ["FR"] }), 1);
    expect((await ask(web.key, "alpha/mix")).status).toBe(403);
    expect((await ask(batch.key, "alpha/mix")).status).toBe(200);
    expect(await gateway.called()).toEqual(["alpha"]);
  });

  it("whose row is gone from the database is still narrowed by both policies", async () => {
    const { admin, gateway, key, ask } = await open();
    const { id, key: apiKey } = await key();
    await saveOwn(admin, policyOf({ headquarters: ["FR"] }), 1);
    await admin.env.DB.batch([
      admin.env.DB.prepare("DELETE FROM api_keys WHERE id = ?").bind(id),
      admin.env.DB.prepare("DELETE FROM projects WHERE org = ?").bind(admin.org),
    ]);
    for (const model of ["alpha/mix", "leaky/mix"]) expect((await ask(apiKey, model)).status).toBe(403);
    expect(await gateway.called()).toEqual([]);
  });

  it("whose own policy was removed has the organization's, never less", async () => {
    const { admin, key, ask } = await open();
    const { key: apiKey } = await key();
    await saveOwn(admin, policyOf({ headquarters: ["FR"] }), 1);
    await made(admin.ask("admin", "DELETE", "/projects/web/policy", { headers: { "if-match": '"2"' } }));
    expect((await ask(apiKey, "alpha/mix")).status).toBe(200);
    expect((await ask(apiKey, "leaky/mix")).status).toBe(403);
  });
});

describe("two organizations with the same key prefix", () => {
  const twin = (tail: string) => {
    const body = `${API_KEY_PREFIX}SAMEPREFIX${tail.repeat(33)}`;
    return body + crc32(body).toString(16).padStart(8, "0");
  };
  const put = (world: World, org: string, key: string, project: string) =>
    world.env.CONFIG.put(
      kvKeys.key(hashSecret(key)),
      JSON.stringify({ schema: 1, org, project, key_id: `key_of_${org}`, expires_at: null }),
    );
  const NAMES = [
    "portcullis-project",
    "x-portcullis-project",
    "openai-project",
    "openai-organization",
    "x-project",
    "project",
  ];

  it("each key is its own organization's, and no header makes it another's", async () => {
    const strict = await openWorld({ catalog: smallCatalog, policy: policyOf({ headquarters: ["FR"] }) });
    const mild = await openWorld({ catalog: smallCatalog, policy: noTraining });
    const [strictKey, mildKey] = [twin("a"), twin("b")];
    expect(strictKey.slice(0, 12)).toBe(mildKey.slice(0, 12));
    await put(strict, strict.org, strictKey, "web");
    await put(mild, mild.org, mildKey, "batch");
    for (const name of ["", ...NAMES]) {
      const headers = { "x-api-key": strictKey, ...(name && { [name]: "batch", "x-org": mild.org }) };
      expect((await strict.chat({ model: "alpha/mix" }, { headers })).status, name).toBe(403);
    }
    expect(await strict.called()).toEqual([]);
    expect((await mild.chat({ model: "alpha/mix" }, { headers: { "x-api-key": mildKey } })).status).toBe(200);
  });

  it("no header lifts a key out of its own project's policy", async () => {
    const world = await openWorld({ catalog: smallCatalog });
    const key = twin("c");
    await put(world, world.org, key, "web");
    await world.publish({ policy: noTraining, projects: { web: { policy: policyOf({ headquarters: ["FR"] }) } } });
    for (const name of NAMES) {
      const headers = { "x-api-key": key, [name]: "batch" };
      expect((await world.chat({ model: "alpha/mix" }, { headers })).status, name).toBe(403);
    }
    expect(await world.called()).toEqual([]);
  });
});

describe("a key that has ended", () => {
  it("by revocation, is refused once CONFIG_TTL_SECONDS have passed", async () => {
    const { admin, gateway, key, ask } = await open();
    const { id, key: apiKey } = await key();
    expect((await ask(apiKey, "alpha/mix")).status).toBe(200);
    await made(admin.ask("owner", "DELETE", `/keys/${id}`));
    pass(TTL_SECONDS);
    expect(await errorOf(await ask(apiKey, "alpha/mix"))).toMatchObject({ status: 401, code: "invalid_api_key" });
    expect(await gateway.called()).toEqual(["alpha"]);
  });

  it("by an expiry that was shortened, is refused from then on, at most CONFIG_TTL_SECONDS late", async () => {
    const { admin, key, ask } = await open();
    const { id, key: apiKey } = await key("web", { expires_at: "2099-01-01T00:00:00Z" });
    expect((await ask(apiKey, "alpha/mix")).status).toBe(200);
    const expires_at = new Date(Date.now() + TTL_SECONDS * second).toISOString();
    await made(admin.ask("owner", "PATCH", `/keys/${id}`, { body: { expires_at } }));
    pass(TTL_SECONDS - 0.001);
    expect((await ask(apiKey, "alpha/mix")).status).toBe(200);
    pass(0.001);
    expect(await errorOf(await ask(apiKey, "alpha/mix"))).toMatchObject({ status: 401, code: "invalid_api_key" });
  });

  it("by its expiry, works again when that is moved", async () => {
    const { admin, key, ask } = await open();
    const { id, key: apiKey } = await key("web", { expires_at: new Date(Date.now() + second).toISOString() });
    pass(1);
    expect((await ask(apiKey, "alpha/mix")).status).toBe(401);
    await made(admin.ask("owner", "PATCH", `/keys/${id}`, { body: { expires_at: null } }));
    pass(TTL_SECONDS);
    expect((await ask(apiKey, "alpha/mix")).status).toBe(200);
  });
});
