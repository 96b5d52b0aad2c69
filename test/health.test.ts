// The health line: each check says what is wrong and what to do, and what could not be looked at is unknown, never ok.
import { createMessageBatch } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type * as z from "zod";
import { HealthAnswer } from "../src/admin/api/health.ts";
import { CHECK_IDS } from "../src/admin/health.ts";
import {
  edgeFinding,
  queueFinding,
  retentionFinding,
  type State,
  sealedFinding,
  storageFinding,
  waitingFinding,
} from "../src/admin/health-findings.ts";
import { consumeBatch } from "../src/audit/consumer.ts";
import { sealEvents } from "../src/audit/seal.ts";
import type { Env } from "../src/env.ts";
import { insertEvents } from "../src/store/events.ts";
import { putRetention } from "../src/store/retention.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { KEY } from "./retained-world.ts";
import { eventOf } from "./security-event.ts";
import { signIn, visit } from "./visit.ts";
import { replacing } from "./world.ts";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const NOW = Date.parse("2026-11-26T12:00:00.000Z");
const ago = (milliseconds: number) => new Date(NOW - milliseconds).toISOString();

let world: AdminWorld;
let env: Env;
beforeEach(async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
  world = await openAdminWorld();
  env = { ...world.env, AUDIT_SIGNING_KEY: KEY };
});
afterEach(() => {
  vi.restoreAllMocks();
});

type Id = (typeof CHECK_IDS)[number];
const health = async (as = env): Promise<z.infer<typeof HealthAnswer>> => {
  const { status, body } = await world.ask("admin", "GET", "/health", { env: as });
  expect(status).toBe(200);
  return HealthAnswer.parse(body);
};
/** The states of the checks that are not ok. */
const troubled = async (as = env): Promise<Partial<Record<Id, State>>> =>
  Object.fromEntries(
    (await health(as)).checks.filter(({ state }) => state !== "ok").map(({ id, state }) => [id, state]),
  );
/** D1 in which statements that match fail, or never answer. */
const failingOn = (pattern: RegExp, fails: () => Promise<never>): D1Database =>
  replacing(env.DB, {
    prepare: (sql) => {
      const statement = env.DB.prepare(sql);
      if (!pattern.test(sql)) return statement;
      const failing = { first: fails, all: fails, run: fails } as unknown as Partial<D1PreparedStatement>;
      return replacing(statement, { ...failing, bind: () => replacing(statement, failing) });
    },
  });
const down = () => Promise.reject(new Error("it is down"));

describe("all is well", () => {
  it("of a new organization, and where every event is sealed", async () => {
    expect(await health()).toMatchObject({
      state: "ok",
      checks: CHECK_IDS.map((id) => ({ id, state: "ok", action: null })),
    });
    await insertEvents(env, [eventOf(world.org)]);
    await sealEvents(env, world.org);
    expect((await health()).state).toBe("ok");
    expect((await health()).checks[0]?.detail).toContain("number 1");
  });
});

describe("something is not", () => {
  it("an event waits for its seal for long", async () => {
    await insertEvents(env, [eventOf(world.org, {}, Date.now() - 20 * MINUTE)]);
    expect(await troubled()).toEqual({ waiting: "warn" });
    await insertEvents(env, [eventOf(world.org, {}, Date.now() - 70 * MINUTE)]);
    expect(await troubled()).toEqual({ waiting: "bad" });
    expect((await health()).state).toBe("bad");
  });

  it("the queue is behind", async () => {
    const waits = (minutes: number): Env => ({
      ...env,
      AUDIT: replacing(env.AUDIT, {
        metrics: async () => ({
          backlogCount: 3,
          backlogBytes: 900,
          oldestMessageTimestamp: new Date(Date.now() - minutes * MINUTE),
        }),
      }),
    });
    expect(await troubled(waits(1))).toEqual({});
    expect(await troubled(waits(16))).toEqual({ queue: "warn" });
    expect(await troubled(waits(61))).toEqual({ queue: "bad" });
  });

  it("there are dead letters of this organization; those of others are not told", async () => {
    const dead = (body: unknown) =>
      consumeBatch(
        replacing(
          createMessageBatch<unknown>("portcullis-audit-dead", [
            { id: crypto.randomUUID(), timestamp: new Date(), attempts: 1, body },
          ]),
          { ackAll: () => {} },
        ),
        env,
        { waitUntil: () => {} },
      );
    await dead(eventOf("other"));
    expect(await troubled()).toEqual({});
    await dead({ ...eventOf(world.org), residency: "eu" });
    expect(await troubled()).toEqual({ dead_letters: "bad" });
    const check = (await health()).checks.find(({ id }) => id === "dead_letters");
    expect(check?.detail).toMatch(/^1 message about .* the first on 20\d\d-/);
    expect(check?.action).toContain("operator");
    for (const path of ["/events", "/overview"]) {
      const { html } = await visit(path, { cookie: await signIn(world, "admin"), env });
      expect(html).toContain("<strong>bad:</strong> 1 dead letter");
      expect(html).toContain("an operator can look at them and replay them");
      expect(html).toMatch(/<details class="health" open/);
    }
  });

  it("a receiver of its events does not accept them", async () => {
    const body = { url: "https://siem.acme.example/hook" };
    const { status, body: webhook } = await world.ask("owner", "POST", "/webhooks", { body });
    expect(status).toBe(201);
    const set = (column: string, value: string | null) =>
      env.DB.prepare(`UPDATE webhooks SET ${column} = ? WHERE id = ?`).bind(value, webhook.id).run();
    expect(await troubled()).toEqual({});
    await set("failing_since", new Date().toISOString());
    expect(await troubled()).toEqual({ webhooks: "warn" });
    await set("paused_at", new Date().toISOString());
    expect(await troubled()).toEqual({ webhooks: "bad" });
  });

  it("the edge does not have the newest revision", async () => {
    await env.DB.prepare("UPDATE orgs SET published_revision = 0 WHERE id = ?").bind(world.org).run();
    expect(await troubled()).toEqual({ edge: "warn" });
    await env.DB.prepare("UPDATE revisions SET created_at = ? WHERE org = ?")
      .bind(new Date(Date.now() - 16 * MINUTE).toISOString(), world.org)
      .run();
    expect(await troubled()).toEqual({ edge: "bad" });
  });

  it("no key signs the heads", async () => {
    await insertEvents(env, [eventOf(world.org)]);
    await sealEvents(world.env, world.org);
    expect(await troubled(world.env)).toEqual({ sealed: "warn" });
    expect(await troubled()).toEqual({ sealed: "warn" });
    await sealEvents(env, world.org);
    expect(await troubled()).toEqual({});
  });

  it("events are kept longer than they should be, as where their chain does not verify", async () => {
    await insertEvents(env, [eventOf(world.org, {}, Date.now() - 403 * DAY)]);
    await sealEvents(env, world.org);
    expect(await troubled()).toEqual({ retention: "warn" });
    await putRetention(env, { org: world.org, days: 400, legal_hold: true, actor: "owner@acme.example" });
    expect(await troubled()).toEqual({});
  });

  it("the database is nearly full", async () => {
    const sized = (bytes: number | undefined): Env => ({
      ...env,
      DB: replacing(env.DB, {
        prepare: (sql) =>
          replacing(
            env.DB.prepare(sql),
            sql === "SELECT 1" ? { all: async () => ({ meta: { size_after: bytes } }) as never } : {},
          ),
      }),
    });
    expect(await troubled(sized(7.9e9))).toEqual({});
    expect(await troubled(sized(8e9))).toEqual({ storage: "warn" });
    expect(await troubled(sized(9.6e9))).toEqual({ storage: "bad" });
    expect(await troubled(sized(undefined))).toEqual({ storage: "unknown" });
  });
});

describe("what cannot be looked at is unknown, and keeps no other check from being told", () => {
  it.each<[Id, RegExp]>([
    ["sealed", /ORDER BY s\.seq DESC/],
    ["waiting", /sealed = 0 ORDER BY id/],
    ["dead_letters", /FROM dead_letters/],
    ["webhooks", /FROM webhooks/],
    ["edge", /FROM revisions/],
    ["retention", /FROM event_retention/],
    ["storage", /^SELECT 1$/],
  ])("%s, when D1 fails", async (id, pattern) => {
    const answer = await health({ ...env, DB: failingOn(pattern, down) });
    expect(answer.state).toBe("unknown");
    expect(answer.checks.map((check) => [check.id, check.state])).toEqual(
      CHECK_IDS.map((each) => [each, each === id ? "unknown" : "ok"]),
    );
  });

  it.each<[string, () => Promise<QueueMetrics>]>([
    ["fails", down],
    ["answers something else", async () => ({ backlogCount: "many" }) as unknown as QueueMetrics],
  ])("queue, when it %s", async (_, metrics) => {
    expect(await troubled({ ...env, AUDIT: replacing(env.AUDIT, { metrics }) })).toEqual({ queue: "unknown" });
  });

  it("a check that hangs, within three seconds", async () => {
    const started = Date.now();
    const AUDIT = replacing(env.AUDIT, { metrics: () => new Promise<QueueMetrics>(() => {}) });
    expect(await troubled({ ...env, AUDIT })).toEqual({ queue: "unknown" });
    expect(Date.now() - started).toBeLessThan(3_000);
  });

  it("on a page, which is shown all the same", async () => {
    const AUDIT = replacing(env.AUDIT, { metrics: down });
    for (const path of ["/events", "/overview"]) {
      const { status, html } = await visit(path, { cookie: await signIn(world, "admin"), env: { ...env, AUDIT } });
      expect(status).toBe(200);
      expect(html).toContain("<strong>unknown:</strong> Queue: unknown");
    }
  });

  it("everything, when D1 is down as a whole: there is no answer that could be taken for one", async () => {
    const { status } = await world.ask("admin", "GET", "/health", { env: { ...env, DB: failingOn(/./, down) } });
    expect(status).toBe(503);
  });
});

describe("a finding", () => {
  const rule = { days: 400, legal_hold: false, changed_at: null, changed_by: null };
  const edge = { published: 6, newest: 7 };
  it.each<[string, { state: State; action: string | null }, State]>([
    ["sealed up to the end, signed", sealedFinding({ seq: 9, at: ago(0), signed: 9 }, { signs: true }), "ok"],
    ["sealed, its end not signed yet", sealedFinding({ seq: 9, at: ago(0), signed: 8 }, { signs: true }), "warn"],
    ["nothing sealed, and no key", sealedFinding(null, { signs: false }), "warn"],
    ["waiting for a moment", waitingFinding(ago(14 * MINUTE), NOW), "ok"],
    ["waiting for an hour", waitingFinding(ago(60 * MINUTE), NOW), "bad"],
    ["a queue without the age of its oldest", queueFinding({ backlogCount: 5 }, NOW), "unknown"],
    ["an edge that is ahead", edgeFinding({ published: 8, newest: 7, savedAt: ago(0) }, NOW), "ok"],
    ["an edge a moment behind", edgeFinding({ ...edge, savedAt: ago(MINUTE) }, NOW), "warn"],
    ["an edge that stays behind", edgeFinding({ ...edge, savedAt: ago(15 * MINUTE) }, NOW), "bad"],
    ["events about to go", retentionFinding(rule, { oldest: ago(401 * DAY), signs: true, now: NOW }), "ok"],
    ["events that stay", retentionFinding(rule, { oldest: ago(403 * DAY), signs: true, now: NOW }), "warn"],
    [
      "events that stay for the week after a change",
      retentionFinding({ ...rule, changed_at: ago(6 * DAY) }, { oldest: ago(900 * DAY), signs: true, now: NOW }),
      "ok",
    ],
    ["a database at 80 %", storageFinding(8e9), "warn"],
  ])("of %s", (_, { state, action }, expected) => {
    expect(state).toBe(expected);
    expect(action === null, "what is not well says what to do").toBe(expected === "ok");
  });
});
