// An auditor verifies an exported chain offline: whatever was done to the file, or to the database before it was made, is
// found and named.
import { env as bindings } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { sealEvents } from "../src/audit/seal.ts";
import { type Flaw, type Held, type Verdict, verifyExport } from "../src/chain/export-file.ts";
import { type Link, START, sealAll } from "../src/chain/links.ts";
import { signCut } from "../src/chain/signed-cut.ts";
import { type PublicKey, type SignedHead, signerOf, signHead } from "../src/chain/signed-head.ts";
import type { Env } from "../src/env.ts";
import { insertEvents } from "../src/store/events.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { eventOf } from "./security-event.ts";

const pkcs8 = (seed: string) => Buffer.from(`302e020100300506032b657004220420${seed}`, "hex").toString("base64");
const KEY = pkcs8("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
const OTHER_KEY = pkcs8("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
const signing: Env = { ...(bindings as unknown as Env), AUDIT_SIGNING_KEY: KEY };

type Line = Record<string, unknown> & { event?: Record<string, unknown>; head?: SignedHead };

let world: AdminWorld;
/** The export: its first line, six links, and the head. */
let exported: Line[];
let key: PublicKey;
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  world = await openAdminWorld();
  key = (await signerOf(KEY)).publicKey;
  const events = Array.from({ length: 6 }, (_, index) => eventOf(world.org, {}, Date.UTC(2026, 10, 1) + index * 1000));
  for (const half of [events.slice(0, 3), events.slice(3)]) {
    await insertEvents(signing, half);
    await sealEvents(signing, world.org);
  }
  exported = await download();
});

async function download(query = ""): Promise<Line[]> {
  const { text, status } = await world.ask("owner", "GET", `/events/chain${query}`, { env: signing });
  expect(status).toBe(200);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const nothingHeld: Held = { keys: [], heads: [], after: 0 };

function verify(lines: readonly (Line | string)[], held: Partial<Held> = {}): Promise<Verdict> {
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  return verifyExport(
    async function* () {
      yield* text;
    },
    { ...nothingHeld, ...held },
  );
}

const linkAt = (seq: number) => exported[seq] as Line;
const head = () => exported.at(-1)?.head as SignedHead;
const without = (...seqs: number[]) => exported.filter((_, index) => !seqs.includes(index));
const replaced = (seq: number, line: Line | string) => exported.map((each, index) => (index === seq ? line : each));

/** What somebody makes who has the algorithm and not the key: a chain of other events that is whole in itself. */
function rebuilt(
  events: Record<string, unknown>[] = exported.slice(1, -1).map(({ event }) => ({ ...event, model: "harmless" })),
): Line[] {
  const seals = sealAll(events, START);
  return seals.map((seal, index) => ({ ...seal, event: events[index] ?? {} }));
}

describe("an export as it was made", () => {
  it("is proven up to its head, and says that its keys are its own", async () => {
    const verdict = await verify(exported);
    expect(verdict).toMatchObject({ proven: true, flaw: null, chain: world.org, checked: 6, keys: "of_the_file" });
    expect(verdict.proven_by).toEqual(head());
  });

  it("is proven by a pinned key, and by a head kept elsewhere", async () => {
    const verdict = await verify(without(7), { keys: [key], heads: [head()] });
    expect(verdict).toMatchObject({ proven: true, keys: "given", proven_by: { seq: 6 } });
  });

  it("from behind a place that the verifier knows of is proven from there", async () => {
    const later = await download("?after=4");
    expect(await verify(later, { after: 4 })).toMatchObject({ proven: true, from: { seq: 4 }, checked: 2 });
    expect(await verify(later)).toMatchObject({ proven: false, flaw: { kind: "begins_late", after: 4 } });
    expect(await verify(later, { after: 3 })).toMatchObject({
      flaw: { kind: "broken", broken: { reason: "missing" } },
    });
    const ofThree = await signHead(await signerOf(KEY), world.org, { seq: 3, hash: String(linkAt(3).hash) }, head().at);
    expect(await verify(later, { after: 4, heads: [ofThree] })).toMatchObject({
      flaw: { kind: "head_before", seq: 3 },
    });
  });

  it("from behind the newest event is proven by the head of that place, unless the head is forged", async () => {
    const none = await download("?after=6");
    expect(none).toEqual([{ ...exported[0], after: 6 }, { head: head() }]);
    const { hash } = head();
    expect(await verify(none, { after: 6, keys: [key] })).toMatchObject({
      proven: true,
      from: { seq: 6, hash },
      to: { seq: 6, hash },
      checked: 0,
      proven_by: head(),
    });
    const [first] = none as [Line];
    const tip = { seq: 6, hash: String(rebuilt().at(-1)?.hash) };
    const forged = await signHead(await signerOf(OTHER_KEY), world.org, tip, head().at);
    const flaws: [Line[], Partial<Held>, Flaw | object][] = [
      [[first], {}, { kind: "unsigned" }],
      [[first, { head: { ...head(), hash: tip.hash } }], {}, { kind: "head", seq: 6, reason: "not_genuine" }],
      [[first, { head: forged }], { keys: [key] }, { kind: "head", seq: 6, reason: "not_genuine" }],
      [
        [{ ...first, keys: [(await signerOf(OTHER_KEY)).publicKey, key] }, { head: forged }],
        { heads: [head()] },
        { kind: "head", seq: 6, reason: "other_chain" },
      ],
    ];
    for (const [lines, held, flaw] of flaws)
      expect(await verify(lines, { after: 6, ...held })).toMatchObject({ proven: false, flaw });
  });

  it("that was made while an event came in is proven, or says which links are not signed yet", async () => {
    const more = rebuilt([...exported.slice(1, -1).map(({ event }) => event ?? {}), { id: "evt_new" }]);
    const file = [exported[0] as Line, ...more, { head: head() }];
    expect(await verify(file)).toMatchObject({ proven: false, flaw: { kind: "unsigned_end", from: 7, to: 7 } });
  });
});

describe("tampering is found and named", () => {
  it.each<[string, () => (Line | string)[], Flaw | object]>([
    [
      "a field changed",
      () => replaced(3, { ...linkAt(3), event: { ...linkAt(3).event, model: "harmless" } }),
      { kind: "broken", broken: { seq: 3, reason: "event_changed" } },
    ],
    [
      "a field added",
      () => replaced(3, { ...linkAt(3), event: { ...linkAt(3).event, note: "" } }),
      { kind: "broken", broken: { seq: 3, reason: "event_changed" } },
    ],
    [
      "an event emptied",
      () => replaced(3, { ...linkAt(3), event: null as never }),
      { kind: "broken", broken: { seq: 3, reason: "event_missing" } },
    ],
    [
      "a number beyond all bounds",
      () => replaced(3, JSON.stringify(linkAt(3)).replace('"policy_revision":1', '"policy_revision":1e999')),
      { kind: "unreadable", line: 4 },
    ],
    [
      "a field said twice, of which the last is as it was",
      () => replaced(3, JSON.stringify(linkAt(3)).replace('"event":{', '"event":{"model":"harmless",')),
      { kind: "unreadable", line: 4 },
    ],
    [
      "an event said twice, of which the last is as it was",
      () => replaced(3, JSON.stringify(linkAt(3)).replace('"event":', '"event":{},"event":')),
      { kind: "unreadable", line: 4 },
    ],
    [
      "half a surrogate pair",
      () => replaced(3, JSON.stringify(linkAt(3)).replace('"deepseek-v3.2"', '"\\ud800"')),
      { kind: "broken", broken: { seq: 3, reason: "event_changed" } },
    ],
    ["the first link deleted", () => without(1), { kind: "begins_late", after: 1 }],
    [
      "the first link deleted, and the first line told so",
      () => [{ ...exported[0], after: 1 }, ...without(0, 1)],
      { kind: "begins_late", after: 1 },
    ],
    ["a middle one deleted", () => without(4), { kind: "broken", broken: { seq: 4, reason: "missing", next: 5 } }],
    ["the last link deleted", () => without(6), { kind: "head", seq: 6, reason: "cut_off" }],
    ["the last link deleted with the head", () => without(6, 7), { kind: "unsigned" }],
    ["the head deleted", () => without(7), { kind: "unsigned" }],
    ["every link deleted", () => without(1, 2, 3, 4, 5, 6), { kind: "head", seq: 6, reason: "cut_off" }],
    ["all but the first line deleted", () => exported.slice(0, 1), { kind: "unsigned" }],
    [
      "two lines swapped",
      () => [2, 5].reduce((lines, at) => lines.with(at, linkAt(7 - at)), exported),
      { kind: "broken", broken: { seq: 2, reason: "missing", next: 5 } },
    ],
    [
      "two events swapped",
      () =>
        [2, 5].reduce((lines, at) => lines.with(at, { ...linkAt(at), event: linkAt(7 - at).event as never }), exported),
      { kind: "broken", broken: { seq: 2, reason: "event_changed" } },
    ],
    [
      "one inserted",
      () => exported.toSpliced(4, 0, { ...linkAt(4), event: eventOf(world.org) }),
      { kind: "broken", broken: { seq: 4, reason: "event_changed" } },
    ],
    [
      "a line twice",
      () => exported.toSpliced(4, 0, linkAt(3)),
      { kind: "broken", broken: { seq: 3, reason: "out_of_order" } },
    ],
    [
      "one inserted behind the signed end",
      () => [
        ...exported.slice(0, -1),
        ...rebuilt(
          exported
            .slice(1, -1)
            .map(({ event }) => event ?? {})
            .concat({ id: "x" }),
        ).slice(-1),
        { head: head() },
      ],
      { kind: "unsigned_end", from: 7, to: 7 },
    ],
    [
      "a link and its hash changed together",
      () => replaced(3, rebuilt().at(2) as Line),
      { kind: "broken", broken: { seq: 3, reason: "not_linked" } },
    ],
    [
      "rebuilt whole without the signing key",
      () => [exported[0] as Line, ...rebuilt(), { head: head() }],
      { kind: "head", seq: 6, reason: "other_chain" },
    ],
    [
      "rebuilt, its head written over",
      () => [exported[0] as Line, ...rebuilt(), { head: { ...head(), hash: String(rebuilt().at(-1)?.hash) } }],
      { kind: "head", seq: 6, reason: "not_genuine" },
    ],
    [
      "the head dated later",
      () => replaced(7, { head: { ...head(), at: "2027-01-01T00:00:00.000Z" } }),
      { kind: "head", seq: 6, reason: "not_genuine" },
    ],
    [
      "passed off as another organization's",
      () => replaced(0, { ...exported[0], chain: "other" }),
      { kind: "head", seq: 6, reason: "other_organization" },
    ],
    ["a line that is no JSON", () => replaced(4, "{"), { kind: "unreadable", line: 5 }],
    ["a line with a field too many", () => replaced(4, { ...linkAt(4), more: 1 }), { kind: "unreadable", line: 5 }],
    ["an empty line", () => exported.toSpliced(3, 0, "" as never), { kind: "unreadable", line: 4 }],
    ["no first line", () => without(0), { kind: "unreadable", line: 1 }],
    ["an empty file", () => [], { kind: "unreadable", line: 1 }],
  ])("%s", async (_, tampered, flaw) => {
    const verdict = await verify(tampered());
    expect(verdict).toMatchObject({ proven: false, flaw });
    expect((await verify(tampered(), { keys: [key] })).proven).toBe(false);
  });
});

describe("rebuilt and signed with a key of the forger's own, which the file brings along", () => {
  async function forged(): Promise<Line[]> {
    const signer = await signerOf(OTHER_KEY);
    const links = rebuilt();
    const signed = await signHead(signer, world.org, links.at(-1) as unknown as Link, head().at);
    return [{ ...exported[0], keys: [signer.publicKey, key] }, ...links, { head: signed }];
  }

  it("passes by the file's own keys, and so is said to rest on them", async () => {
    expect(await verify(await forged())).toMatchObject({ proven: true, keys: "of_the_file" });
  });

  it("is found by a pinned key", async () => {
    const verdict = await verify(await forged(), { keys: [key] });
    expect(verdict).toMatchObject({ proven: false, flaw: { kind: "head", reason: "not_genuine" } });
  });

  it("is found by a head kept elsewhere, even without a key", async () => {
    const verdict = await verify(await forged(), { heads: [head()] });
    expect(verdict).toMatchObject({ proven: false, flaw: { kind: "head", reason: "other_chain" } });
    const [first, ...rest] = await forged();
    const withoutOurKey = [{ ...first, keys: [(await signerOf(OTHER_KEY)).publicKey] }, ...rest];
    expect(await verify(withoutOurKey, { heads: [head()] })).toMatchObject({ flaw: { reason: "not_genuine" } });
  });
});

it("a head held elsewhere of an older moment does not hide that the end was cut off since", async () => {
  const older = await signHead(await signerOf(KEY), world.org, { seq: 3, hash: String(linkAt(3).hash) }, head().at);
  const cut = without(5, 6);
  expect(await verify(cut, { heads: [older] })).toMatchObject({ flaw: { kind: "head", seq: 6, reason: "cut_off" } });
});

it("a chain cut off in the database is exported with the head that says so", async () => {
  const held = await openAdminWorld();
  await insertEvents(signing, [eventOf(held.org, {}, 1), eventOf(held.org, {}, 2)]);
  await sealEvents(signing, held.org);
  const { DB } = signing;
  const triggers = await DB.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all<{
    name: string;
    sql: string;
  }>();
  for (const { name } of triggers.results) await DB.prepare(`DROP TRIGGER ${name}`).run();
  await DB.prepare("DELETE FROM event_seals WHERE chain = ? AND seq = 2").bind(held.org).run();
  for (const { sql } of triggers.results) await DB.prepare(sql).run();
  const { text } = await held.ask("owner", "GET", "/events/chain", { env: signing });
  expect(await verify(text.trimEnd().split("\n"))).toMatchObject({ flaw: { kind: "head", seq: 2, reason: "cut_off" } });
});

it("more links than are walked at a time are proven, and a break among them is found", async () => {
  const events = Array.from({ length: 1203 }, (_, index) => ({ id: `evt_${index}` }));
  const links = rebuilt(events);
  const signed = await signHead(await signerOf(KEY), world.org, links.at(-1) as unknown as Link, head().at);
  const file = [exported[0] as Line, ...links, { head: signed }];
  expect(await verify(file)).toMatchObject({ proven: true, checked: 1203 });
  expect(await verify(file.toSpliced(778, 1))).toMatchObject({ flaw: { broken: { seq: 778, reason: "missing" } } });
});

describe("an export that begins behind what retention removed", () => {
  const REMOVED_BEFORE = "2026-11-01T00:00:03.000Z";
  const cutBy = async (pkcs8Key: string, seq: number, org = world.org) => {
    const { hash } = linkAt(seq) as unknown as { hash: string };
    return signCut(await signerOf(pkcs8Key), org, {
      tip: { seq, hash },
      removedBefore: REMOVED_BEFORE,
      at: REMOVED_BEFORE,
    });
  };
  const behind = (removed: unknown) => [{ ...exported[0], removed }, ...exported.slice(4)];

  it("is proven by the signed cut that stands for it", async () => {
    expect(await verify(behind(await cutBy(KEY, 3)), { keys: [key] })).toMatchObject({
      proven: true,
      from: { seq: 3 },
      checked: 3,
    });
  });

  it.each<[string, () => Promise<unknown>, object]>([
    ["no cut", async () => null, { kind: "begins_late", after: 3 }],
    ["a cut of another place", () => cutBy(KEY, 2), { kind: "begins_late", after: 3 }],
    ["a cut of another key", () => cutBy(OTHER_KEY, 3), { kind: "head", seq: 3, reason: "not_genuine" }],
    [
      "another organization's cut",
      () => cutBy(KEY, 3, "other"),
      { kind: "head", seq: 3, reason: "other_organization" },
    ],
  ])("with %s is not", async (_, cut, flaw) => {
    expect(await verify(behind(await cut()), { keys: [key] })).toMatchObject({ proven: false, flaw });
  });
});
