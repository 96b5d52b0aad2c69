// What stands for the events that retention removed: a signed cut, which nobody else can make, and which an auditor
// can go on from.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { removeExpired } from "../src/audit/retention.ts";
import { type Held, verifyExport } from "../src/chain/export-file.ts";
import { SignedCut, signCut } from "../src/chain/signed-cut.ts";
import { isGenuine, type SignedHead, signerOf, signHead } from "../src/chain/signed-head.ts";
import type { Env } from "../src/env.ts";
import { readHeads } from "../src/store/chain.ts";
import { DAY, KEY, NOW, OTHER_KEY, openRetainedWorld, type RetainedWorld, signing } from "./retained-world.ts";
import { tamper } from "./tampering.ts";
import { replacing } from "./world.ts";

let world: RetainedWorld;
beforeEach(async () => {
  world = await openRetainedWorld();
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("tampering with what stands for the removed", () => {
  let cut: SignedCut;
  beforeEach(async () => {
    await world.sealed([500, 450, 420, 10, 5, 1]);
    await removeExpired(signing, world.org, NOW);
    cut = SignedCut.parse((await world.verify()).removed);
  });
  const here = (sql: string) => tamper(signing, sql.replaceAll("$org", `'${world.org}'`));
  const insert = ({ seq, hash, at, removed_before, key_id, signature }: SignedCut) =>
    `INSERT INTO chain_cuts VALUES ($org, ${seq}, '${hash}', '${at}', '${removed_before}', '${key_id}', '${signature}')`;

  it.each<[string, string, object]>([
    [
      "its moment changed",
      "UPDATE chain_cuts SET removed_before = '2020-01-01T00:00:00.000Z' WHERE chain = $org",
      { head_problem: { seq: 3, reason: "not_genuine" } },
    ],
    [
      "its hash changed",
      `UPDATE chain_cuts SET hash = '${"0".repeat(64)}' WHERE chain = $org`,
      { broken: { seq: 4, reason: "not_linked" } },
    ],
    [
      "its place changed",
      "UPDATE chain_cuts SET seq = 2 WHERE chain = $org",
      { broken: { seq: 1, reason: "missing" } },
    ],
    ["deleted", "DELETE FROM chain_cuts WHERE chain = $org", { broken: { seq: 1, reason: "missing", next: 4 } }],
    [
      "more removed than it says",
      "DELETE FROM event_seals WHERE chain = $org AND seq = 4",
      { broken: { seq: 1, reason: "missing", next: 5 } },
    ],
  ])("is found: %s", async (_, sql, found) => {
    await here(sql);
    expect(await world.verify()).toMatchObject({ ok: false, ...found });
  });

  it("is found: more removed, and another cut that somebody else signed", async () => {
    const { to } = await world.verify();
    const forged = await signCut(await signerOf(OTHER_KEY), world.org, {
      tip: to,
      removedBefore: cut.removed_before,
      at: cut.at,
    });
    await here("DELETE FROM event_seals WHERE chain = $org");
    await here("DELETE FROM security_events WHERE org = $org");
    await here(insert(forged));
    expect(await world.verify()).toMatchObject({ ok: false, head_problem: { seq: 6, reason: "not_genuine" } });
  });

  it("is found: more removed, and an ordinary head made the cut", async () => {
    const { proven_by } = await world.verify();
    await here("DELETE FROM event_seals WHERE chain = $org");
    await here("DELETE FROM security_events WHERE org = $org");
    await here(insert({ ...(proven_by as SignedHead), removed_before: cut.removed_before }));
    expect(await world.verify()).toMatchObject({ ok: false, head_problem: { seq: 6, reason: "not_genuine" } });
  });

  it("is not made good by the next cut: behind a forged one nothing is removed", async () => {
    await here("UPDATE chain_cuts SET removed_before = '2020-01-01T00:00:00.000Z' WHERE chain = $org");
    await expect(removeExpired(signing, world.org, NOW + 800 * DAY)).rejects.toThrow();
    expect(await world.kept()).toHaveLength(3);
    expect(await world.verify()).toMatchObject({ ok: false, head_problem: { seq: 3, reason: "not_genuine" } });
  });

  it("is found: a cut of another organization's chain", async () => {
    const elsewhere = await signCut(await signerOf(KEY), "other", {
      tip: cut,
      removedBefore: cut.removed_before,
      at: cut.at,
    });
    await here(`UPDATE chain_cuts SET signature = '${elsewhere.signature}' WHERE chain = $org`);
    expect(await world.verify()).toMatchObject({ ok: false, head_problem: { reason: "not_genuine" } });
  });
});

it("a beginning that somebody cut off right behind a signed head is missing: a head is no cut", async () => {
  const ids = await world.sealed([5, 4, 3, 2, 1, 0]);
  await tamper(
    signing,
    ...ids.slice(0, 3).map((id) => `DELETE FROM security_events WHERE id = '${id}'`),
    `DELETE FROM event_seals WHERE chain = '${world.org}' AND seq <= 3`,
  );
  expect(await world.verify()).toMatchObject({ ok: false, broken: { seq: 1, reason: "missing", next: 4 } });
});

describe("an auditor behind a cut", () => {
  it("who goes on from a place that was removed since is led to where the chain begins now", async () => {
    await world.sealed([500, 450, 10]);
    const [{ to }] = [await world.verify()];
    const early = { seq: 1, hash: "a".repeat(64) };
    await removeExpired(signing, world.org, NOW);
    expect(await world.verify(`?from=1&from_hash=${early.hash}`)).toMatchObject({
      ok: true,
      from: { seq: 2 },
      checked: 1,
    });
    expect(await world.verify(`?from=3&from_hash=${to.hash}`)).toMatchObject({ ok: true, from: to, checked: 0 });
  });

  it("who holds a head of a place that was removed is told so, and that it is genuine", async () => {
    await world.sealed([500, 450, 10], { perHead: 1 });
    const heads = await readHeads(signing, { org: world.org, after: 0, limit: 3 });
    await removeExpired(signing, world.org, NOW);
    const asked = (head: object | undefined) => world.verify(`?head=${encodeURIComponent(JSON.stringify(head))}`);
    expect(await asked(heads[0])).toMatchObject({ ok: true, held: "removed" });
    expect(await asked(heads[1])).toMatchObject({ ok: true, held: "borne_out" });
    expect(await asked({ ...heads[0], hash: "0".repeat(64) })).toMatchObject({ ok: false, held: "not_genuine" });
  });

  /** Bindings by which cron removes what is due just before links are read for the `nth` time. */
  function removingBefore(nth: number): { env: Env; removed: () => boolean } {
    let reads = 0;
    const DB = replacing(signing.DB, {
      prepare: (sql) => {
        const statement = signing.DB.prepare(sql);
        if (!sql.includes("LEFT JOIN security_events")) return statement;
        return replacing(statement, {
          bind: (...values) =>
            replacing(statement.bind(...values), {
              all: async () => {
                if (++reads === nth) await removeExpired(signing, world.org, NOW);
                return statement.bind(...values).all() as never;
              },
            }),
        });
      },
    });
    return { env: { ...signing, DB }, removed: () => reads >= nth };
  }

  it("who verifies while cron removes is not told of a gap", async () => {
    await world.sealed([500, 450, 10]);
    const { env, removed } = removingBefore(1);
    const { body } = await world.ask("owner", "GET", "/events/verify", { env });
    expect(removed()).toBe(true);
    expect(body).toMatchObject({ ok: true, checked: 1, removed: { seq: 2 } });
  });

  it.each([
    ["some", [500, 450, 10]],
    ["all", [500, 450]],
  ])("who exports while cron removes %s gets a file that begins behind the cut", async (_, ages) => {
    await world.sealed(ages);
    const { env, removed } = removingBefore(1);
    const exported = await download("", env);
    expect(removed()).toBe(true);
    expect(exported[0]?.removed).toMatchObject({ seq: 2 });
    expect(exported.slice(1, -1).map(({ seq }) => seq)).toEqual(ages.length > 2 ? [3] : []);
    expect(await offline(exported)).toMatchObject({ proven: true, flaw: null });
  });

  it.each([
    ["some", 1],
    ["all", 0],
  ])("who exports while cron removes %s of what is still to come gets no whole file", async (_, kept) => {
    await world.sealed([...Array.from({ length: 510 }, () => 500), ...Array.from({ length: kept }, () => 1)], {
      perHead: 200,
    });
    const { env, removed } = removingBefore(2);
    await expect(download("", env)).rejects.toThrow("removed");
    expect(removed()).toBe(true);
  });

  it("who exports a chain with a link cut out gets it as it is, and is told offline", async () => {
    await world.sealed([4, 3, 2, 1]);
    await tamper(signing, `DELETE FROM event_seals WHERE chain = '${world.org}' AND seq = 2`);
    const exported = await download();
    expect(exported.slice(1, -1).map(({ seq }) => seq)).toEqual([1, 3, 4]);
    expect((await offline(exported)).flaw).toMatchObject({ kind: "broken", broken: { seq: 2, reason: "missing" } });
  });

  type Line = Record<string, unknown>;
  const download = async (query = "", env = signing): Promise<Line[]> =>
    (await world.ask("owner", "GET", `/events/chain${query}`, { env })).text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  const offline = async (lines: Line[], held: Partial<Held> = {}) =>
    verifyExport(
      async function* () {
        yield* lines.map((line) => JSON.stringify(line));
      },
      { keys: [(await signerOf(KEY)).publicKey], heads: [], after: 0, ...held },
    );

  describe("who verifies an export offline", () => {
    let exported: Line[];
    beforeEach(async () => {
      await world.sealed([500, 450, 10, 5]);
      await removeExpired(signing, world.org, NOW);
      exported = await download();
    });
    const beginning = (change: Line) => exported.with(0, { ...exported[0], ...change });
    const cut = () => SignedCut.parse(exported[0]?.removed);

    it("finds in it what stands for the removed, and that it is whole from there", async () => {
      const verdict = await offline(exported);
      expect(verdict).toMatchObject({ proven: true, from: { seq: 2 }, to: { seq: 4 }, checked: 2 });
      expect(verdict.removed).toMatchObject({ seq: 2, org: world.org });
      const later = await download("?after=3");
      expect(later[0]?.removed).toBeNull();
      expect(await offline(later, { after: 3 })).toMatchObject({ proven: true, removed: null, from: { seq: 3 } });
    });

    it("is told when the cut was taken out, or changed, or more is missing than it says", async () => {
      expect((await offline(beginning({ removed: null }))).flaw).toEqual({ kind: "begins_late", after: 2 });
      const later = { ...cut(), removed_before: new Date(NOW).toISOString() };
      expect((await offline(beginning({ removed: later }))).flaw).toMatchObject({ seq: 2, reason: "not_genuine" });
      expect((await offline(exported.toSpliced(1, 1))).flaw).toEqual({ kind: "begins_late", after: 3 });
    });

    it("is told when the cut is another organization's, somebody else's, or an ordinary head", async () => {
      const { seq, hash, at, removed_before } = cut();
      const made = { tip: { seq, hash }, removedBefore: removed_before, at };
      const others = await signCut(await signerOf(KEY), "other", made);
      expect((await offline(beginning({ removed: others }))).flaw).toMatchObject({ reason: "other_organization" });
      const forged = await signCut(await signerOf(OTHER_KEY), world.org, made);
      const head = await signHead(await signerOf(KEY), world.org, made.tip, at);
      for (const removed of [forged, { ...head, removed_before }])
        expect((await offline(beginning({ removed }))).flaw).toMatchObject({ seq: 2, reason: "not_genuine" });
    });
  });
});

it("signs a head and a cut that cannot be taken for one another", async () => {
  const signer = await signerOf(KEY);
  const tip = { seq: 1, hash: "a".repeat(64) };
  const at = new Date(NOW).toISOString();
  const { signature } = await signHead(signer, "acme", tip, at);
  const cut = await signCut(signer, "acme", { tip, removedBefore: at, at });
  const { removed_before: _, ...asHead } = cut;
  for (const statement of [{ ...cut, signature }, asHead])
    expect(await isGenuine(statement, [signer.publicKey])).toBe(false);
});
