// The chain of events: what is sealed stays as it was, nobody forks it, and whatever is changed, left out, moved, put in
// or built anew shows.
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { consumeEvents } from "../src/audit/consumer.ts";
import { repairEdge } from "../src/audit/cron.ts";
import { sealEvents } from "../src/audit/seal.ts";
import { GENESIS, hashOf, type Link, START, sealAll, walk } from "../src/chain/links.ts";
import { isGenuine, type SignedHead, signerOf } from "../src/chain/signed-head.ts";
import type { Env } from "../src/env.ts";
import { countUnsealed, readLinks } from "../src/store/chain.ts";
import { countRepeats, insertEvents } from "../src/store/events.ts";
import { eventOf } from "./security-event.ts";
import { smallCatalog } from "./small-catalog.ts";
import { openWorld, replacing } from "./world.ts";

/** The two Ed25519 keys of RFC 8032, section 7.1, tests 1 and 2. */
const pkcs8 = (seed: string) => Buffer.from(`302e020100300506032b657004220420${seed}`, "hex").toString("base64");
const KEY = pkcs8("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
const OTHER_KEY = pkcs8("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");

let lines: MockInstance<typeof console.log>;
beforeEach(() => {
  lines = vi.spyOn(console, "log").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

const open = async (vars: Partial<Env> = { AUDIT_SIGNING_KEY: KEY }) => {
  const { env, org } = await openWorld({ catalog: smallCatalog, vars });
  return { env, org };
};
const NOON = Date.parse("2026-11-01T12:00:00Z");
const eventsOf = (org: string, count: number) =>
  Array.from({ length: count }, (_, index) => eventOf(org, { model: `m${index}` }, NOON + index * 1000));

const linksOf = async (env: Env, org: string): Promise<Link[]> =>
  (await readLinks(env, { org, after: 0, limit: 1000 })).map(({ event, ...seal }) => ({
    ...seal,
    event: event === null ? null : JSON.parse(event),
  }));

const headsOut = (): SignedHead[] =>
  lines.mock.calls
    .map(([line]) => JSON.parse(String(line)) as { message: string } & SignedHead)
    .filter(({ message }) => message === "audit.head")
    .map(({ message: _, ...head }) => head);

describe("sealing", () => {
  it("gives each event of an organization its place, in their order, and signs where the chain ends", async () => {
    const { env, org } = await open();
    const events = eventsOf(org, 5);
    await insertEvents(env, events);
    await sealEvents(env, org);
    const links = await linksOf(env, org);
    expect(links.map(({ seq, event }) => [seq, event])).toEqual(events.map((event, index) => [index + 1, event]));
    expect(links[0]?.prev_hash).toBe(GENESIS);
    const last = links.at(-1);
    expect(walk(links, START)).toEqual({ ok: true, tip: { seq: 5, hash: last?.hash } });
    const [head, ...more] = headsOut();
    expect(more).toEqual([]);
    expect(head).toMatchObject({ org, seq: 5, hash: last?.hash });
    const { publicKey } = await signerOf(KEY);
    expect(await isGenuine(head as SignedHead, [publicKey])).toBe(true);
  });

  it("goes on where it ended, and seals nothing twice", async () => {
    const { env, org } = await open();
    const events = eventsOf(org, 3);
    for (const event of events) {
      await insertEvents(env, [event]);
      await sealEvents(env, org);
      await sealEvents(env, org);
    }
    expect((await linksOf(env, org)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(headsOut().map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it("of an event that came late gives it a later place", async () => {
    const { env, org } = await open();
    const [first, second] = eventsOf(org, 2);
    for (const event of [second, first]) {
      await insertEvents(env, [event as never]);
      await sealEvents(env, org);
    }
    expect((await linksOf(env, org)).map(({ event }) => event)).toEqual([second, first]);
  });

  it("without a key chains all the same; the first head comes with the key", async () => {
    const { env, org } = await open({});
    await insertEvents(env, eventsOf(org, 2));
    await sealEvents(env, org);
    expect([(await linksOf(env, org)).length, headsOut()]).toEqual([2, []]);
    await sealEvents({ ...env, AUDIT_SIGNING_KEY: KEY }, org);
    expect(headsOut()).toMatchObject([{ seq: 2 }]);
  });

  it("keeps organizations apart, and events of none in a chain of their own", async () => {
    const acme = await open();
    const other = await open();
    await insertEvents(acme.env, [...eventsOf(acme.org, 2), ...eventsOf(other.org, 1), eventOf("", { org: null })]);
    await repairEdge(acme.env).catch(() => undefined);
    expect((await linksOf(acme.env, acme.org)).length).toBe(2);
    expect((await linksOf(acme.env, other.org)).length).toBe(1);
    expect(await countUnsealed(acme.env, null)).toBe(0);
  });

  it("is not forked by consumers that run at once", async () => {
    const { env, org } = await open();
    const events = eventsOf(org, 60);
    const batchOf = (some: unknown[]) =>
      ({
        queue: "portcullis-audit",
        messages: some.map((body, id) => ({ id: String(id), body, attempts: 1, ack() {}, retry() {} })),
      }) as unknown as MessageBatch<unknown>;
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => consumeEvents(batchOf(events.slice(index * 5, index * 5 + 5)), env)),
    );
    const links = await linksOf(env, org);
    expect(links.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(walk(links, START).ok).toBe(true);
    expect(new Set(links.map(({ event }) => (event as { id: string }).id)).size).toBe(60);
  });

  it("that fails leaves events stored, and cron seals them", async () => {
    const { env, org } = await open();
    const [event] = eventsOf(org, 1);
    const failing = replacing(env.DB, {
      prepare: (sql: string) => {
        if (sql.includes("event_seals")) throw new Error("it is down");
        return env.DB.prepare(sql);
      },
    });
    vi.spyOn(console, "error").mockImplementation(() => {});
    let acked = false;
    const message = { id: "1", body: event, attempts: 1, ack: () => (acked = true), retry() {} };
    await consumeEvents({ queue: "q", messages: [message] } as never, { ...env, DB: failing });
    expect([acked, (await linksOf(env, org)).length]).toEqual([true, 0]);
    await repairEdge(env).catch(() => undefined);
    expect((await linksOf(env, org)).length).toBe(1);
  });

  it("waits for an event that still counts repeats", async () => {
    const { env, org } = await open();
    const window = (to: string) => ({ repeats: { at_least: 3, from: "2026-11-01T12:00:00.000Z", to } });
    await insertEvents(env, [
      eventOf(org, window("2026-11-01T12:01:00.000Z")),
      eventOf(org, window(new Date(Date.now() + 60_000).toISOString())),
    ]);
    await sealEvents(env, org);
    expect([(await linksOf(env, org)).length, await countUnsealed(env, org)]).toEqual([1, 1]);
  });

  it("seals a folded event with the count it has then, also where a block is counted while it is being sealed", async () => {
    const { env, org } = await open();
    const repeats = { at_least: 3, from: "2026-11-01T12:00:00.000Z", to: "2026-11-01T12:01:00.000Z" };
    const folded = eventOf(org, { repeats }, NOON);
    await insertEvents(env, [folded, ...eventsOf(org, 1)]);
    let late = 0;
    const batch: D1Database["batch"] = async (statements) => {
      if (late++ === 0) expect(await countRepeats(env, folded.id, 2)).toBe(true);
      return env.DB.batch(statements);
    };
    await sealEvents({ ...env, DB: replacing(env.DB, { batch }) }, org);
    const links = await linksOf(env, org);
    expect(links.map(({ event }) => event)).toContainEqual({ ...folded, repeats: { ...repeats, at_least: 5 } });
    expect(walk(links, START)).toMatchObject({ ok: true, tip: { seq: 2 } });
    expect(headsOut()).toMatchObject([{ seq: 2, hash: links.at(-1)?.hash }]);
  });

  it("leaves out an event that is gone by then, and not its number", async () => {
    const { env, org } = await open();
    const [first, second] = eventsOf(org, 2);
    await insertEvents(env, [first, second] as never);
    let late = 0;
    const batch: D1Database["batch"] = async (statements) => {
      if (late++ === 0) await env.DB.prepare("DELETE FROM security_events WHERE id = ?").bind(first?.id).run();
      return env.DB.batch(statements);
    };
    await sealEvents({ ...env, DB: replacing(env.DB, { batch }) }, org);
    const links = await linksOf(env, org);
    expect(links.map(({ seq, event }) => [seq, event])).toEqual([[1, second]]);
    expect(walk(links, START).ok).toBe(true);
  });

  it("makes an event, its place and its head unchangeable in the schema", async () => {
    const { env, org } = await open();
    await insertEvents(env, eventsOf(org, 1));
    await sealEvents(env, org);
    for (const sql of [
      "UPDATE security_events SET event = '{}' WHERE org = ?",
      "UPDATE security_events SET sealed = 0 WHERE org = ?",
      "UPDATE event_seals SET hash = 'x' WHERE chain = ?",
      "UPDATE chain_heads SET hash = 'x' WHERE chain = ?",
    ])
      await expect(env.DB.prepare(sql).bind(org).run(), sql).rejects.toThrow();
  });
});

describe("walking a chain finds what was tampered with, and names the first break", () => {
  const events = eventsOf("acme", 6);
  const intact: Link[] = sealAll(events, START).map((seal, index) => ({ ...seal, event: events[index] }));
  const at = (index: number) => intact[index] as Link;
  const id = (index: number) => events[index]?.id;
  /** What somebody would write who can compute hashes and cannot sign. */
  const rebuilt = (some: unknown[]): Link[] =>
    sealAll(some, START).map((seal, index) => ({ ...seal, event: some[index] }));

  it("finds nothing in one that is intact, nor from its middle on", () => {
    expect(walk(intact, START)).toEqual({ ok: true, tip: { seq: 6, hash: at(5).hash } });
    expect(walk(intact.slice(3), at(2)).ok).toBe(true);
  });

  it.each<[string, Link[], object]>([
    [
      "a field changed",
      intact.with(2, { ...at(2), event: { ...events[2], model: "other" } }),
      { seq: 3, event: id(2), reason: "event_changed" },
    ],
    [
      "a field added",
      intact.with(2, { ...at(2), event: { ...events[2], x: 1 } }),
      { seq: 3, event: id(2), reason: "event_changed" },
    ],
    ["an event gone", intact.with(2, { ...at(2), event: null }), { seq: 3, event: null, reason: "event_missing" }],
    ["the first deleted", intact.slice(1), { seq: 1, event: null, reason: "missing", next: 2 }],
    ["a middle one deleted", intact.toSpliced(2, 1), { seq: 3, event: null, reason: "missing", next: 4 }],
    [
      "two swapped",
      intact.with(2, { ...at(2), event: events[3] }).with(3, { ...at(3), event: events[2] }),
      { seq: 3, event: id(3), reason: "event_changed" },
    ],
    ["two links swapped", intact.with(2, at(3)).with(3, at(2)), { seq: 3, event: null, reason: "missing", next: 4 }],
    ["one inserted", intact.toSpliced(2, 0, { ...at(2), event: eventOf("acme") }), { seq: 3, reason: "event_changed" }],
    ["one link twice", intact.toSpliced(2, 0, at(1)), { seq: 2, event: id(1), reason: "out_of_order" }],
    [
      "one changed, with a hash that fits",
      intact.with(2, {
        ...at(2),
        event: { ...events[2], model: "other" },
        hash: hashOf({ ...events[2], model: "other" }, at(2)),
      }),
      { seq: 4, event: id(3), reason: "not_linked" },
    ],
  ])("%s", (_, links, broken) => {
    expect(walk(links, START)).toMatchObject({ ok: false, broken });
  });

  it("cannot tell one that was rebuilt as a whole, or cut at its end: a signed head does", () => {
    for (const links of [rebuilt(events.with(2, eventOf("acme"))), intact.slice(0, 4)]) {
      const walked = walk(links, START);
      expect(walked.ok).toBe(true);
      expect(walked).not.toMatchObject({ tip: { seq: 6, hash: at(5).hash } });
    }
  });
});

describe("a signed head", () => {
  const signed = async (key = KEY): Promise<SignedHead> => {
    const { env, org } = await open({ AUDIT_SIGNING_KEY: key });
    await insertEvents(env, eventsOf(org, 1));
    await sealEvents(env, org);
    return headsOut().at(-1) as SignedHead;
  };

  it.each<[string, Partial<SignedHead>]>([
    ["another organization", { org: "other" }],
    ["another place", { seq: 2 }],
    ["another hash", { hash: GENESIS }],
    ["another time", { at: "2026-01-01T00:00:00.000Z" }],
    ["a signature of nothing", { signature: "A".repeat(86) }],
  ])("for %s is not genuine", async (_, change) => {
    const { publicKey } = await signerOf(KEY);
    expect(await isGenuine({ ...(await signed()), ...change }, [publicKey])).toBe(false);
  });

  it("of another key is not genuine, also under this one's id; of a retired one it is", async () => {
    const [ours, theirs] = [await signerOf(KEY), await signerOf(OTHER_KEY)];
    const head = await signed(OTHER_KEY);
    expect(await isGenuine(head, [ours.publicKey])).toBe(false);
    expect(await isGenuine({ ...head, key_id: ours.key_id }, [ours.publicKey])).toBe(false);
    expect(await isGenuine(head, [ours.publicKey, theirs.publicKey])).toBe(true);
  });
});
