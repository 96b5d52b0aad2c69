// What the audit queue gives up on is kept whole, told, and can be sent on its way again.
import { createExecutionContext, createMessageBatch } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DeadLettersAnswer } from "../src/admin/api/dead-letters.ts";
import { consumeBatch } from "../src/audit/consumer.ts";
import type { Env } from "../src/env.ts";
import { countDeadLetters } from "../src/store/dead-letters.ts";
import { findEvent } from "../src/store/events.ts";
import { openAdminWorld } from "./admin-world.ts";
import { replacing, together, withoutAuditLog } from "./replacing.ts";
import { eventOf } from "./security-event.ts";

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(console, "log").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Delivers bodies on one of the queues; returns the ids that were acknowledged. */
async function deliver(env: Env, queue: string, bodies: unknown[], attempts = 1): Promise<string[]> {
  const acked: string[] = [];
  const batch = createMessageBatch<unknown>(
    queue,
    bodies.map((body) => ({ id: crypto.randomUUID(), timestamp: new Date(), attempts, body })),
  );
  const messages = batch.messages.map((message) =>
    replacing(message, { ack: () => void acked.push(message.id), retry: () => {} }),
  );
  const ackAll = () => void acked.push(...batch.messages.map(({ id }) => id));
  await consumeBatch(replacing(batch, { messages, ackAll }), env, createExecutionContext());
  return acked;
}

describe("a dead letter", () => {
  it("is kept whole, whatever it is, and told to its organization and the operator", async () => {
    const { env, org, call } = await openAdminWorld();
    const before = await countDeadLetters(env);
    const unreadable = { ...eventOf(org), residency: "eu" };
    const acked = await deliver(env, "portcullis-audit-dead", [unreadable, "no event", null]);
    expect(acked).toHaveLength(3);
    expect([await countDeadLetters(env, org), await countDeadLetters(env)]).toEqual([1, before + 3]);
    const { body } = await call("operator", "GET", "/dead-letters");
    const { data, waiting } = DeadLettersAnswer.parse(body);
    expect(waiting).toBe(before + 3);
    expect(data.map((letter) => JSON.parse(letter.body))).toEqual(
      expect.arrayContaining([unreadable, "no event", null]),
    );
  });

  it("delivered twice is kept once", async () => {
    const { env, org } = await openAdminWorld();
    const batch = createMessageBatch<unknown>("portcullis-audit-dead", [
      { id: `twice-${org}`, timestamp: new Date(), attempts: 1, body: eventOf(org) },
    ]);
    for (let turn = 0; turn < 2; turn++) {
      await consumeBatch(replacing(batch, { ackAll: () => {} }), env, createExecutionContext());
    }
    expect(await countDeadLetters(env, org)).toBe(1);
  });

  it("that D1 does not take is not acknowledged: the error escapes, and the platform delivers again", async () => {
    const { env, org } = await openAdminWorld();
    const failing = { ...env, DB: replacing(env.DB, { batch: () => Promise.reject(new Error("it is down")) }) };
    await expect(deliver(failing, "portcullis-audit-dead", [eventOf(org)])).rejects.toThrow();
    expect(await countDeadLetters(env, org)).toBe(0);
  });

  it("is replayed by the operator: it goes over the real queue, and is stored once", { timeout: 20_000 }, async () => {
    const { env, org, call } = await openAdminWorld();
    const event = eventOf(org);
    const [id = ""] = await deliver(env, "portcullis-audit-dead", [event]);
    expect((await call("operator", "POST", `/dead-letters/${id}/replay`)).body).toEqual({ id, replayed: true });
    expect((await call("operator", "POST", `/dead-letters/${id}/replay`)).status).toBe(404);
    await vi.waitFor(async () => expect(await findEvent(env, org, event.id)).toEqual(event), {
      timeout: 15_000,
      interval: 200,
    });
    expect(await countDeadLetters(env, org)).toBe(0);
  });

  it("leaves one row in the operator's audit log, also when two replay it at the same time", async () => {
    const { env, org, call } = await openAdminWorld();
    const [id = ""] = await deliver(env, "portcullis-audit-dead", [eventOf(org)]);
    const twice = { env: { ...env, DB: together(env.DB, 2) } };
    const replay = () => call("operator", "POST", `/dead-letters/${id}/replay`, twice);
    const answers = await Promise.all([replay(), replay()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404]);
    const { body } = await call("operator", "GET", "/audit-log?limit=200");
    const rows = body.data.filter(({ target }: { target: string }) => target === id);
    expect(rows).toMatchObject([{ org: null, actor: "operator", action: "dead_letter.replay" }]);
  });

  it("stays waiting where the audit log takes no row of its replay", async () => {
    const { env, org, call } = await openAdminWorld();
    const [id = ""] = await deliver(env, "portcullis-audit-dead", [eventOf(org)]);
    const replay = (DB: D1Database) => call("operator", "POST", `/dead-letters/${id}/replay`, { env: { ...env, DB } });
    expect((await replay(withoutAuditLog(env))).status).toBe(503);
    expect(await countDeadLetters(env, org)).toBe(1);
    expect((await replay(env.DB)).status).toBe(200);
  });

  it("that the queue does not take stays waiting", async () => {
    const { env, org, call } = await openAdminWorld();
    const [id = ""] = await deliver(env, "portcullis-audit-dead", [eventOf(org)]);
    const AUDIT = replacing(env.AUDIT, { send: () => Promise.reject(new Error("it is down")) });
    const { status } = await call("operator", "POST", `/dead-letters/${id}/replay`, { env: { ...env, AUDIT } });
    expect(status).toBeGreaterThanOrEqual(500);
    expect(await countDeadLetters(env, org)).toBe(1);
    const { body } = await call("operator", "GET", "/audit-log?limit=200");
    expect(body.data.map(({ target }: { target: string }) => target)).not.toContain(id);
  });

  it.each(["owner", "admin", "developer", "nobody"] as const)("is not for the %s", async (by) => {
    const { call } = await openAdminWorld();
    for (const [method, path] of [
      ["GET", "/dead-letters"],
      ["POST", "/dead-letters/x/replay"],
    ] as const)
      expect((await call(by, method, path)).status).toBe(by === "nobody" ? 401 : 403);
  });
});

describe("the consumer", () => {
  it("stores the others of a batch in which D1 refuses a single one", async () => {
    const { env, org } = await openAdminWorld();
    const [bad, ...good] = Array.from({ length: 5 }, () => eventOf(org));
    const DB = replacing(env.DB, {
      batch: async (statements) => {
        // D1 rolls a batch back as a whole.
        const results = await env.DB.batch(statements.length === 1 ? statements : []);
        if (statements.length > 1) throw new Error("one of them is refused");
        return results as never;
      },
    });
    const acked = await deliver({ ...env, DB }, "portcullis-audit", [...good, bad]);
    expect(acked.length).toBe(5);
  });

  it("gives up on a batch soon when it is D1 that fails", async () => {
    const { env, org } = await openAdminWorld();
    const batch = vi.fn(() => Promise.reject(new Error("it is down")));
    const events = Array.from({ length: 50 }, () => eventOf(org));
    expect(await deliver({ ...env, DB: replacing(env.DB, { batch }) }, "portcullis-audit", events)).toEqual([]);
    expect(batch).toHaveBeenCalledTimes(4);
  });
});
