// A key's life: its name, its expiry, the day it was last used, its end; and KV failing in the middle of each.
import { afterEach, describe, expect, it, vi } from "vitest";
import { ChangedKeyAnswer, KeysAnswer, NewKeyAnswer } from "../src/admin/api/keys.ts";
import { repairEdge } from "../src/audit/cron.ts";
import type { Env } from "../src/env.ts";
import { kvKeys } from "../src/store/records.ts";
import { hashSecret } from "../src/store/secrets.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { replacing } from "./world.ts";

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
const down = async () => {
  throw new Error("KV is down");
};
const noEdge = ({ env }: AdminWorld): Env => ({ ...env, CONFIG: replacing(env.CONFIG, { put: down, delete: down }) });

async function create(world: AdminWorld, body: Record<string, unknown> = {}) {
  const made = await world.ask("admin", "POST", "/keys", { body: { project: "web", name: "CI", ...body } });
  return NewKeyAnswer.parse(made.body);
}
const change = (world: AdminWorld, id: string, body: unknown, env = world.env) =>
  world.ask("admin", "PATCH", `/keys/${id}`, { body, env });
const listed = async (world: AdminWorld) => KeysAnswer.parse((await world.ask("admin", "GET", "/keys")).body).data;
const atEdge = (world: AdminWorld, key: string) =>
  world.env.CONFIG.get<{ expires_at: string | null }>(kvKeys.key(hashSecret(key)), "json");
const acts = async (world: AdminWorld) =>
  (await world.ask("owner", "GET", "/audit-log?limit=200")).body.data as {
    actor: string;
    action: string;
    target: string;
    detail: Record<string, unknown>;
  }[];

afterEach(() => vi.useRealTimers());

describe("a key's expiry", () => {
  it("given at creation reaches the edge with the key", async () => {
    const world = await openAdminWorld();
    const expires_at = inDays(30);
    const made = await create(world, { expires_at });
    expect(made.expires_at).toBe(expires_at);
    expect(await atEdge(world, made.key)).toMatchObject({ expires_at });
  });

  it("changes, and is taken away again, at the edge too; the name stays", async () => {
    const world = await openAdminWorld();
    const { id, key } = await create(world);
    for (const expires_at of [inDays(30), inDays(7), null]) {
      const { status, body } = await change(world, id, { expires_at });
      expect(status).toBe(200);
      expect(ChangedKeyAnswer.parse(body)).toMatchObject({ id, name: "CI", expires_at, published: true });
      expect(await atEdge(world, key)).toMatchObject({ expires_at });
    }
  });

  it("is kept to the millisecond in UTC, however precisely it is given", async () => {
    const world = await openAdminWorld();
    expect((await create(world, { expires_at: "2099-01-31T00:00:00.123456Z" })).expires_at).toBe(
      "2099-01-31T00:00:00.123Z",
    );
  });

  it.each([
    ["a moment that has passed", () => new Date(Date.now() - 1000).toISOString()],
    ["a day without a time", () => "2099-01-31"],
    ["another zone", () => "2099-01-31T00:00:00+02:00"],
    ["no such day", () => "2099-02-31T00:00:00Z"],
    ["a number", () => 4_000_000_000],
  ])("is not %s", async (_, expiry) => {
    const world = await openAdminWorld();
    const made = await create(world);
    const expires_at = expiry();
    for (const refused of [
      await world.ask("admin", "POST", "/keys", { body: { project: "web", name: "k", expires_at } }),
      await change(world, made.id, { expires_at }),
    ])
      expect(refused).toMatchObject({ status: 400, body: { errors: [{ path: "expires_at" }] } });
    expect(await listed(world)).toMatchObject([{ expires_at: null }]);
  });

  it("that KV does not take is told, shown in the list, and carried there by cron", async () => {
    const world = await openAdminWorld();
    const { id, key } = await create(world);
    const expires_at = inDays(1);
    const { status, body } = await change(world, id, { expires_at }, noEdge(world));
    expect(status).toBe(200);
    expect(body).toMatchObject({ expires_at, published: false, note: expect.any(String) });
    expect(await listed(world)).toMatchObject([{ expires_at, published: false }]);
    expect(await atEdge(world, key)).toMatchObject({ expires_at: null });
    await repairEdge(world.env);
    expect(await atEdge(world, key)).toMatchObject({ expires_at });
    expect(await listed(world)).toMatchObject([{ published: true }]);
  });

  it("that is overtaken by a shorter one while on its way to KV does not stay there", async () => {
    const world = await openAdminWorld();
    const { id, key } = await create(world);
    const begun = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const put = async (name: string, value: string) => {
      begun.resolve();
      await released.promise;
      await world.env.CONFIG.put(name, value);
    };
    const CONFIG = replacing(world.env.CONFIG, { put: put as unknown as KVNamespace["put"] });
    const [long, short] = [inDays(300), inDays(3)];
    const first = change(world, id, { expires_at: long }, { ...world.env, CONFIG });
    await begun.promise;
    expect((await change(world, id, { expires_at: short })).body.published).toBe(true);
    released.resolve();
    expect((await first).body).toMatchObject({ expires_at: short, published: true });
    expect(await atEdge(world, key)).toMatchObject({ expires_at: short });
  });

  it("of a Worker that died after an overtaken put is mended by cron, although the key counts as published", async () => {
    const world = await openAdminWorld();
    const { id, key } = await create(world);
    const expires_at = inDays(3);
    await change(world, id, { expires_at });
    await world.env.CONFIG.put(
      kvKeys.key(hashSecret(key)),
      JSON.stringify({ ...(await atEdge(world, key)), expires_at: inDays(300) }),
    );
    expect(await listed(world)).toMatchObject([{ published: true }]);
    await repairEdge(world.env);
    expect(await atEdge(world, key)).toMatchObject({ expires_at });
  });
});

describe("a key's name", () => {
  it("changes without a word to the edge", async () => {
    const world = await openAdminWorld();
    const { id } = await create(world);
    const { status, body } = await change(world, id, { name: "Nightly" }, noEdge(world));
    expect({ status, body }).toMatchObject({ status: 200, body: { id, name: "Nightly", published: true } });
    expect(await listed(world)).toMatchObject([{ id, name: "Nightly" }]);
  });

  it.each([
    ["SQL", "'); DROP TABLE api_keys; --"],
    ["a placeholder", "?1 %s :name \\"],
    ["markup", `"><script>alert(1)</script>`],
  ])("is any text: %s comes back as it went in", async (_, name) => {
    const world = await openAdminWorld();
    const made = await create(world, { name });
    expect((await listed(world)).map((each) => each.name)).toEqual([name]);
    await change(world, made.id, { name: `${name}2` });
    expect((await listed(world)).map((each) => each.name)).toEqual([`${name}2`]);
  });

  it.each([
    ["nothing", {}, ""],
    ["an empty name", { name: " " }, "name"],
    ["two lines", { name: "a\nb" }, "name"],
    ["another project", { name: "n", project: "batch" }, "project"],
    ["another id", { name: "n", id: "key_0" }, "id"],
  ])("cannot be changed by %s", async (_, body, path) => {
    const world = await openAdminWorld();
    const { id } = await create(world);
    expect(await change(world, id, body)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });
});

it("a revoked key stays as it was", async () => {
  const world = await openAdminWorld();
  const { id, key } = await create(world);
  await world.ask("admin", "DELETE", `/keys/${id}`);
  for (const body of [{ name: "again" }, { expires_at: inDays(3) }])
    expect(await change(world, id, body)).toMatchObject({ status: 409, body: { code: "key_revoked" } });
  expect(await atEdge(world, key)).toBeNull();
  expect(await listed(world)).toMatchObject([{ name: "CI", expires_at: null }]);
});

it("a key that is revoked while its expiry is on its way to KV does not stay there", async () => {
  const world = await openAdminWorld();
  const { id, key } = await create(world);
  const put = async (name: string, value: string) => {
    await world.ask("owner", "DELETE", `/keys/${id}`);
    await world.env.CONFIG.put(name, value);
  };
  const CONFIG = replacing(world.env.CONFIG, { put: put as unknown as KVNamespace["put"] });
  await change(world, id, { expires_at: inDays(3) }, { ...world.env, CONFIG });
  expect(await atEdge(world, key)).toBeNull();
  expect((await listed(world))[0]?.revoked_at).toEqual(expect.any(String));
});

it("a revocation that KV does not take is told, shown in the list, and carried out by cron", async () => {
  const world = await openAdminWorld();
  const { id, key } = await create(world);
  const { body } = await world.ask("admin", "DELETE", `/keys/${id}`, { env: noEdge(world) });
  expect(body).toMatchObject({ published: false, note: expect.any(String) });
  expect(await listed(world)).toMatchObject([{ revoked_at: expect.any(String), published: true }]);
  expect(await atEdge(world, key)).not.toBeNull();
  await repairEdge(world.env);
  expect(await atEdge(world, key)).toBeNull();
  expect(await listed(world)).toMatchObject([{ published: false }]);
});

it("D1 failing in the middle of a change leaves the key as it was, at the edge too", async () => {
  const world = await openAdminWorld();
  const { id, key } = await create(world);
  const DB = replacing(world.env.DB, { batch: down });
  expect((await change(world, id, { expires_at: inDays(3) }, { ...world.env, DB })).status).toBe(503);
  expect(await listed(world)).toMatchObject([{ expires_at: null, published: true }]);
  expect(await atEdge(world, key)).toMatchObject({ expires_at: null });
});

it("another organization's key is not found by any call, and stays", async () => {
  const [ours, theirs] = [await openAdminWorld(), await openAdminWorld()];
  const { id, key } = await create(theirs);
  expect(await change(ours, id, { name: "mine", expires_at: inDays(1) })).toMatchObject({ status: 404 });
  expect((await ours.ask("owner", "DELETE", `/keys/${id}`)).status).toBe(404);
  expect((await ours.ask("owner", "GET", "/keys?project=web")).body.data).toEqual([]);
  expect(await listed(theirs)).toMatchObject([{ name: "CI", expires_at: null, revoked_at: null }]);
  expect(await atEdge(theirs, key)).toMatchObject({ expires_at: null });
});

it("keys are listed by project, page by page, and none is skipped or repeated", async () => {
  const world = await openAdminWorld();
  for (const project of ["web", "batch", "web", "web"]) await create(world, { project });
  const first = await world.ask("owner", "GET", "/keys?project=web&limit=2");
  const rest = await world.ask("owner", "GET", `/keys?project=web&limit=2&cursor=${first.body.next_cursor}`);
  const found = [...first.body.data, ...rest.body.data] as { id: string; project: string }[];
  expect(new Set(found.map(({ id }) => id)).size).toBe(3);
  expect(found.every(({ project }) => project === "web")).toBe(true);
  expect((await world.ask("owner", "GET", "/keys?project=%27%20OR%201%3D1")).status).toBe(400);
});

it("every act on a key is in the audit log, in the batch that did it", async () => {
  const world = await openAdminWorld();
  const { id } = await create(world);
  const expires_at = inDays(3);
  await change(world, id, { name: "Nightly", expires_at });
  await world.ask("admin", "DELETE", `/keys/${id}`);
  const ofKey = (await acts(world)).filter(({ target }) => target === id || target === "web");
  const sorted = ofKey.toSorted((a, b) => a.action.localeCompare(b.action));
  expect(sorted.map(({ actor, action, detail }) => ({ actor, action, detail }))).toMatchObject([
    { action: "key.change", detail: { name: "Nightly", expires_at, was: { name: "CI", expires_at: null } } },
    { actor: "admin@acme.example", action: "key.create", detail: { project: "web", name: "CI", expires_at: null } },
    { action: "key.revoke", detail: { project: "web", name: "Nightly" } },
    { actor: "admin@acme.example", action: "project.create", detail: { name: "web" } },
  ]);
});
