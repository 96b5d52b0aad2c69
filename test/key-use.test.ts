// The day a key was last used: noted behind the answer, once a day and isolate, and never in a request's way.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createKey, findKey, revokeKey } from "../src/store/keys.ts";
import { createOrg } from "../src/store/orgs.ts";
import { smallCatalog } from "./small-catalog.ts";
import { openWorld, replacing } from "./world.ts";

const DAY_MS = 86_400_000;
const MORNING = Date.parse("2030-05-01T08:00:00Z");

/** A world with a key that D1 knows, and a note of what the data plane asks of D1. */
async function open() {
  const world = await openWorld({ catalog: smallCatalog });
  const org = world.org;
  await createOrg(world.env, { id: org, name: org, plan: "free", from: { via: "api", country: null } });
  const { id, key } = await createKey(world.env, { org, project: "web", name: "k", actor: "a@acme.example" });
  const asked: string[] = [];
  const { DB } = world.env;
  const d1 = { DB, down: false, hangs: false };
  const prepare = (sql: string) => {
    asked.push(sql);
    if (d1.down) throw new Error("D1 is down");
    return d1.hangs
      ? replacing(DB.prepare(sql), { bind: () => ({ run: () => new Promise(() => undefined) }) as never })
      : DB.prepare(sql);
  };
  world.restart({ DB: replacing(DB, { prepare }) });
  const call = () => world.begin("/v1/models", { headers: { "x-api-key": key } });
  const use = async () => {
    const { response, settled } = call();
    const { status } = await response;
    await settled();
    return status;
  };
  const lastUsed = async () => (await findKey({ ...world.env, DB }, org, id))?.last_used_on;
  return { world, org, id, key, asked, d1, call, use, lastUsed };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: MORNING });
});
afterEach(() => vi.useRealTimers());

it("is the UTC day of a request, and D1 is asked once a day, however many there are", async () => {
  const { asked, use, lastUsed } = await open();
  expect(await lastUsed()).toBeNull();
  for (let n = 0; n < 20; n++) expect(await use()).toBe(200);
  expect(await lastUsed()).toBe("2030-05-01");
  vi.setSystemTime(Date.parse("2030-05-01T23:59:59.999Z"));
  await use();
  expect(asked).toHaveLength(1);
  vi.setSystemTime(Date.parse("2030-05-02T00:00:00Z"));
  await use();
  await use();
  expect(asked).toHaveLength(2);
  expect(await lastUsed()).toBe("2030-05-02");
});

it("never goes back: an isolate whose clock lags does not overwrite a later day", async () => {
  const { world, use, lastUsed } = await open();
  vi.setSystemTime(MORNING + DAY_MS);
  await use();
  world.restart();
  vi.setSystemTime(MORNING);
  await use();
  expect(await lastUsed()).toBe("2030-05-02");
});

it("D1 being down fails no request, is not asked at each, and is asked again later", async () => {
  const { asked, d1, use, lastUsed } = await open();
  d1.down = true;
  for (let n = 0; n < 5; n++) expect(await use()).toBe(200);
  expect(asked).toHaveLength(1);
  d1.down = false;
  vi.setSystemTime(MORNING + 300_000);
  await use();
  expect(asked).toHaveLength(2);
  expect(await lastUsed()).toBe("2030-05-01");
});

it("a D1 that hangs delays no request", async () => {
  const { d1, call, asked } = await open();
  d1.hangs = true;
  for (let n = 0; n < 3; n++) expect((await call().response).status).toBe(200);
  expect(asked).toHaveLength(1);
});

it("a request that is refused with 401 is no use of the key", async () => {
  const { world, org, id, d1, asked, use, lastUsed } = await open();
  await revokeKey({ ...world.env, DB: d1.DB }, { org, id, actor: "a@acme.example" });
  world.restart();
  expect(await use()).toBe(401);
  expect(asked).toEqual([]);
  expect(await lastUsed()).toBeNull();
});
