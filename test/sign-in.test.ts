// Sessions and attempts to sign in: what ends a session, what an attacker can plant, how often anybody may try, and what
// of that reaches the audit log.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { AuditLogAnswer } from "../src/admin/api/audit-log.ts";
import type { Env } from "../src/env.ts";
import { ADMIN_TOKEN_PREFIX, hashSecret, newSecret } from "../src/store/secrets.ts";
import { type AdminWorld, openAdminWorld, send } from "./admin-world.ts";
import { signInWith, visitPage } from "./page-visit.ts";
import { replacing } from "./world.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Some wait for the next minute to begin. */
vi.setConfig({ testTimeout: 20_000 });

let acme: AdminWorld;
beforeAll(async () => {
  acme = await openAdminWorld();
});
afterEach(() => vi.useRealTimers());

const clock = () => vi.useFakeTimers({ toFake: ["Date"] });
const address = () => `203.0.${Math.floor(Math.random() * 256)}.${Math.floor(Math.random() * 256)}`;

let minute = 0;
/** A minute in which nothing has been recorded; and the limiters, whose clock is the real one, do not begin another. */
async function freshMinute(): Promise<void> {
  const left = MINUTE_MS - (Date.now() % MINUTE_MS);
  if (left < 8_000) await scheduler.wait(left);
  clock();
  vi.setSystemTime(Date.now() + ++minute * 10 * MINUTE_MS);
}

const junk = () => newSecret(ADMIN_TOKEN_PREFIX);
const from = (network: string) => ({ "cf-connecting-ip": network });
const bearer = (token: string, network: string, env: Env = acme.env) =>
  send(env, `/orgs/${acme.org}/policy`, { headers: { authorization: `Bearer ${token}`, ...from(network) } });
const isOpen = async (cookie: string) => (await visitPage(acme.env, "/compliance", { cookie })).status === 200;

const rows = async () =>
  (
    await acme.env.DB.prepare(
      "SELECT org, actor, target, detail FROM audit_log WHERE action = 'sign_in.refuse' ORDER BY id",
    ).all<{ org: string | null; actor: string; target: string; detail: string }>()
  ).results.map(({ detail, ...row }) => ({ ...row, ...JSON.parse(detail) }));
const rowsFrom = async (network: string) => (await rows()).filter((row) => row.address === network);

describe("a session", () => {
  it("that somebody planted before the sign-in is never adopted, and ends with it", async () => {
    const attackers = await signInWith(acme.env, acme.tokens.developer);
    expect((await visitPage(acme.env, "/compliance", { cookie: attackers })).status).toBe(403);
    const made = await signInWith(acme.env, acme.tokens.owner, attackers);
    expect(made).not.toBe(attackers);
    expect(await isOpen(made)).toBe(true);
    expect((await visitPage(acme.env, "/compliance", { cookie: attackers })).status).toBe(302);

    const madeUp = `__Host-portcullis=${newSecret("")}`;
    expect(await signInWith(acme.env, acme.tokens.owner, madeUp)).not.toBe(madeUp);
    expect(await isOpen(madeUp)).toBe(false);
  });

  it("is kept as its hash alone", async () => {
    const cookie = await signInWith(acme.env, acme.tokens.owner);
    const [, session = ""] = cookie.split("=");
    const { results } = await acme.env.DB.prepare("SELECT * FROM sessions").all();
    expect(JSON.stringify(results)).toContain(hashSecret(session));
    expect(JSON.stringify(results)).not.toContain(session);
  });

  it("lasts eight hours, however busy", async () => {
    clock();
    const cookie = await signInWith(acme.env, acme.tokens.owner);
    vi.setSystemTime(Date.now() + 8 * HOUR_MS - 1000);
    expect(await isOpen(cookie)).toBe(true);
    vi.setSystemTime(Date.now() + 1000);
    expect(await isOpen(cookie)).toBe(false);
  });

  it.each<[string, (world: AdminWorld, id: string) => Promise<unknown>]>([
    ["its token is revoked", (world, id) => world.ask("owner", "DELETE", `/members/admin@acme.example/tokens/${id}`)],
    ["its member is removed", (world) => world.ask("owner", "DELETE", "/members/admin@acme.example")],
    [
      "its token expires",
      async () => {
        clock();
        vi.setSystemTime(Date.now() + HOUR_MS);
      },
    ],
  ])("ends when %s", async (_, end) => {
    const world = await openAdminWorld();
    const { body } = await world.ask("owner", "POST", "/members/admin@acme.example/tokens", {
      body: { expires_at: new Date(Date.now() + HOUR_MS).toISOString() },
    });
    const cookie = await signInWith(world.env, body.token);
    const shown = () => visitPage(world.env, "/compliance", { cookie });
    expect((await shown()).status).toBe(200);
    await end(world, body.id);
    expect((await shown()).status).toBe(302);
    expect((await visitPage(world.env, "/compliance/preview", { cookie, form: { base: "1" } })).status).toBe(401);
  });

  it("of a member whose role changed has the new role at once", async () => {
    const world = await openAdminWorld();
    const cookie = await signInWith(world.env, world.tokens.admin);
    await world.ask("owner", "PUT", "/members/admin@acme.example", { body: { role: "developer" } });
    expect((await visitPage(world.env, "/compliance", { cookie })).status).toBe(403);
  });
});

describe("attempts", () => {
  it("to sign in are limited by address: 429 with Retry-After, even with the right token", async () => {
    await freshMinute();
    const network = address();
    const attempt = (token: string, there = network) =>
      visitPage(acme.env, "/sign-in", { form: { token, next: "/settings/events" }, headers: from(there) });
    const statuses: number[] = [];
    for (let i = 0; i < 31; i++) statuses.push((await attempt(junk())).status);
    expect(statuses).toEqual([...Array.from({ length: 30 }, () => 401), 429]);
    const limited = await attempt(acme.tokens.owner);
    expect(limited.status).toBe(429);
    expect(limited.headers.get("retry-after")).toBe("60");
    expect(limited.headers.get("set-cookie")).toBeNull();
    expect(limited.html).toContain('value="/settings/events"');
    expect((await attempt(acme.tokens.owner, address())).status).toBe(303);
  });

  it("by Bearer are limited once they fail; the right token is never turned away", async () => {
    await freshMinute();
    const network = address();
    for (let i = 0; i < 30; i++) expect((await bearer("nonsense", network)).status).toBe(401);
    const limited = await bearer("nonsense", network);
    expect(limited).toMatchObject({ status: 429, body: { code: "too_many_attempts" } });
    expect(limited.headers.get("retry-after")).toBe("60");
    expect((await bearer(acme.tokens.owner, network)).status).toBe(200);
  });

  it("from one IPv6 network count together, whatever the address in it", async () => {
    await freshMinute();
    const network = `2001:db8:${Math.floor(Math.random() * 65_536).toString(16)}:1`;
    let last = 0;
    for (let i = 1; i <= 31; i++) last = (await bearer("nonsense", `${network}::${i.toString(16)}`)).status;
    expect(last).toBe(429);
    expect((await bearer("nonsense", `${network.slice(0, -1)}2::1`)).status).toBe(401);
  });

  it.each<[string, () => Promise<RateLimitOutcome>]>([
    ["is down", () => Promise.reject(new Error("limiter is down"))],
    ["hangs", () => new Promise<RateLimitOutcome>(() => {})],
  ])("go on where the limiter %s: it spares the database, it guards no secret", async (_, limit) => {
    await freshMinute();
    const env = { ...acme.env, SIGN_IN_ATTEMPTS: { limit } };
    expect((await bearer("nonsense", address(), env)).status).toBe(401);
    const page = await visitPage(env, "/sign-in", { form: { token: acme.tokens.owner }, headers: from(address()) });
    expect(page.status).toBe(303);
  });
});

describe("what reaches the audit log", () => {
  it("of junk is that it was tried and from where, under no organization, and never the token", async () => {
    await freshMinute();
    const network = address();
    const token = junk();
    await visitPage(acme.env, "/sign-in", { form: { token }, headers: from(network) });
    vi.setSystemTime(Date.now() + 1);
    await bearer(token, network);
    expect(await rowsFrom(network)).toEqual(
      ["page", "bearer"].map((way) => ({
        org: null,
        actor: "anonymous",
        target: "unknown",
        reason: "unknown_token",
        way,
        address: network,
      })),
    );
    const { results } = await acme.env.DB.prepare("SELECT * FROM audit_log").all();
    for (const secret of [token, token.slice(0, 20), hashSecret(token)])
      expect(JSON.stringify(results)).not.toContain(secret);
  });

  it("of a token that was revoked or has expired is whose it was, in their organization's log", async () => {
    await freshMinute();
    const world = await openAdminWorld();
    const network = address();
    const path = "/members/admin@acme.example/tokens";
    const soon = new Date(Date.now() + MINUTE_MS).toISOString();
    const revoked = (await world.ask("owner", "POST", path)).body;
    const expired = (await world.ask("owner", "POST", path, { body: { expires_at: soon } })).body;
    await world.ask("owner", "DELETE", `${path}/${revoked.id}`);
    vi.setSystemTime(Date.now() + MINUTE_MS);
    expect((await bearer(revoked.token, network)).status).toBe(401);
    vi.setSystemTime(Date.now() + 1);
    expect((await bearer(expired.token, network)).status).toBe(401);
    const { body } = await world.ask("owner", "GET", "/audit-log");
    const recorded = body.data.filter(({ action }: { action: string }) => action === "sign_in.refuse");
    expect(recorded).toMatchObject([
      { target: "admin@acme.example", detail: { token: expired.id, reason: "expired", way: "bearer" } },
      { target: "admin@acme.example", detail: { token: revoked.id, reason: "revoked", way: "bearer" } },
    ]);
  });

  it("of junk is for the operator to read, page by page, and of an organization's own rows nothing is", async () => {
    await freshMinute();
    const network = address();
    for (let i = 0; i < 3; i++) await bearer(junk(), network);
    const read = async (query = "") => (await acme.call("operator", "GET", `/audit-log${query}`)).body;
    const { data } = AuditLogAnswer.parse(await read("?limit=200"));
    expect(data.filter(({ detail }) => detail.address === network)).toHaveLength(3);
    expect(new Set(data.map(({ org }) => org))).toEqual(new Set([null]));
    const first = await read("?limit=2");
    expect([...first.data, ...(await read(`?limit=200&cursor=${first.next_cursor}`)).data]).toEqual(data);
    const { body } = await acme.ask("owner", "GET", "/audit-log?limit=1");
    const crossed = await acme.call("operator", "GET", `/audit-log?cursor=${body.next_cursor}`);
    expect(crossed).toMatchObject({ status: 400, body: { errors: [{ path: "cursor" }] } });
  });

  it("of one address is three rows a minute", async () => {
    await freshMinute();
    const network = address();
    for (let i = 0; i < 10; i++) await bearer(junk(), network);
    expect(await rowsFrom(network)).toHaveLength(3);
  });

  it("of any number of addresses at once is thirty rows a minute", async () => {
    await freshMinute();
    const before = (await rows()).length;
    await Promise.all(Array.from({ length: 45 }, () => bearer(junk(), address())));
    expect((await rows()).length - before).toBe(30);
    vi.setSystemTime(Date.now() + MINUTE_MS + 1);
    await bearer(junk(), address());
    expect((await rows()).length - before).toBe(31);
  });

  it("is nothing while the limiter of records is down, so that the log cannot be filled meanwhile", async () => {
    await freshMinute();
    const env = { ...acme.env, SIGN_IN_RECORDS: { limit: () => Promise.reject(new Error("down")) } };
    const network = address();
    expect((await bearer(junk(), network, env)).status).toBe(401);
    expect(await rowsFrom(network)).toEqual([]);
  });

  it("does not decide: where it cannot be written the answer is the same", async () => {
    await freshMinute();
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const prepare = (query: string) => {
      if (query.includes("audit_log")) throw new Error("D1_ERROR: the database is down");
      return acme.env.DB.prepare(query);
    };
    const env = { ...acme.env, DB: replacing(acme.env.DB, { prepare }) };
    expect((await bearer(junk(), address(), env)).status).toBe(401);
    expect(error).toHaveBeenCalledWith(expect.stringContaining("admin.sign_in_not_recorded"));
    error.mockRestore();
  });
});
