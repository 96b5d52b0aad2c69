// How long an isolate believes what it has read: seconds while KV answers, minutes while it fails.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Catalog } from "../src/catalog/schema.ts";
import { kvKeys } from "../src/store/records.ts";
import { API_KEY_PREFIX, hashSecret, newSecret } from "../src/store/secrets.ts";
import { smallCatalog } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, readingBy, type World } from "./world.ts";

const noTraining = policyOf({ requirements: ["no_training"] });
const blocksAlpha = policyOf({ providers: { allow: [], block: ["alpha"] } });
const second = 1000;

/** A world whose KV reads are noted, and fail while `down` is set. */
async function open(catalog: Catalog = smallCatalog) {
  const world = await openWorld({ policy: noTraining, catalog });
  const kv = { reads: [] as string[], down: false };
  const CONFIG = readingBy(world.env.CONFIG, (key, read) => {
    kv.reads.push(key);
    return kv.down ? Promise.reject(new Error("KV is down")) : read();
  });
  world.restart({ CONFIG });
  return { world, kv };
}
const statusOf = async (world: World, model = "alpha/mix") => (await world.chat({ model })).status;
const pass = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("while a copy is fresh", () => {
  it("no request reads KV, of whatever kind and outcome", async () => {
    const { world, kv } = await open();
    await statusOf(world);
    expect(kv.reads).toEqual([
      kvKeys.key(hashSecret(world.key)),
      kvKeys.org(world.org),
      kvKeys.catalog,
      kvKeys.catalogVersion("small"),
    ]);
    kv.reads.length = 0;
    pass(6.9 * second);
    for (const model of ["mix", "auto", "dirty", "nothing", "leaky/mix"]) await statusOf(world, model);
    await world.call("/v1/models");
    expect(kv.reads).toEqual([]);
  });

  it("from 70 % of its time one request refreshes it, behind its own answer, for the next", async () => {
    const { world, kv } = await open();
    await statusOf(world);
    await world.publish({ revision: 2, policy: blocksAlpha });
    kv.reads.length = 0;
    pass(7 * second);
    expect(await Promise.all([statusOf(world), statusOf(world), statusOf(world)])).toEqual([200, 200, 200]);
    expect(kv.reads.filter((key) => key === kvKeys.org(world.org))).toHaveLength(1);
    expect(await statusOf(world)).toBe(403);
  });

  it("a background refresh that fails changes nothing, and the next but later may try again", async () => {
    const { world, kv } = await open();
    await statusOf(world);
    kv.down = true;
    pass(7 * second);
    expect(await statusOf(world)).toBe(200);
    expect(await statusOf(world)).toBe(200);
  });

  it("what a background refresh finds malformed shuts the door for the next request", async () => {
    const { world } = await open();
    await statusOf(world);
    await world.publish({ schema: 2 as 1 });
    pass(7 * second);
    expect(await statusOf(world)).toBe(200);
    expect(await statusOf(world)).toBe(503);
  });
});

it("a slow read that a later one overtook does not bring back what that one found gone", async () => {
  const { world } = await open();
  const keyName = kvKeys.key(hashSecret(world.key));
  const gate = Promise.withResolvers<void>();
  let slow = false;
  const CONFIG = readingBy(world.env.CONFIG, async (key, read) => {
    const value = await read();
    if (slow && key === keyName) {
      slow = false;
      await gate.promise;
    }
    return value;
  });
  world.restart({ CONFIG });
  await statusOf(world);
  slow = true;
  pass(7 * second);
  const overtaken = world.begin("/v1/models");
  expect((await overtaken.response).status).toBe(200);
  await vi.waitFor(() => expect(slow).toBe(false));
  await world.env.CONFIG.delete(keyName);
  pass(3 * second);
  expect(await statusOf(world)).toBe(401);
  gate.resolve();
  await overtaken.settled();
  expect(await statusOf(world)).toBe(401);
});

describe("past CONFIG_TTL_SECONDS", () => {
  it("the request itself reads anew: a new policy is in force at once", async () => {
    const { world } = await open();
    expect(await statusOf(world)).toBe(200);
    await world.publish({ revision: 2, policy: blocksAlpha });
    pass(10 * second);
    const response = await world.chat({ model: "alpha/mix" });
    expect(response.status).toBe(403);
    expect(response.headers.get("portcullis-policy-revision")).toBe("2");
  });

  it.each<[string, string | null]>([
    ["malformed", "{"],
    ["absent", null],
  ])("a record that has become %s shuts the door at once, however good the copy was", async (_, record) => {
    const { world } = await open();
    expect(await statusOf(world)).toBe(200);
    const name = kvKeys.org(world.org);
    await (record === null ? world.env.CONFIG.delete(name) : world.env.CONFIG.put(name, record));
    pass(10 * second);
    expect([await statusOf(world), await statusOf(world)]).toEqual([503, 503]);
  });

  it("a revoked key is refused", async () => {
    const { world } = await open();
    expect(await statusOf(world)).toBe(200);
    await world.env.CONFIG.delete(kvKeys.key(hashSecret(world.key)));
    pass(10 * second);
    expect(await statusOf(world)).toBe(401);
  });

  it("a new catalog withdraws a fact", async () => {
    const { world } = await open();
    expect(await statusOf(world)).toBe(200);
    const [alpha, ...others] = smallCatalog.providers as [Catalog["providers"][number]];
    const withdrawn = { ...alpha, dataPolicy: { ...alpha.dataPolicy, trainsOnPrompts: null } };
    await world.publishCatalog({ ...smallCatalog, version: "small-2", providers: [withdrawn, ...others] });
    pass(10 * second);
    expect(await errorOf(await world.chat({ model: "alpha/mix" }))).toMatchObject({
      status: 403,
      details: { catalog_version: "small-2", providers: [{ failures: [{ code: "no_training", found: null }] }] },
    });
  });

  it("what has not changed is neither read whole nor parsed again", async () => {
    const { world, kv } = await open();
    await statusOf(world);
    const record = await world.env.CONFIG.get(kvKeys.org(world.org), "text");
    const parse = vi.spyOn(JSON, "parse");
    kv.reads.length = 0;
    pass(10 * second);
    expect(await statusOf(world)).toBe(200);
    expect(kv.reads).toEqual([kvKeys.key(hashSecret(world.key)), kvKeys.org(world.org), kvKeys.catalog]);
    expect(parse.mock.calls.filter(([text]) => text === record)).toEqual([]);
  });

  it("a revision never goes back, whatever an older copy in KV says", async () => {
    const { world } = await open();
    await world.publish({ revision: 8, policy: blocksAlpha });
    expect(await statusOf(world)).toBe(403);
    await world.publish({ revision: 7, policy: noTraining });
    for (let turn = 0; turn < 3; turn++) {
      pass(10 * second);
      expect(await statusOf(world)).toBe(403);
    }
    await world.publish({ revision: 9, policy: noTraining });
    pass(10 * second);
    expect(await statusOf(world)).toBe(200);
  });

  it("a clock that jumps back does not make a copy fresh", async () => {
    const { world } = await open();
    await statusOf(world);
    await world.publish({ revision: 2, policy: blocksAlpha });
    pass(-3600 * second);
    expect(await statusOf(world)).toBe(403);
  });
});

describe("while KV fails", () => {
  it("the last good copy serves for CONFIG_MAX_STALE_SECONDS, then the door shuts", async () => {
    const { world, kv } = await open();
    expect(await statusOf(world)).toBe(200);
    kv.down = true;
    pass(299 * second);
    expect([await statusOf(world), await statusOf(world, "leaky/mix")]).toEqual([200, 403]);
    pass(1 * second);
    expect(await errorOf(await world.chat({ model: "alpha/mix" }))).toMatchObject({
      status: 503,
      code: "policy_unavailable",
    });
    kv.down = false;
    expect(await statusOf(world)).toBe(200);
  });

  it("serving a stale copy does not make it younger", async () => {
    const { world, kv } = await open();
    await statusOf(world);
    kv.down = true;
    for (let at = 0; at < 290; at += 29) {
      pass(29 * second);
      expect(await statusOf(world)).toBe(200);
    }
    pass(10 * second);
    expect(await statusOf(world)).toBe(503);
  });

  it("a key that expires meanwhile is refused", async () => {
    const { world, kv } = await open();
    const expires_at = new Date(Date.now() + 60 * second).toISOString();
    const record = { schema: 1, org: world.org, project: "web", key_id: "key_1", expires_at };
    await world.env.CONFIG.put(kvKeys.key(hashSecret(world.key)), JSON.stringify(record));
    expect(await statusOf(world)).toBe(200);
    kv.down = true;
    pass(60 * second);
    expect(await statusOf(world)).toBe(401);
  });
});

describe("what is absent is never remembered", () => {
  it("a key that has just been created works at once", async () => {
    const { world } = await open();
    const key = newSecret(API_KEY_PREFIX);
    const ask = async () => (await world.chat({ model: "mix" }, { headers: { "x-api-key": key } })).status;
    expect(await ask()).toBe(401);
    const record = { schema: 1, org: world.org, project: "web", key_id: "key_2", expires_at: null };
    await world.env.CONFIG.put(kvKeys.key(hashSecret(key)), JSON.stringify(record));
    expect(await ask()).toBe(200);
  });

  it("an organization's record that has just arrived is in force at once", async () => {
    const { world } = await open();
    await world.env.CONFIG.delete(kvKeys.org(world.org));
    expect(await statusOf(world)).toBe(503);
    await world.publish({});
    expect(await statusOf(world)).toBe(200);
  });
});

describe("many first requests of an isolate at once", () => {
  const counting = (world: Awaited<ReturnType<typeof openWorld>>, versioned: () => Promise<void> = async () => {}) => {
    const reads: string[] = [];
    world.restart({
      CONFIG: readingBy(world.env.CONFIG, async (key, read) => {
        if (key.startsWith("catalog:")) {
          reads.push(key);
          await versioned();
        }
        return read();
      }),
    });
    return reads;
  };
  const together = (world: Awaited<ReturnType<typeof openWorld>>) =>
    Promise.all(Array.from({ length: 40 }, () => world.chat({ model: "pair" }).then(({ status }) => status)));

  it("read the catalog once", async () => {
    const world = await openWorld({ catalog: smallCatalog });
    const reads = counting(world);
    expect(new Set(await together(world))).toEqual(new Set([200]));
    expect(reads).toHaveLength(1);
  });

  it("do not wait for one whose read fails: the next reads it", async () => {
    const world = await openWorld({ catalog: smallCatalog });
    let failures = 0;
    const reads = counting(world, async () => {
      if (failures++ < 2) throw new Error("KV is down");
    });
    const statuses = await together(world);
    expect(statuses.filter((status) => status === 200).length).toBe(38);
    expect(reads).toHaveLength(3);
  });

  it("do not wait longer than a second for one that hangs", async () => {
    const world = await openWorld({ catalog: smallCatalog });
    let first = true;
    counting(world, async () => {
      if (!first) return;
      first = false;
      await new Promise(() => {});
    });
    const began = Date.now();
    const { response } = world.begin("/v1/models");
    const second = await world.chat({ model: "pair" });
    expect(second.status).toBe(200);
    expect(Date.now() - began).toBeLessThan(2_500);
    expect((await response).status).toBe(503);
  });
});
