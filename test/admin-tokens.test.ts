// Members as they are listed and removed, and their admin tokens: named, expiring, listed without their secret, revoked.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { MembersAnswer } from "../src/admin/api/members.ts";
import { TokenAnswer, TokensAnswer } from "../src/admin/api/tokens.ts";
import { hashSecret } from "../src/store/secrets.ts";
import { type AdminWorld, type Caller, openAdminWorld } from "./admin-world.ts";
import { replacing } from "./world.ts";

const TOKENS = "/members/admin@acme.example/tokens";
const DAY_MS = 86_400_000;
const today = () => new Date().toISOString().slice(0, 10);

let world: AdminWorld;
beforeAll(async () => {
  world = await openAdminWorld();
});
afterEach(() => vi.useRealTimers());

const issue = async (body: unknown = {}, by: Caller = "owner") =>
  TokenAnswer.parse((await world.ask(by, "POST", TOKENS, { body })).body);
const listed = async (by: Caller = "owner", path = TOKENS) =>
  TokensAnswer.parse((await world.ask(by, "GET", path)).body).data;
const use = (token: string, env = world.env) =>
  world.ask("nobody", "GET", "/policy", { headers: { authorization: `Bearer ${token}` }, env });

describe("a token", () => {
  it("has a name, a prefix to recognize it by, and an end; its secret is answered once and never listed", async () => {
    const expires_at = "2099-01-01T01:00:00+01:00";
    const { token, ...rest } = await issue({ name: " CI ", expires_at });
    expect(rest).toMatchObject({
      name: "CI",
      prefix: token.slice(0, 12),
      expires_at: "2099-01-01T00:00:00.000Z",
      created_by: "owner@acme.example",
      last_used_on: null,
    });
    const { text, body } = await world.ask("owner", "GET", TOKENS);
    expect(body.data[0]).toEqual(rest);
    expect(text).not.toContain(token);
    expect(text).not.toContain(hashSecret(token));
  });

  it.each([
    ["an end that has passed", { expires_at: "2020-01-01T00:00:00Z" }, "expires_at"],
    ["an end that is no time", { expires_at: "tomorrow" }, "expires_at"],
    ["an end without a zone", { expires_at: "2099-01-01T00:00:00" }, "expires_at"],
    ["a name of two lines", { name: "a\nb" }, "name"],
    ["an empty name", { name: " " }, "name"],
  ])("is not issued with %s", async (_, body, path) => {
    const answer = await world.ask("owner", "POST", TOKENS, { body });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });

  it("stops working at its end", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { token } = await issue({ expires_at: new Date(Date.now() + DAY_MS).toISOString() });
    vi.setSystemTime(Date.now() + DAY_MS - 1);
    expect((await use(token)).status).toBe(200);
    vi.setSystemTime(Date.now() + 1);
    expect((await use(token)).status).toBe(401);
  });

  it("stops working when it is revoked, and is listed no more; once is enough", async () => {
    const { id, token } = await issue({ name: "gone" });
    expect((await use(token)).status).toBe(200);
    expect((await world.ask("owner", "DELETE", `${TOKENS}/${id}`)).status).toBe(204);
    expect((await use(token)).status).toBe(401);
    expect((await listed()).map((each) => each.id)).not.toContain(id);
    expect(await world.ask("owner", "DELETE", `${TOKENS}/${id}`)).toMatchObject({ status: 404 });
    const { body } = await world.ask("owner", "GET", "/audit-log");
    const revoked = body.data.filter(({ action }: { action: string }) => action === "token.revoke");
    expect(revoked).toMatchObject([{ target: "admin@acme.example", detail: { id, name: "gone" } }]);
  });

  it("is revoked under its own member only", async () => {
    const { id, token } = await issue();
    const paths = [`/members/owner@acme.example/tokens/${id}`, `${TOKENS}/tok_nonsense`];
    for (const path of paths) expect((await world.ask("owner", "DELETE", path)).status).toBe(404);
    const other = await openAdminWorld();
    expect((await other.ask("owner", "DELETE", `${TOKENS}/${id}`)).status).toBe(404);
    expect((await use(token)).status).toBe(200);
  });

  it("says on which day it was last used, at the cost of one write a day", async () => {
    const { id, token } = await issue();
    let writes = 0;
    const prepare = (query: string) => {
      if (query.startsWith("UPDATE tokens")) writes++;
      return world.env.DB.prepare(query);
    };
    const env = { ...world.env, DB: replacing(world.env.DB, { prepare }) };
    for (let i = 0; i < 4; i++) await use(token, env);
    expect(writes).toBe(1);
    const lastUsed = async () => (await listed()).find((each) => each.id === id)?.last_used_on;
    expect(await lastUsed()).toBe(today());
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + DAY_MS);
    await use(token, env);
    expect(writes).toBe(2);
    expect(await lastUsed()).toBe(today());
  });

  it("works also where its last use cannot be written", async () => {
    const { token } = await issue();
    const prepare = (query: string) => {
      const statement = world.env.DB.prepare(query);
      if (!query.startsWith("UPDATE tokens")) return statement;
      const run = () => Promise.reject(new Error("D1_ERROR: read-only"));
      return replacing(statement, { bind: () => replacing(statement, { run }) });
    };
    expect((await use(token, { ...world.env, DB: replacing(world.env.DB, { prepare }) })).status).toBe(200);
  });

  it("is listed page by page", async () => {
    const { body } = await world.ask("owner", "GET", `${TOKENS}?limit=2`);
    const rest = await world.ask("owner", "GET", `${TOKENS}?limit=200&cursor=${body.next_cursor}`);
    expect([...body.data, ...rest.body.data]).toEqual(await listed());
    const crossed = await world.ask("owner", "GET", `/members?cursor=${body.next_cursor}`);
    expect(crossed).toMatchObject({ status: 400, body: { errors: [{ path: "cursor" }] } });
  });
});

describe("one's own tokens", () => {
  it.each(["admin", "developer"] as const)("are an %s's to list and to revoke, not to issue", async (role) => {
    const path = `/members/${role}@acme.example/tokens`;
    const { body } = await world.ask("owner", "POST", path, { body: { name: "mine" } });
    expect((await listed(role, path)).map(({ id }) => id)).toContain(body.id);
    expect((await world.ask(role, "DELETE", `${path}/${body.id}`)).status).toBe(204);
    expect(await world.ask(role, "POST", path)).toMatchObject({ status: 403, body: { code: "role_required" } });
  });

  it.each(["admin", "developer"] as const)("of others are not an %s's", async (role) => {
    const path = "/members/owner@acme.example/tokens";
    const [{ id } = { id: "" }] = await listed("owner", path);
    expect((await world.ask(role, "GET", path)).status).toBe(403);
    expect((await world.ask(role, "DELETE", `${path}/${id}`)).status).toBe(403);
    expect((await listed("owner", path)).map((each) => each.id)).toContain(id);
  });
});

describe("members", () => {
  it("are listed by address, with when they were last active, page by page", async () => {
    const fresh = await openAdminWorld();
    const { body } = await fresh.ask("owner", "GET", "/members");
    const { data } = MembersAnswer.parse(body);
    expect(data.map(({ email, role, last_used_on }) => ({ email, role, last_used_on }))).toEqual([
      { email: "admin@acme.example", role: "admin", last_used_on: null },
      { email: "developer@acme.example", role: "developer", last_used_on: null },
      { email: "owner@acme.example", role: "owner", last_used_on: today() },
    ]);
    const first = await fresh.ask("owner", "GET", "/members?limit=1");
    const rest = await fresh.ask("owner", "GET", `/members?cursor=${first.body.next_cursor}`);
    expect([...first.body.data, ...rest.body.data]).toEqual(data);
  });

  it("who are removed are gone with their tokens, and leave a row", async () => {
    const fresh = await openAdminWorld();
    const remove = (email: string) => fresh.ask("owner", "DELETE", `/members/${email}`);
    expect((await remove("ADMIN@acme.example")).status).toBe(204);
    expect((await fresh.ask("admin", "GET", "/policy")).status).toBe(401);
    expect((await remove("admin@acme.example")).status).toBe(404);
    const { body } = await fresh.ask("owner", "GET", "/audit-log?limit=1");
    expect(body.data).toMatchObject([
      { action: "member.remove", target: "admin@acme.example", actor: "owner@acme.example", detail: { role: "admin" } },
    ]);
    await fresh.ask("owner", "PUT", "/members/admin@acme.example", { body: { role: "admin" } });
    expect((await fresh.ask("admin", "GET", "/policy")).status).toBe(401);
  });

  it("keep their last owner, and of another organization are not found", async () => {
    const fresh = await openAdminWorld();
    const refused = await fresh.ask("owner", "DELETE", "/members/owner@acme.example");
    expect(refused).toMatchObject({ status: 409, body: { code: "last_owner" } });
    expect((await fresh.ask("owner", "GET", "/policy")).status).toBe(200);
    const { body } = await fresh.ask("owner", "GET", "/audit-log");
    expect(body.data.map(({ action }: { action: string }) => action)).not.toContain("member.remove");
    const theirs = `/orgs/${world.org}/members/admin@acme.example`;
    expect((await fresh.call("owner", "DELETE", theirs)).status).toBe(404);
    expect((await world.ask("admin", "GET", "/policy")).status).toBe(200);
  });

  it("keep an owner when two remove each other, or themselves, at once", async () => {
    for (const swapped of [true, false]) {
      const fresh = await openAdminWorld();
      await fresh.ask("owner", "PUT", "/members/admin@acme.example", { body: { role: "owner" } });
      const [first, second] = swapped ? (["admin", "owner"] as const) : (["owner", "admin"] as const);
      await Promise.all([
        fresh.ask("owner", "DELETE", `/members/${first}@acme.example`),
        fresh.ask("admin", "DELETE", `/members/${second}@acme.example`),
      ]);
      const { results } = await fresh.env.DB.prepare("SELECT email FROM members WHERE org = ? AND role = 'owner'")
        .bind(fresh.org)
        .all();
      expect(results).toHaveLength(1);
    }
  });
});

it("the operator helps an owner who has no valid token left, and nobody else", async () => {
  const fresh = await openAdminWorld();
  const path = "/members/owner@acme.example/tokens";
  expect((await fresh.ask("operator", "POST", path)).status).toBe(403);
  const [{ id } = { id: "" }] = TokensAnswer.parse((await fresh.ask("owner", "GET", path)).body).data;
  expect((await fresh.ask("owner", "DELETE", `${path}/${id}`)).status).toBe(204);
  expect((await fresh.ask("operator", "POST", TOKENS)).status).toBe(403);
  expect((await fresh.ask("operator", "POST", path)).status).toBe(201);
  expect((await fresh.ask("operator", "POST", path)).status).toBe(403);
  for (const [method, other] of [
    ["GET", "/members"],
    ["GET", path],
    ["DELETE", "/members/admin@acme.example"],
  ] as const)
    expect((await fresh.ask("operator", method, other)).status).toBe(403);
});
