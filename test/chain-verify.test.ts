// An auditor verifies an organization's chain: in place, by a head held elsewhere, and taken out as a file.
import { env as bindings } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { VerifyAnswer } from "../src/admin/api/chain.ts";
import { sealEvents } from "../src/audit/seal.ts";
import { type Link, START, sealAll, walk } from "../src/chain/links.ts";
import { type SignedHead, signerOf, signHead } from "../src/chain/signed-head.ts";
import type { Env } from "../src/env.ts";
import { insertEvents } from "../src/store/events.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { replacing } from "./replacing.ts";
import { eventOf } from "./security-event.ts";
import { tamper as tamperWith } from "./tampering.ts";

const pkcs8 = (seed: string) => Buffer.from(`302e020100300506032b657004220420${seed}`, "hex").toString("base64");
const KEY = pkcs8("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
const OTHER_KEY = pkcs8("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
const signing: Env = { ...(bindings as unknown as Env), AUDIT_SIGNING_KEY: KEY };
const NOON = Date.parse("2026-11-01T12:00:00Z");

let world: AdminWorld;
let ids: string[];
beforeEach(async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  world = await openAdminWorld();
  const events = Array.from({ length: 6 }, (_, index) => eventOf(world.org, {}, NOON + index * 1000));
  ids = events.map(({ id }) => id);
  for (const half of [events.slice(0, 3), events.slice(3)]) {
    await insertEvents(signing, half);
    await sealEvents(signing, world.org);
  }
});

const verify = async (query = "") => {
  const { status, body } = await world.ask("owner", "GET", `/events/verify${query}`, { env: signing });
  expect(status).toBe(200);
  return VerifyAnswer.parse(body);
};
const newestHead = async (): Promise<SignedHead> => (await verify()).proven_by as SignedHead;
const tamper = (...statements: string[]) =>
  tamperWith(signing, ...statements.map((sql) => sql.replaceAll("$org", `'${world.org}'`)));

it("an intact chain is whole, and proven up to its newest signed head", async () => {
  const answer = await verify();
  expect(answer).toMatchObject({ ok: true, complete: true, checked: 6, broken: null, unsealed: 0, unlinked: [] });
  expect(answer.proven_by).toMatchObject({ org: world.org, seq: 6, hash: answer.to.hash });
});

it("events that wait for their seal are told, and are no part of it", async () => {
  await insertEvents(signing, [eventOf(world.org)]);
  expect(await verify()).toMatchObject({ ok: true, checked: 6, unsealed: 1 });
});

it("goes on behind an earlier verification", async () => {
  const first = (await verify()).to;
  await insertEvents(signing, [eventOf(world.org)]);
  await sealEvents(signing, world.org);
  const answer = await verify(`?from=${first.seq}&from_hash=${first.hash}`);
  expect(answer).toMatchObject({ ok: true, checked: 1, from: first, to: { seq: 7 } });
});

describe("tampering with the database is found and named", () => {
  it.each<[string, string[], object]>([
    [
      "a field changed",
      ["UPDATE security_events SET event = json_set(event, '$.model', 'x') WHERE id = $3"],
      { broken: { seq: 3, reason: "event_changed" } },
    ],
    [
      "an event that is no JSON any more",
      ["UPDATE security_events SET event = '{' WHERE id = $3"],
      { broken: { seq: 3, reason: "event_missing" } },
    ],
    [
      "the first event deleted",
      ["DELETE FROM security_events WHERE id = $1"],
      { broken: { seq: 1, reason: "event_missing" } },
    ],
    [
      "the first link deleted",
      ["DELETE FROM security_events WHERE id = $1", "DELETE FROM event_seals WHERE chain = $org AND seq = 1"],
      { broken: { seq: 1, reason: "missing", next: 2 } },
    ],
    [
      "a middle one deleted",
      ["DELETE FROM event_seals WHERE chain = $org AND seq = 4"],
      { broken: { seq: 4, reason: "missing", next: 5 } },
    ],
    [
      "the last deleted",
      ["DELETE FROM security_events WHERE id = $6", "DELETE FROM event_seals WHERE chain = $org AND seq = 6"],
      { head_problem: { seq: 6, reason: "cut_off" } },
    ],
    [
      "two swapped",
      [
        "UPDATE event_seals SET event = 'x' WHERE chain = $org AND seq = 2",
        "UPDATE event_seals SET event = $2 WHERE chain = $org AND seq = 5",
        "UPDATE event_seals SET event = $5 WHERE chain = $org AND seq = 2",
      ],
      { broken: { seq: 2, reason: "event_changed" } },
    ],
    [
      "one inserted that claims to be sealed",
      [
        "INSERT INTO security_events SELECT 'evt_01ARZ3NDEKTSV4RRFFQ69G5FAV', at, org, project, type, outcome, model, providers, event, 1, at_least FROM security_events WHERE id = $2",
      ],
      { unlinked: ["evt_01ARZ3NDEKTSV4RRFFQ69G5FAV"] },
    ],
    [
      "a head of another signature",
      ["UPDATE chain_heads SET signature = 'A' || substr(signature, 2) WHERE chain = $org AND signature NOT LIKE 'A%'"],
      { head_problem: { reason: "not_genuine" } },
    ],
  ])("%s", async (_, statements, found) => {
    await tamper(...statements.map((sql) => sql.replace(/\$(\d)/g, (_, at) => `'${ids[Number(at) - 1]}'`)));
    expect(await verify()).toMatchObject({ ok: false, ...found });
  });

  it("the chain rebuilt without the signing key: the stored head says so", async () => {
    await rebuild();
    expect(await verify()).toMatchObject({ ok: false, broken: null, head_problem: { reason: "other_chain" } });
  });

  it("rebuilt, with its heads deleted: only a head held elsewhere says so", async () => {
    const held = await newestHead();
    await rebuild();
    await tamper("DELETE FROM chain_heads WHERE chain = $org");
    expect(await verify()).toMatchObject({ ok: true, proven_by: null });
    const answer = await verify(`?head=${encodeURIComponent(JSON.stringify(held))}`);
    expect(answer).toMatchObject({ ok: false, head_problem: { seq: 6, reason: "other_chain" } });
  });

  it("rebuilt, with heads of another key", async () => {
    await rebuild();
    const tip = (await verify()).to;
    const forged = await signHead(await signerOf(OTHER_KEY), world.org, tip, new Date().toISOString());
    await tamper(
      "DELETE FROM chain_heads WHERE chain = $org",
      `INSERT INTO chain_heads VALUES ($org, ${forged.seq}, '${forged.hash}', '${forged.at}', '${forged.key_id}', '${forged.signature}')`,
    );
    expect(await verify()).toMatchObject({ ok: false, head_problem: { reason: "not_genuine" }, proven_by: null });
  });

  async function rebuild() {
    const { results } = await signing.DB.prepare("SELECT id, event FROM security_events WHERE org = ? ORDER BY id")
      .bind(world.org)
      .all<{ id: string; event: string }>();
    const kept = results.filter(({ id }) => id !== ids[2]);
    const withOneMore = [...kept, ...results.slice(2, 3).map((row) => ({ ...row }))];
    const seals = sealAll(
      withOneMore.map(({ event }) => JSON.parse(event)),
      START,
    );
    await tamper(
      "DELETE FROM event_seals WHERE chain = $org",
      ...seals.map(
        ({ seq, prev_hash, hash }, index) =>
          `INSERT INTO event_seals VALUES ($org, ${seq}, '${withOneMore[index]?.id}', '${prev_hash}', '${hash}')`,
      ),
    );
  }
});

it("looks through all events for what no link names only where it reached the end of the chain", async () => {
  await insertEvents(
    signing,
    Array.from({ length: 510 }, () => eventOf(world.org)),
  );
  await sealEvents(signing, world.org);
  const looked = async () => {
    const prepare = vi.fn(signing.DB.prepare.bind(signing.DB));
    const env = { ...signing, DB: replacing(signing.DB, { prepare }) };
    await world.ask("owner", "GET", "/events/verify", { env });
    return prepare.mock.calls.filter(([sql]) => sql.includes("NOT EXISTS")).length;
  };
  expect(await looked()).toBe(1);
  await tamper("DELETE FROM event_seals WHERE chain = $org AND seq = 3");
  expect(await looked()).toBe(0);
});

describe("a head held outside the database", () => {
  const withHead = (head: unknown) => `?head=${encodeURIComponent(JSON.stringify(head))}`;

  it("proves the chain up to its place, also when the chain has grown", async () => {
    const held = await newestHead();
    await insertEvents(signing, [eventOf(world.org)]);
    await sealEvents(signing, world.org);
    expect(await verify(withHead(held))).toMatchObject({ ok: true, proven_by: { seq: 7 }, held: "borne_out" });
    expect((await verify()).held).toBeNull();
  });

  it("is checked wherever its place is, and whatever it comes to is said", async () => {
    const held = await newestHead();
    const { to } = await verify();
    await insertEvents(signing, [eventOf(world.org)]);
    await sealEvents(signing, world.org);
    const later = (await verify()).to;
    const forged = { ...held, hash: "0".repeat(64) };
    const from = (place: { seq: number; hash: string }) => `&from=${place.seq}&from_hash=${place.hash}`;
    expect(await verify(withHead(held) + from(to))).toMatchObject({ ok: true, held: "borne_out" });
    expect(await verify(withHead(held) + from(later))).toMatchObject({ ok: true, held: "not_reached" });
    for (const query of ["", from(to), from(later)])
      expect(await verify(withHead(forged) + query)).toMatchObject({
        ok: false,
        held: "not_genuine",
        head_problem: { seq: held.seq, reason: "not_genuine" },
      });
    await tamper("DELETE FROM event_seals WHERE chain = $org AND seq >= 6", "DELETE FROM chain_heads WHERE seq = 7");
    expect(await verify(withHead(held))).toMatchObject({ ok: false, held: "cut_off" });
    await tamper("DELETE FROM event_seals WHERE chain = $org AND seq = 2");
    expect(await verify(withHead(held))).toMatchObject({ ok: false, broken: { seq: 2 }, held: "not_reached" });
  });

  it("of another organization, or none at all, is refused", async () => {
    const held = await newestHead();
    for (const head of [{ ...held, org: "other" }, { seq: 1 }, "x"])
      expect((await world.ask("owner", "GET", `/events/verify${withHead(head)}`, { env: signing })).status).toBe(400);
  });
});

it("the export holds every link in order, the keys and the newest head, and resumes behind a place", async () => {
  const linesOf = async (query = "") =>
    (await world.ask("owner", "GET", `/events/chain${query}`, { env: signing })).text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  const [first, ...rest] = await linesOf();
  const head = rest.pop();
  expect(first).toMatchObject({ chain: world.org, after: 0, keys: [{ kty: "OKP", crv: "Ed25519" }] });
  expect(walk(rest as Link[], START)).toMatchObject({ ok: true, tip: { seq: 6, hash: head.head.hash } });
  expect((await linesOf("?after=4")).slice(1, -1).map(({ seq }) => seq)).toEqual([5, 6]);
});

it("is for those who may see events, of that organization alone", async () => {
  for (const path of ["/events/verify", "/events/chain"]) {
    expect((await world.ask("developer", "GET", path)).status).toBe(403);
    expect((await world.call("owner", "GET", `/orgs/other${path}`)).status).toBe(404);
  }
});
