// From a save to the edge: what the admin is told when KV fails, and that an older revision never wins.
import { expect, it } from "vitest";
import type { Env } from "../src/env.ts";
import { kvKeys } from "../src/store/records.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { policyOf, replacing } from "./world.ts";

const requiring = (...requirements: string[]) => policyOf({ requirements });

it("a save that KV does not take is saved, and says that it is not in force yet", async () => {
  const world = await openAdminWorld();
  const put = async () => {
    throw new Error("KV PUT failed: 500");
  };
  const env = { ...world.env, CONFIG: replacing(world.env.CONFIG, { put }) };
  const { status, body } = await world.savePolicy("admin", requiring("soc2"), 1, { env });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    revision: 2,
    published: false,
    note: expect.stringContaining("does not enforce it yet"),
  });
  expect((await world.ask("admin", "GET", "/policy")).body).toMatchObject({ revision: 2, policy: requiring("soc2") });
  expect((await world.atEdge()).revision).toBe(1);
}, 15_000);

it("a key that KV does not take is created, and says that it does not work yet", async () => {
  const world = await openAdminWorld();
  const put = async () => {
    throw new Error("KV PUT failed: 500");
  };
  const env = { ...world.env, CONFIG: replacing(world.env.CONFIG, { put }) };
  const { status, body } = await world.ask("admin", "POST", "/keys", { body: { project: "web", name: "k" }, env });
  expect(status).toBe(201);
  expect(body).toMatchObject({ published: false, note: expect.stringContaining("does not accept it yet") });
});

it("a publish of revision 7 that is delayed past revision 8 never wins", async () => {
  const world = await openAdminWorld();
  for (let base = 1; base < 6; base++) await world.savePolicy("admin", requiring("soc2"), base);
  const stalled = stallingFirstPut(world);
  const seventh = world.savePolicy("admin", requiring("soc2", "gdpr"), 6, { env: stalled.env });
  await stalled.begun;

  const eighth = await world.savePolicy("owner", requiring("soc2", "gdpr", "no_training"), 7);
  expect(eighth.body).toMatchObject({ revision: 8, published: true });
  expect((await world.atEdge()).revision).toBe(8);

  stalled.release();
  expect((await seventh).body).toMatchObject({ revision: 7, published: true });
  expect(stalled.puts()).toEqual([7, 8]);
  expect(await world.atEdge()).toMatchObject({ revision: 8, policy: requiring("soc2", "gdpr", "no_training") });
}, 15_000);

it("a publish that dies after its put leaves the edge for cron to repair, never claims more than it knows", async () => {
  const world = await openAdminWorld();
  let revisionReads = 0;
  const DB = replacing(world.env.DB, {
    prepare(query: string) {
      if (query.includes("FROM revisions") && ++revisionReads > 2) throw new Error("D1_ERROR: gone");
      return world.env.DB.prepare(query);
    },
  });
  const { status, body } = await world.savePolicy("admin", requiring("soc2"), 1, { env: { ...world.env, DB } });
  expect(status).toBe(200);
  expect(body).toMatchObject({ revision: 2, published: false });
});

/** The organization's bindings with a KV whose first write of the record waits to be released, and then lands. */
function stallingFirstPut(world: AdminWorld) {
  const begun = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const revisions: number[] = [];
  const put: KVNamespace["put"] = async (key: string, value: unknown) => {
    if (key === kvKeys.org(world.org)) revisions.push(JSON.parse(String(value)).revision);
    begun.resolve();
    if (revisions.length === 1) await released.promise;
    await world.env.CONFIG.put(key, String(value));
  };
  const env: Env = { ...world.env, CONFIG: replacing(world.env.CONFIG, { put }) };
  return { env, begun: begun.promise, release: () => released.resolve(), puts: () => revisions };
}
