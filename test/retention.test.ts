// Retention: what is older than an organization keeps goes from the beginning of its chain, exactly that, and never
// without a signed cut that stands for it.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RetentionAnswer } from "../src/admin/api/retention.ts";
import { repairEdge } from "../src/audit/cron.ts";
import { removeAllExpired, removeExpired } from "../src/audit/retention.ts";
import type { SignedCut } from "../src/chain/signed-cut.ts";
import { isGenuine, signerOf } from "../src/chain/signed-head.ts";
import type { Env } from "../src/env.ts";
import { beginningOf } from "../src/store/chain-cuts.ts";
import { keepDeadLetters } from "../src/store/dead-letters.ts";
import { insertEvents, listEvents } from "../src/store/events.ts";
import { removeReplayedLetters } from "../src/store/retention.ts";
import { openAdminWorld } from "./admin-world.ts";
import { DAY, KEY, NOW, openRetainedWorld, type RetainedWorld, signing } from "./retained-world.ts";
import { eventOf } from "./security-event.ts";
import { tamper } from "./tampering.ts";
import { replacing } from "./world.ts";

let world: RetainedWorld;
beforeEach(async () => {
  world = await openRetainedWorld();
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("removing", () => {
  it("takes exactly the events that are older, and a signed cut stands for them: the chain verifies behind it", async () => {
    const ids = await world.sealed([500, 401, 400.5, 399.9, 10, 0]);
    expect(await removeExpired(signing, world.org, NOW)).toBe(3);
    expect(await world.kept()).toEqual(ids.slice(3));
    const answer = await world.verify();
    expect(answer).toMatchObject({ ok: true, complete: true, checked: 3, from: { seq: 3 }, unlinked: [] });
    expect(answer).toMatchObject({ removed: { seq: 3, org: world.org }, proven_by: { seq: 6 } });
    const [cut] = world.cutsOut();
    expect(cut).toEqual(answer.removed);
    expect(await isGenuine(cut as SignedCut, [(await signerOf(KEY)).publicKey])).toBe(true);
    expect(cut?.removed_before).toBe(new Date(NOW - 400 * DAY).toISOString());
  });

  it("goes on from cut to cut, of which the newest stays", async () => {
    const ids = await world.sealed([450, 430, 410, 390]);
    expect(await removeExpired(signing, world.org, NOW - 20 * DAY)).toBe(2);
    expect(await removeExpired(signing, world.org, NOW)).toBe(1);
    expect(await removeExpired(signing, world.org, NOW)).toBe(0);
    expect(await world.kept()).toEqual(ids.slice(3));
    expect(await world.verify()).toMatchObject({ ok: true, removed: { seq: 3 } });
    const { results } = await signing.DB.prepare("SELECT seq FROM chain_cuts WHERE chain = ?").bind(world.org).all();
    expect(results).toEqual([{ seq: 3 }]);
  });

  it("of a whole chain leaves a chain that goes on, and still cannot be cut off or built anew", async () => {
    await world.sealed([500, 450]);
    expect(await removeExpired(signing, world.org, NOW)).toBe(2);
    expect(await world.verify()).toMatchObject({ ok: true, checked: 0, to: { seq: 2 }, removed: { seq: 2 } });
    await world.sealed([1]);
    const answer = await world.verify();
    expect(answer).toMatchObject({ ok: true, checked: 1, from: { seq: 2 }, to: { seq: 3 }, proven_by: { seq: 3 } });
  });

  it("stops at a younger event: one that was sealed late stays until those before it have gone", async () => {
    const ids = await world.sealed([500, 10, 450], { perHead: 1 });
    expect(await removeExpired(signing, world.org, NOW)).toBe(1);
    expect(await world.kept()).toEqual([ids[2], ids[1]]);
    expect(await world.verify()).toMatchObject({ ok: true, checked: 2 });
  });

  it("leaves what waits for its seal, however old", async () => {
    const waiting = eventOf(world.org, {}, NOW - 500 * DAY);
    await insertEvents(signing, [waiting]);
    expect(await removeExpired(signing, world.org, NOW)).toBe(0);
    expect(await world.kept()).toEqual([waiting.id]);
  });

  it("goes by the age that is under the hash: a column that was changed makes nothing old", async () => {
    const ids = await world.sealed([10, 5]);
    await tamper(signing, `UPDATE security_events SET at = '2020-01-01T00:00:00.000Z' WHERE org = '${world.org}'`);
    await removeAllExpired(signing, NOW);
    expect(await world.kept()).toHaveLength(ids.length);
  });

  it("takes a bounded number at once, and the rest the next time", { timeout: 30_000 }, async () => {
    await world.sealed(
      Array.from({ length: 2_100 }, (_, index) => 500 - index / 100),
      { perHead: 100 },
    );
    expect(await removeExpired(signing, world.org, NOW)).toBe(2_000);
    expect(await world.verify()).toMatchObject({ ok: true, checked: 100, removed: { seq: 2_000 } });
    expect(await removeExpired(signing, world.org, NOW)).toBe(100);
  });

  it("is cron's work, of every organization by its own rule and of events of none by the default", async () => {
    const other = await openAdminWorld();
    await world.sealed([300]);
    await world.sealed([300], { org: other.org });
    await world.sealed([401, 1], { org: null });
    await world.changeRule(200);
    await removeAllExpired(signing, NOW);
    expect(await world.kept()).toEqual([]);
    expect(await listEvents(signing, { org: other.org, limit: 5 })).toHaveLength(1);
    expect((await beginningOf(signing, null)).cut).toMatchObject({ org: null, seq: 1 });
    await expect(repairEdge({ ...signing, AUDIT_SIGNING_KEY: "malformed" })).rejects.toThrow("retention");
  });
});

describe("nothing is removed", () => {
  const nothingGoes = async (env: Env = signing) => {
    const ids = await world.kept();
    await removeAllExpired(env, NOW);
    expect(await world.kept()).toEqual(ids);
    expect((await beginningOf(env, world.org)).cut).toBeNull();
  };

  it("under a legal hold", async () => {
    await world.sealed([500, 450]);
    await world.changeRule(400, true);
    await nothingGoes();
    expect(await removeExpired(signing, world.org, NOW)).toBe(0);
  });

  it("when the hold is set between reading the rule and removing", async () => {
    const ids = await world.sealed([500, 450]);
    const DB = replacing(signing.DB, {
      batch: async (statements) => {
        vi.useFakeTimers({ toFake: ["Date"], now: NOW });
        await world.changeRule(400, true).finally(() => vi.useRealTimers());
        return signing.DB.batch(statements) as never;
      },
    });
    expect(await removeExpired({ ...signing, DB }, world.org, NOW)).toBe(0);
    expect([await world.kept(), world.cutsOut()]).toEqual([ids, []]);
    expect(await world.verify()).toMatchObject({ ok: true, removed: null });
  });

  it("within a week of a change, so that a mistake or a stolen token destroys nothing before it is seen", async () => {
    await world.sealed([300]);
    vi.useFakeTimers({ toFake: ["Date"], now: NOW - 6.9 * DAY });
    await world.changeRule(180).finally(() => vi.useRealTimers());
    await nothingGoes();
    await removeAllExpired(signing, NOW + DAY);
    expect(await world.kept()).toEqual([]);
  });

  it("without a key to sign the cut with", async () => {
    await world.sealed([500]);
    await nothingGoes({ ...signing, AUDIT_SIGNING_KEY: "" });
  });

  it.each([0, 1, 2, 3, 4])("when statement %i of the batch fails: not a row is lost", async (failing) => {
    const ids = await world.sealed([500, 450, 10]);
    const DB = replacing(signing.DB, {
      batch: (statements) =>
        signing.DB.batch(statements.with(failing, signing.DB.prepare("INSERT INTO no_such_table VALUES (1)"))) as never,
    });
    await expect(removeExpired({ ...signing, DB }, world.org, NOW)).rejects.toThrow();
    expect(await world.kept()).toEqual(ids);
    expect(await world.verify()).toMatchObject({ ok: true, checked: 3, removed: null });
  });

  it("twice, when two runs overlap: the later one finds the links gone", async () => {
    const ids = await world.sealed([500, 450, 10]);
    const removed = await Promise.all([1, 2, 3].map(() => removeExpired(signing, world.org, NOW).catch(() => 0)));
    expect(removed.reduce((sum, gone) => sum + gone, 0)).toBe(2);
    expect(await world.kept()).toEqual(ids.slice(2));
    expect(await world.verify()).toMatchObject({ ok: true, removed: { seq: 2 } });
  });

  it.each<[string, (ids: string[]) => string]>([
    [
      "an event was changed",
      ([, id]) => `UPDATE security_events SET event = json_set(event, '$.model', 'x') WHERE id = '${id}'`,
    ],
    ["its first event is gone", ([id]) => `DELETE FROM security_events WHERE id = '${id}'`],
    ["its first link is gone", () => "DELETE FROM event_seals WHERE chain = $org AND seq = 1"],
    [
      "a head in it is not genuine",
      () => "UPDATE chain_heads SET at = '2026-01-01T00:00:00.000Z' WHERE chain = $org AND seq = 3",
    ],
  ])("where the chain does not verify, since that would remove the evidence: %s", async (_, sql) => {
    const ids = await world.sealed([500, 480, 460, 440, 10]);
    await tamper(signing, sql(ids).replaceAll("$org", `'${world.org}'`));
    const before = await world.kept();
    await removeExpired(signing, world.org, NOW).catch(() => undefined);
    await removeAllExpired(signing, NOW).catch(() => undefined);
    expect(await world.kept()).toEqual(before);
    expect(await world.verify()).toMatchObject({ ok: false, removed: null });
  });

  it("behind a gap; what stands before it is whole and goes", async () => {
    const ids = await world.sealed([500, 480, 460, 10]);
    await tamper(signing, `DELETE FROM security_events WHERE id = '${ids[1]}'`);
    expect(await removeExpired(signing, world.org, NOW)).toBe(1);
    expect(await world.kept()).toEqual(ids.slice(2));
    expect(await world.verify()).toMatchObject({ ok: false, broken: { seq: 2, reason: "event_missing" } });
  });
});

describe("the rule", () => {
  it("is 400 days and no hold until an owner changes it; the change is audited and counts after a week", async () => {
    const before = RetentionAnswer.parse((await world.ask("admin", "GET", "/retention")).body);
    expect(before).toEqual({
      days: 400,
      legal_hold: false,
      changed_at: null,
      changed_by: null,
      counts_from: null,
      removed: null,
    });
    const { status, body } = await world.ask("owner", "PUT", "/retention", { body: { days: 180, legal_hold: true } });
    const after = RetentionAnswer.parse(body);
    expect([status, after]).toMatchObject([200, { days: 180, legal_hold: true, changed_by: "owner@acme.example" }]);
    expect(Date.parse(after.counts_from ?? "") - Date.parse(after.changed_at ?? "")).toBe(7 * DAY);
    expect((await world.ask("admin", "GET", "/retention")).body).toEqual(body);
    expect((await world.ask("owner", "GET", "/audit-log?limit=1")).body.data).toMatchObject([
      {
        action: "events.retention",
        actor: "owner@acme.example",
        detail: { days: 180, legal_hold: true, was: { days: 400, legal_hold: false } },
      },
    ]);
  });

  it("that holds already is not written anew, so that its week does not begin anew", async () => {
    const first = await world.ask("owner", "PUT", "/retention", { body: { days: 500, legal_hold: false } });
    const again = await world.ask("owner", "PUT", "/retention", { body: { days: 500, legal_hold: false } });
    expect(again.body).toEqual(first.body);
  });

  it.each([
    [{ days: 179, legal_hold: false }, "days"],
    [{ days: 0, legal_hold: false }, "days"],
    [{ days: 3_651, legal_hold: false }, "days"],
    [{ days: 200.5, legal_hold: false }, "days"],
    [{ days: "400", legal_hold: false }, "days"],
    [{ days: 400 }, "legal_hold"],
    [{ days: 400, legal_hold: false, dry_run: true }, "dry_run"],
  ])("%j is refused", async (body, path) => {
    const answer = await world.ask("owner", "PUT", "/retention", { body });
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request", errors: [{ path }] } });
  });

  it("of fewer days cannot be written past the API either", async () => {
    const written = signing.DB.prepare("INSERT INTO event_retention VALUES (?, 30, 0, '', '')").bind(world.org).run();
    await expect(written).rejects.toThrow("CHECK");
  });
});

describe("a dead letter", () => {
  const letter = async (id: string, replayed: number | null, org = world.org) => {
    await keepDeadLetters(signing, [{ id: `${id}-${world.org}`, body: JSON.stringify({ org }) }]);
    if (replayed !== null)
      await signing.DB.prepare("UPDATE dead_letters SET replayed_at = ? WHERE id = ?")
        .bind(new Date(NOW - replayed * DAY).toISOString(), `${id}-${world.org}`)
        .run();
  };
  const left = async () =>
    (
      await signing.DB.prepare("SELECT id FROM dead_letters WHERE id LIKE ? ORDER BY id")
        .bind(`%-${world.org}`)
        .all<{ id: string }>()
    ).results.map(({ id }) => id[0]);

  it("that was replayed goes as its organization's events do; one that waits never does", async () => {
    await letter("a", 401);
    await letter("b", 399);
    await letter("c", null);
    await keepDeadLetters(signing, [{ id: `d-${world.org}`, body: "no json" }]);
    await removeReplayedLetters(signing, { now: NOW, limit: 100 });
    expect(await left()).toEqual(["b", "c", "d"]);
    await world.changeRule(200);
    await removeReplayedLetters(signing, { now: NOW, limit: 100 });
    expect(await left()).toEqual(["c", "d"]);
  });

  it("under a legal hold stays", async () => {
    await letter("a", 500);
    await world.changeRule(400, true);
    await removeReplayedLetters(signing, { now: NOW, limit: 100 });
    expect(await left()).toEqual(["a"]);
  });
});
