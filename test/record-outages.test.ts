// Outages of what records: a block stays a block, is answered in seconds, and is kept by whatever still works.
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { recordEvent } from "../src/audit/record.ts";
import type { Env } from "../src/env.ts";
import { eventOf } from "./security-event.ts";
import { smallCatalog } from "./small-catalog.ts";
import { openWorld, policyOf, readingBy, replacing, type World } from "./world.ts";

const down = () => Promise.reject(new Error("it is down"));
const never = () => new Promise<never>(() => {});
const thrown = () => {
  throw new Error("it is down");
};

type Failure = "rejects" | "hangs" | "throws";
const FAILURES: Record<Failure, () => Promise<never>> = { rejects: down, hangs: never, throws: thrown };

let log: MockInstance<typeof console.log>;
let error: MockInstance<typeof console.error>;
beforeEach(() => {
  log = vi.spyOn(console, "log").mockImplementation(() => {});
  error = vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A world whose D1 or queue fails; what was sent to the queue is kept. */
async function open({ db, queue }: { db?: Failure; queue?: Failure }) {
  const world = await openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog: smallCatalog });
  const sent: unknown[] = [];
  const { DB, AUDIT } = world.env;
  const send: Queue["send"] = async (message) => {
    sent.push(message);
    return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
  };
  world.restart({
    DB: db ? replacing(DB, { batch: FAILURES[db] }) : DB,
    AUDIT: replacing(AUDIT, { send: queue ? FAILURES[queue] : send }),
  });
  return { world, sent };
}

/** The event that an answer names. */
async function eventNamedIn(response: Response): Promise<string> {
  const { error } = (await response.clone().json()) as { error: { details: { event_id: string } } };
  return error.details.event_id;
}

/** A blocked request without the wait for what follows it: how long its answer took, and the event it names. */
async function block(world: World) {
  const began = Date.now();
  const response = await world.begin("/v1/chat/completions", { method: "POST", body: '{"model":"dirty"}' }).response;
  const id = await eventNamedIn(response);
  expect(response.status).toBe(403);
  expect(await world.called()).toEqual([]);
  return { took: Date.now() - began, id };
}

/** Whether a line says that the event is on the tail alone. Events of earlier tests can still be offered. */
async function toldMissing(response: Response): Promise<boolean> {
  const id = await eventNamedIn(response);
  return error.mock.calls.some(([text]) => {
    const line = JSON.parse(String(text)) as { message: string; id: string };
    return line.message === "audit.not_stored" && line.id === id;
  });
}
const tailed = () => log.mock.calls.map(([line]) => JSON.parse(String(line)) as { id: string; providers: unknown });

it.each<Failure>(["rejects", "hangs", "throws"])("when D1 %s the block is on the queue, without delay", async (db) => {
  const { world, sent } = await open({ db });
  const { took, id } = await block(world);
  expect(took).toBeLessThan(1000);
  expect(sent).toMatchObject([{ id }]);
});

it.each<Failure>(["rejects", "hangs", "throws"])(
  "when the queue %s the block is in D1, without delay",
  async (queue) => {
    const { world } = await open({ queue });
    const { took, id } = await block(world);
    expect(took).toBeLessThan(1000);
    expect(await world.events()).toMatchObject([{ id }]);
  },
);

it.each<[Failure, Failure]>([
  ["rejects", "rejects"],
  ["hangs", "hangs"],
  ["hangs", "rejects"],
  ["rejects", "hangs"],
])(
  "when D1 %s and the queue %s, the 403 comes within three seconds, with the event on the tail line",
  async (db, queue) => {
    const { world } = await open({ db, queue });
    const { took, id } = await block(world);
    expect(took).toBeLessThan(3000);
    expect(tailed()).toMatchObject([
      {
        id,
        message: "compliance.blocked",
        providers: [
          { id: "leaky", failures: [{ code: "no_training", found: true }] },
          { id: "blank", failures: [{ code: "no_training", found: null }] },
        ],
      },
    ]);
  },
);

it.each<[Failure, Failure]>([
  ["hangs", "hangs"],
  ["rejects", "hangs"],
])(
  "when D1 %s and the queue %s, a second line says before the answer that the first one is all there is",
  async (db, queue) => {
    const { world } = await open({ db, queue });
    const { id } = await block(world);
    expect(error.mock.calls.map(([text]) => JSON.parse(String(text)))).toMatchObject([
      { message: "audit.not_stored", id },
    ]);
  },
);

it("when neither took it, then or later, a second line says that the first one is all there is", {
  timeout: 15_000,
}, async () => {
  const { world } = await open({ db: "rejects", queue: "rejects" });
  const response = await world.chat({ model: "dirty" });
  expect(response.status).toBe(403);
  expect(await toldMissing(response)).toBe(true);
});

it("what neither took at first is in D1 once that is back", async () => {
  const { world } = await open({ db: "rejects", queue: "rejects" });
  const { env } = await open({}).then(({ world }) => world);
  let refused = 0;
  const batch: D1Database["batch"] = (statements) => (refused++ < 2 ? down() : env.DB.batch(statements));
  world.restart({ DB: replacing(env.DB, { batch }), AUDIT: replacing(env.AUDIT, { send: down }) });
  const response = await world.chat({ model: "dirty" });
  expect(await world.events()).toMatchObject([{ id: await eventNamedIn(response) }]);
  expect(await toldMissing(response)).toBe(false);
});

it("what neither took at first is on the queue once that is back", async () => {
  const { world } = await open({ db: "rejects" });
  const { AUDIT } = world.env;
  const sent: unknown[] = [];
  let refused = 0;
  const send: Queue["send"] = (message, options) => {
    if (refused++ < 2) return down();
    sent.push(message);
    return AUDIT.send(message, options);
  };
  world.restart({ DB: replacing(world.env.DB, { batch: down }), AUDIT: replacing(AUDIT, { send }) });
  const response = await world.chat({ model: "dirty" });
  expect(sent).toMatchObject([{ id: await eventNamedIn(response) }]);
  expect(await toldMissing(response)).toBe(false);
});

it("an allowed request needs neither", async () => {
  const { world } = await open({ db: "throws", queue: "throws" });
  expect((await world.chat({ model: "mix" })).status).toBe(200);
});

it("a request that is served elsewhere does not wait for the record of what it was not served by", async () => {
  const { world } = await open({ db: "hangs", queue: "hangs" });
  const began = Date.now();
  const body = '{"model":"mix","provider":{"order":["leaky"]}}';
  const response = await world.begin("/v1/chat/completions", { method: "POST", body }).response;
  expect(response.status).toBe(200);
  expect(Date.now() - began).toBeLessThan(1000);
  expect(tailed()).toMatchObject([{ outcome: "rerouted" }]);
});

describe("from the first moment on the platform keeps the recording going, whoever leaves", () => {
  const late = (after: Promise<unknown>): Env["BLOCKS_PER_KEY"] => ({
    limit: () => after.then(() => ({ success: true })),
  });

  it("while the limiter has not answered yet", async () => {
    const { world } = await open({});
    const answered = Promise.withResolvers<void>();
    const kept: Promise<unknown>[] = [];
    const env = { ...world.env, BLOCKS_PER_KEY: late(answered.promise) };
    const event = eventOf(world.org);
    void recordEvent(env, { waitUntil: (work) => void kept.push(work) }, event);
    expect(kept).toHaveLength(1);
    answered.resolve();
    await Promise.all(kept);
    expect(await world.events()).toEqual([event]);
  });

  it("also where the limiter never answers", async () => {
    const { world } = await open({});
    world.restart({ BLOCKS_PER_KEY: late(never()) });
    const began = Date.now();
    const response = await world.chat({ model: "dirty" });
    expect(Date.now() - began).toBeLessThan(1_900);
    expect(await world.events()).toMatchObject([{ id: await eventNamedIn(response) }]);
  });
});

it("when all stores are down at once the answer is still a clear refusal", async () => {
  const { world } = await open({ db: "rejects", queue: "rejects" });
  world.restart({ CONFIG: readingBy(world.env.CONFIG, down) });
  const response = await world.chat({ model: "mix" });
  expect(response.status).toBe(503);
  expect(tailed()).toMatchObject([{ message: "policy.unavailable" }]);
  expect(await world.called()).toEqual([]);
});
