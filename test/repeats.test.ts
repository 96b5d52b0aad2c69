// A flood of blocks: each gets its 403, what is stored is exact while it is little, and folded where it is too much.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Env } from "../src/env.ts";
import type { SecurityEvent } from "../src/store/event.ts";
import { smallCatalog } from "./small-catalog.ts";
import { openWorld, policyOf, replacing, type World } from "./world.ts";

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

const LIMIT = 300;
const open = (vars: Partial<Env> = {}) =>
  openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog: smallCatalog, vars });

interface Blocked {
  error: { message: string; details: { event_id: string } };
}

/** Blocks `count` requests, some at a time; returns the events that the answers name. */
async function flood(world: World, count: number): Promise<string[]> {
  const ids: string[] = [];
  const worker = async () => {
    while (ids.length < count) {
      const at = ids.push("") - 1;
      const response = await world.chat({ model: "leaky/mix" });
      expect(response.status).toBe(403);
      const { error } = await response.json<Blocked>();
      expect(error.message).toContain(error.details.event_id);
      ids[at] = error.details.event_id;
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return ids;
}

const stored = async (world: World) => (await world.events()) as SecurityEvent[];
const ownOf = (events: SecurityEvent[]) => events.filter(({ repeats }) => repeats === undefined);
const foldedOf = (events: SecurityEvent[]) => events.filter(({ repeats }) => repeats !== undefined);

describe("one key", { timeout: 60_000 }, () => {
  it("beyond its limit a minute folds into one event that counts, and each call still gets its 403", async () => {
    const world = await open();
    const named = new Set(await flood(world, LIMIT + 60));
    const events = await stored(world);
    expect(ownOf(events).length).toBeGreaterThanOrEqual(LIMIT);
    const folded = foldedOf(events);
    // A minute may have ended meanwhile.
    expect(folded.length).toBeGreaterThanOrEqual(1);
    expect(folded.length).toBeLessThanOrEqual(2);
    for (const { repeats } of folded) expect(repeats?.at_least).toBeGreaterThanOrEqual(1);
    expect(events.length).toBeLessThan(LIMIT + 60);
    expect(new Set(events.map(({ id }) => id))).toEqual(named);
    const counted = folded.reduce((sum, { repeats }) => sum + (repeats?.at_least ?? 0), 0);
    expect(ownOf(events).length + counted).toBeLessThanOrEqual(LIMIT + 60);
  });

  it("adds what it counts to its event once a second", async () => {
    const world = await open();
    world.restart({ BLOCKS_PER_KEY: { limit: async () => ({ success: false }) } });
    await flood(world, 5);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await flood(world, 1);
    const counted = foldedOf(await stored(world)).reduce((sum, { repeats }) => sum + (repeats?.at_least ?? 0), 0);
    // A minute may end in between: then the first event keeps what it had counted.
    expect(counted).toBeGreaterThanOrEqual(2);
    expect(counted).toBeLessThanOrEqual(6);
  });

  it("is counted under one id by every isolate, and not under another key's", async () => {
    const [world, other] = [await open(), await open()];
    const folding: Partial<Env> = { BLOCKS_PER_KEY: { limit: async () => ({ success: false }) } };
    world.restart(folding);
    other.restart(folding);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-01T12:00:30Z") });
    try {
      const [first] = await flood(world, 1);
      world.restart();
      const [second] = await flood(world, 1);
      const [elsewhere] = await flood(other, 1);
      expect(second).toBe(first);
      expect(elsewhere).not.toBe(first);
      vi.setSystemTime(Date.parse("2026-11-01T12:01:00Z"));
      expect((await flood(world, 1))[0]).not.toBe(first);
    } finally {
      vi.useRealTimers();
    }
    expect(foldedOf(await stored(world)).map(({ repeats }) => repeats?.from)).toEqual([
      "2026-11-01T12:00:00.000Z",
      "2026-11-01T12:01:00.000Z",
    ]);
  });
});

describe("the limiter", () => {
  it.each<[string, () => Promise<RateLimitOutcome>]>([
    ["fails", () => Promise.reject(new Error("it is down"))],
    ["hangs", () => new Promise<RateLimitOutcome>(() => {})],
  ])("that %s folds nothing, and the 403 comes within three seconds", async (_, limit) => {
    const world = await open();
    world.restart({ BLOCKS_PER_KEY: { limit } });
    const started = Date.now();
    const { response } = world.begin("/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "leaky/mix", messages: [] }),
    });
    expect((await response).status).toBe(403);
    expect(Date.now() - started).toBeLessThan(3_000);
  });
});

it("under pressure the queue alone takes events, so that no client waits for D1", { timeout: 30_000 }, async () => {
  const world = await open();
  let inserting = 0;
  let most = 0;
  const { AUDIT, DB: real } = world.env;
  const DB = replacing(real, {
    batch: async (statements) => {
      most = Math.max(most, ++inserting);
      await new Promise((resolve) => setTimeout(resolve, 300));
      inserting--;
      return real.batch(statements);
    },
  });
  const send = vi.fn(AUDIT.send.bind(AUDIT));
  world.restart({ DB, AUDIT: replacing(AUDIT, { send }) });
  await Promise.all(
    Array.from({ length: 100 }, async () => expect((await world.chat({ model: "leaky/mix" })).status).toBe(403)),
  );
  expect(send).toHaveBeenCalledTimes(100);
  expect(most).toBe(32);
});

it("where the queue fails too, D1 is asked after all", async () => {
  const world = await open();
  const AUDIT = replacing(world.env.AUDIT, { send: () => Promise.reject(new Error("it is down")) });
  world.restart({ AUDIT });
  await Promise.all(Array.from({ length: 60 }, () => world.chat({ model: "leaky/mix" })));
  expect(await stored(world)).toHaveLength(60);
});

describe("while D1 is behind", () => {
  /** A world in which D1 has taken in more inserts than it ends, and answers again from now on. */
  async function openBehind(queue: Partial<Queue> = {}) {
    const world = await open();
    const { DB: real, AUDIT } = world.env;
    let hangs = true;
    const batch: D1Database["batch"] = (statements) => (hangs ? new Promise(() => {}) : real.batch(statements));
    world.restart({ DB: replacing(real, { batch }), AUDIT: replacing(AUDIT, queue) });
    const ask = () => world.begin("/v1/chat/completions", { method: "POST", body: '{"model":"leaky/mix"}' }).response;
    await Promise.all(Array.from({ length: 32 }, ask));
    hangs = false;
    return { world, ask };
  }
  const accepted = async () => ({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } });

  it("a queue that hangs has D1 asked after all, in time for the 403", { timeout: 15_000 }, async () => {
    const { world, ask } = await openBehind({ send: () => new Promise(() => {}) });
    const began = Date.now();
    const { error } = await (await ask()).json<Blocked>();
    expect(Date.now() - began).toBeLessThan(1_900);
    expect((await stored(world)).map(({ id }) => id)).toEqual([error.details.event_id]);
  });

  it("inserts that were lost with their requests do not keep D1 from being asked for good", async () => {
    const { world, ask } = await openBehind({ send: accepted });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31_000 });
    try {
      await ask();
      await vi.waitFor(async () => expect(await stored(world)).toHaveLength(1));
    } finally {
      vi.useRealTimers();
    }
  });
});
