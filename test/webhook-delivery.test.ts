// Sealed events reach each receiver at least once and in order, signed; a receiver that fails is asked again, and keeps
// nobody else waiting.
import { createExecutionContext, createMessageBatch, waitOnExecutionContext } from "cloudflare:test";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { consumeBatch } from "../src/audit/consumer.ts";
import { EVERY_MINUTE, runCron } from "../src/audit/cron.ts";
import { deliverWebhooks } from "../src/audit/deliver.ts";
import { type Link, START, walk } from "../src/chain/links.ts";
import { isGenuine, signerOf } from "../src/chain/signed-head.ts";
import { eventOf } from "./security-event.ts";
import type { Received } from "./webhook-receiver.ts";
import { openWebhookWorld, placesIn } from "./webhook-world.ts";
import { replacing } from "./world.ts";

/** The Ed25519 key of RFC 8032, section 7.1, test 1. */
const SIGNING_KEY = Buffer.from(
  "302e0201003005060" + "32b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
  "hex",
).toString("base64");

let errors: MockInstance<typeof console.error>;
beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  errors = vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

const verified = (secret: string, { headers, body }: Received) => new Webhook(secret).verify(body, headers);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
/** Each the first time only. */
const firsts = (places: readonly (number | string)[]) => [...new Set(places)];

describe("a receiver", () => {
  it("gets each event once and in order, as a line of the chain, signed with its secret; then the signed head", async () => {
    const { org, add, seal, deliver, received, env } = await openWebhookWorld({ AUDIT_SIGNING_KEY: SIGNING_KEY });
    const { id, secret } = await add("siem");
    const events = await seal(5);
    await deliver();
    const all = await received("siem");
    const bodies = all.map((each) => verified(secret, each) as { type: string; timestamp: string; data: Link });
    const head = bodies.pop() as unknown as { type: string; data: Parameters<typeof isGenuine>[0] };
    expect(bodies.map(({ type, data }) => [type, data.event])).toEqual(events.map((event) => [event.type, event]));
    expect(bodies.map(({ timestamp }) => timestamp)).toEqual(events.map(({ at }) => at));
    expect(all.map(({ headers }) => headers["webhook-id"])).toEqual([
      ...events.map((event) => `${event.id}_${id}`),
      `head_5_${id}`,
    ]);
    // What was sent is the chain: a receiver needs nothing else to verify it.
    const links = bodies.map(({ data: { seq, prev_hash, hash, event } }) => ({ seq, prev_hash, hash, event }));
    expect(walk(links, START)).toEqual({ ok: true, tip: { seq: 5, hash: head.data.hash } });
    expect(head.type).toBe("audit.head");
    expect(await isGenuine(head.data, [(await signerOf(SIGNING_KEY)).publicKey])).toBe(true);
    expect(head.data.org).toBe(org);
    await deliverWebhooks(env, { orgs: [org] });
    expect(await received("siem")).toHaveLength(6);
  });

  it("gets OCSF where it asked for that, heads as well", async () => {
    const { org, add, seal, deliver, received } = await openWebhookWorld({ AUDIT_SIGNING_KEY: SIGNING_KEY });
    const { secret } = await add("siem", "ocsf");
    const events = await seal(2);
    await deliver();
    const bodies = (await received("siem")).map((each) => verified(secret, each));
    expect(bodies).toMatchObject([
      ...events.map(({ id }, index) => ({ class_uid: 6003, metadata: { uid: id, sequence: index + 1 } })),
      { class_uid: 0, activity_name: "audit.head", unmapped: { head: { org, seq: 2 } } },
    ]);
  });

  it("that is new begins with what is sealed from then on", async () => {
    const { add, seal, deliver, received } = await openWebhookWorld();
    await seal(3);
    await add("siem");
    await seal(2);
    await deliver();
    expect(placesIn(await received("siem"))).toEqual([4, 5]);
  });

  it("gets an event that is not acceptable again under the same id, with the time of the new attempt", async () => {
    const { add, seal, deliver, hurry, behave, received } = await openWebhookWorld();
    const { secret } = await add("siem");
    await seal(1);
    await behave("siem", { kind: "status", status: 503 });
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      await deliver();
      vi.setSystemTime(Date.now() + 20_000);
      await behave("siem", null);
      await hurry();
      await deliver();
    } finally {
      vi.useRealTimers();
    }
    const [first, second, ...more] = await received("siem");
    expect(more).toEqual([]);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(Number(second?.headers["webhook-timestamp"])).toBe(Number(first?.headers["webhook-timestamp"]) + 20);
    for (const each of [first, second]) verified(secret, each as Received);
  });

  it("gets all of a long backlog, some at a time", async () => {
    const { add, seal, deliver, received, show } = await openWebhookWorld();
    const { id } = await add("siem");
    await seal(120);
    await deliver();
    expect(placesIn(await received("siem"))).toEqual(upTo(120));
    expect(await show(id)).toMatchObject({ state: "delivering", delivered_seq: 120, waiting: 0, last_status: 204 });
  });

  it.each([1, 2, 3])(
    "that fails at random (seed %i) gets each event at least once, and none before its turn",
    async (seed) => {
      const { add, seal, deliver, hurry, behave, received, show } = await openWebhookWorld();
      const { id } = await add("siem");
      await behave("siem", { kind: "flaky", seed, rate: 0.4 });
      for (let turn = 0; (await show(id)).waiting !== 0 || turn < 3; turn++) {
        if (turn < 3) await seal(10);
        await hurry();
        await deliver();
        expect(turn).toBeLessThan(100);
      }
      const all = await received("siem");
      const places = placesIn(all) as number[];
      expect(firsts(places)).toEqual(upTo(30));
      // A repetition follows at once on what it repeats.
      for (const [index, place] of places.entries()) expect(place - (places[index - 1] ?? 0)).toBeOneOf([0, 1]);
      expect(all.length).toBeGreaterThan(30);
    },
  );
});

describe("a receiver that", () => {
  it.each([
    ["answers 500", { kind: "status", status: 500 }, { last_status: 500, last_problem: null }],
    ["answers 404", { kind: "status", status: 404 }, { last_status: 404, last_problem: null }],
    ["answers 429", { kind: "status", status: 429 }, { last_status: 429, last_problem: null }],
    ["hangs", { kind: "hang" }, { last_status: null, last_problem: "no answer within 0.4 s" }],
    ["drops the connection", { kind: "reset" }, { last_status: null, last_problem: "no connection" }],
  ] as const)("%s is asked again later, and gets nothing that comes behind", async (_, manner, last) => {
    const { add, seal, deliver, behave, hurry, received, show } = await openWebhookWorld();
    const { id } = await add("siem");
    await behave("siem", manner);
    await seal(3);
    await deliver();
    await deliver();
    expect(placesIn(await received("siem"))).toEqual([1]);
    expect(await show(id)).toMatchObject({ state: "retrying", delivered_seq: 0, waiting: 3, ...last });
    await behave("siem", null);
    await hurry();
    await deliver();
    expect(placesIn(await received("siem"))).toEqual([1, 1, 2, 3]);
    expect(await show(id)).toMatchObject({ state: "delivering", failing_since: null, waiting: 0 });
  });

  it.each([
    ["120", 120],
    ["7200", 3_600],
    ["999999999999", 3_600],
    ["1", 10],
    ["soon", 10],
  ])("asks for Retry-After: %s is left alone for so long, at most an hour", async (value, seconds) => {
    const { add, seal, deliver, behave, show } = await openWebhookWorld();
    const { id } = await add("siem");
    await behave("siem", { kind: "status", status: 429, headers: { "retry-after": value } });
    await seal(1);
    await deliver();
    const { last_attempt_at, next_attempt_at } = await show(id);
    const waits = Date.parse(next_attempt_at as string) - Date.parse(last_attempt_at as string);
    expect(waits / 1000).toBeCloseTo(seconds, 0);
  });

  it.each([301, 302, 307, 308])("redirects with %i is not followed", async (status) => {
    const { add, seal, deliver, behave, received, show, address } = await openWebhookWorld();
    const { id } = await add("siem");
    await behave("siem", { kind: "status", status, headers: { location: address("elsewhere") } });
    await seal(1);
    await deliver();
    expect(await received("elsewhere")).toEqual([]);
    expect(await show(id)).toMatchObject({ state: "retrying", last_status: status });
  });

  it("answers without end has accepted, and is not listened to", async () => {
    const { add, seal, deliver, behave, received } = await openWebhookWorld();
    await add("siem");
    await behave("siem", { kind: "endless" });
    await seal(3);
    const started = Date.now();
    await deliver({ answerMs: 5_000 });
    expect(Date.now() - started).toBeLessThan(4_000);
    expect(placesIn(await received("siem"))).toEqual([1, 2, 3]);
  });

  it("has failed for a day is paused with its last answer, is left alone, and resumed by hand gets all of it", async () => {
    const { env, org, add, seal, deliver, behave, hurry, received, show, ask } = await openWebhookWorld();
    const { id } = await add("siem");
    await seal(2);
    await deliver();
    await behave("siem", { kind: "status", status: 502 });
    await seal(3);
    await deliver();
    const yesterday = new Date(Date.now() - 24 * 3_600_000).toISOString();
    await env.DB.prepare("UPDATE webhooks SET failing_since = ? WHERE id = ?").bind(yesterday, id).run();
    await hurry();
    await deliver();
    expect(await show(id)).toMatchObject({ state: "paused", last_status: 502, failing_since: yesterday, waiting: 3 });
    const log = (await ask("GET", "/audit-log")).body.data;
    expect(log[0]).toMatchObject({
      action: "webhook.pause",
      actor: "system",
      target: id,
      detail: { last_status: 502 },
    });
    expect(errors.mock.calls.join()).toContain(`"message":"webhook.paused","org":"${org}"`);

    await behave("siem", null);
    await seal(1);
    await hurry();
    await deliver();
    expect(firsts(placesIn(await received("siem")))).toEqual([1, 2, 3]);
    expect((await ask("POST", `/webhooks/${id}/resume`)).body).toMatchObject({ state: "delivering", waiting: 4 });
    await deliver();
    expect(firsts(placesIn(await received("siem")))).toEqual(upTo(6));
    expect(await show(id)).toMatchObject({ state: "delivering", delivered_seq: 6, waiting: 0 });
  });

  it("refuses signed heads gets its events all the same, and each head once", async () => {
    const { add, seal, deliver, behave, received, show } = await openWebhookWorld({ AUDIT_SIGNING_KEY: SIGNING_KEY });
    const { id } = await add("siem");
    await behave("siem", { kind: "events only", status: 400 });
    for (let turn = 0; turn < 2; turn++) {
      await seal(1);
      await deliver();
      await deliver();
    }
    expect(placesIn(await received("siem"))).toEqual([1, "audit.head", 2, "audit.head"]);
    expect(await show(id)).toMatchObject({ state: "delivering", waiting: 0 });
  });

  it("fails at a signed head gets it again, and no event twice", async () => {
    const { add, seal, deliver, behave, hurry, received } = await openWebhookWorld({ AUDIT_SIGNING_KEY: SIGNING_KEY });
    await add("siem");
    await behave("siem", { kind: "events only", status: 503 });
    await seal(1);
    await deliver();
    await behave("siem", null);
    await hurry();
    await deliver();
    expect(placesIn(await received("siem"))).toEqual([1, "audit.head", "audit.head"]);
  });

  it("says it is gone is paused at once", async () => {
    const { add, seal, deliver, behave, show } = await openWebhookWorld();
    const { id } = await add("siem");
    await behave("siem", { kind: "status", status: 410 });
    await seal(1);
    await deliver();
    expect(await show(id)).toMatchObject({ state: "paused", last_status: 410 });
  });

  it("somebody stopped by hand gets nothing, and goes on where it stopped", async () => {
    const { add, seal, deliver, received, show, ask } = await openWebhookWorld();
    const { id } = await add("siem");
    await ask("PATCH", `/webhooks/${id}`, { enabled: false });
    await seal(2);
    await deliver();
    expect([await received("siem"), (await show(id)).state]).toEqual([[], "disabled"]);
    await ask("PATCH", `/webhooks/${id}`, { enabled: true });
    await deliver();
    expect(placesIn(await received("siem"))).toEqual([1, 2]);
  });
});

describe("nobody waits for a receiver:", () => {
  it("the consumer acknowledges and seals while one hangs", async () => {
    const { env, org, add, behave, show } = await openWebhookWorld();
    const { id } = await add("siem");
    await behave("siem", { kind: "hang" });
    const context = createExecutionContext();
    const batch = createMessageBatch<unknown>("portcullis-audit", [
      { id: "1", timestamp: new Date(), attempts: 1, body: eventOf(org) },
    ]);
    const started = Date.now();
    await consumeBatch(batch, env, context);
    expect(Date.now() - started).toBeLessThan(2_000);
    expect(await show(id)).toMatchObject({ waiting: 1 });
  });

  it("the consumer has what it sealed sent at once", async () => {
    const { env, org, add, received } = await openWebhookWorld();
    await add("siem");
    const context = createExecutionContext();
    const body = eventOf(org);
    const message = { id: "1", timestamp: new Date(), attempts: 1, body };
    await consumeBatch(createMessageBatch<unknown>("portcullis-audit", [message]), env, context);
    await waitOnExecutionContext(context);
    expect(placesIn(await received("siem"))).toEqual([1]);
  });

  it("an organization gets its events although the receivers of others are dead", async () => {
    const dead = await openWebhookWorld();
    const alive = await openWebhookWorld();
    const names = Array.from({ length: 8 }, (_, index) => `dead-${index}`);
    for (const name of names) {
      await dead.add(name);
      await dead.behave(name, { kind: "hang" });
    }
    await alive.add("siem");
    await dead.seal(1);
    const both = () => deliverWebhooks(dead.env, { orgs: [dead.org, alive.org], limits: { answerMs: 1_500 } });
    await both();
    // Known to fail by now: whatever they do, they have two of six connections.
    await dead.hurry();
    await alive.seal(60);
    let ended = false;
    const run = both().then(() => {
      ended = true;
    });
    await vi.waitFor(async () => expect(placesIn(await alive.received("siem"))).toEqual(upTo(60)), 10_000);
    expect(ended).toBe(false);
    await run;
    expect(await alive.received("siem")).toHaveLength(60);
  }, 60_000);

  it("a webhook that cannot be served at all keeps no other waiting, and the run says so", async () => {
    const { env, org, add, seal, received } = await openWebhookWorld();
    const broken = await add("broken");
    await add("siem");
    await seal(2);
    const DB = replacing(env.DB, {
      prepare: (sql: string) => {
        const statement = env.DB.prepare(sql);
        if (!sql.startsWith("UPDATE webhooks SET lease")) return statement;
        const bind: D1PreparedStatement["bind"] = (...values) => {
          if (values.includes(broken.id)) throw new Error("it is down");
          return statement.bind(...values);
        };
        return replacing(statement, { bind });
      },
    });
    await expect(deliverWebhooks({ ...env, DB }, { orgs: [org] })).rejects.toThrow(broken.id);
    expect(placesIn(await received("siem"))).toEqual([1, 2]);
    expect(await received("broken")).toEqual([]);
  });
});

describe("the order is kept", () => {
  it("by runs that work at once", async () => {
    const { add, seal, deliver, behave, received } = await openWebhookWorld();
    await add("siem");
    await behave("siem", { kind: "slow", milliseconds: 20 });
    await seal(130);
    await Promise.all(Array.from({ length: 8 }, () => deliver()));
    expect(placesIn(await received("siem"))).toEqual(upTo(130));
  }, 30_000);

  it("when the run before died: nothing is sent until its lease ends, then from where it was noted", async () => {
    const { env, org, add, seal, deliver, received } = await openWebhookWorld();
    const { id } = await add("siem");
    await seal(4);
    let answers = 0;
    const DB = replacing(env.DB, {
      prepare: (sql: string) => {
        // The isolate goes away before it can note what it has sent.
        if (sql.startsWith("UPDATE webhooks SET delivered_seq") && answers++ === 0) throw new Error("it is gone");
        return env.DB.prepare(sql);
      },
    });
    const limits = { answerMs: 400, leaseMs: 1_500 };
    await expect(deliverWebhooks({ ...env, DB }, { orgs: [org], limits })).rejects.toThrow(id);
    await deliver();
    expect(placesIn(await received("siem"))).toEqual([1, 2, 3, 4]);
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    await deliver();
    expect(placesIn(await received("siem"))).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
  });

  it("by a run that is slower than its lease: it stops in time, and a later run goes on", async () => {
    const { add, seal, deliver, behave, received } = await openWebhookWorld();
    await add("siem");
    await behave("siem", { kind: "slow", milliseconds: 300 });
    await seal(12);
    await deliver({ answerMs: 400, leaseMs: 1_200, runMs: 600 });
    const sent = (await received("siem")).length;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(12);
    await behave("siem", null);
    await deliver();
    expect(placesIn(await received("siem"))).toEqual(upTo(12));
  });

  it("around an event that somebody has deleted, whose number is left out", async () => {
    const { env, add, seal, deliver, received } = await openWebhookWorld();
    await add("siem");
    const events = await seal(3);
    await env.DB.prepare("DELETE FROM security_events WHERE id = ?").bind(events[1]?.id).run();
    await deliver();
    expect(placesIn(await received("siem"))).toEqual([1, 3]);
    expect(errors.mock.calls.join()).toContain('"message":"webhook.event_missing"');
  });
});

describe("cron", () => {
  const toml = import.meta.glob<string>("../wrangler.toml", { query: "?raw", import: "default", eager: true });

  it("has a trigger of its own for webhooks, and batches do not wait for them", () => {
    const text = Object.values(toml)[0] ?? "";
    expect(text).toContain(`"${EVERY_MINUTE}"`);
    expect(text).toContain("queue_consumer_no_wait_for_wait_until");
    expect(text).toContain("global_fetch_strictly_public");
  });

  it("sends what no nudge has", async () => {
    const { env, add, seal, received } = await openWebhookWorld();
    await add("siem");
    await seal(2);
    await runCron(EVERY_MINUTE, env).catch(() => undefined);
    expect(placesIn(await received("siem"))).toEqual([1, 2]);
  });
});
