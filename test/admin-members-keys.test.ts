// Members, their tokens, API keys, and the audit log that each of them leaves a row in.
import { expect, it } from "vitest";
import { AuditLogAnswer } from "../src/admin/api/audit-log.ts";
import { KeysAnswer, NewKeyAnswer } from "../src/admin/api/keys.ts";
import { kvKeys } from "../src/store/records.ts";
import { hashSecret } from "../src/store/secrets.ts";
import { openAdminWorld } from "./admin-world.ts";

const OWNER = "/members/owner@acme.example";

it("a role takes effect at once", async () => {
  const world = await openAdminWorld();
  expect((await world.ask("developer", "GET", "/policy")).status).toBe(403);
  const put = await world.ask("owner", "PUT", "/members/developer@acme.example", { body: { role: "admin" } });
  expect(put).toMatchObject({ status: 200, body: { email: "developer@acme.example", role: "admin" } });
  expect((await world.ask("developer", "GET", "/policy")).status).toBe(200);
});

it("the last owner cannot be demoted; with a second one they can", async () => {
  const world = await openAdminWorld();
  const demote = () => world.ask("owner", "PUT", OWNER, { body: { role: "admin" } });
  expect(await demote()).toMatchObject({ status: 409, body: { code: "last_owner" } });
  expect((await world.ask("owner", "PUT", OWNER, { body: { role: "owner" } })).status).toBe(200);
  await world.ask("owner", "PUT", "/members/admin@acme.example", { body: { role: "owner" } });
  expect((await demote()).status).toBe(200);
  const { body } = await world.ask("admin", "GET", "/audit-log");
  const puts = body.data.filter(
    ({ action, target }: Record<string, string>) => action === "member.put" && target === "owner@acme.example",
  );
  expect(puts.map(({ detail }: { detail: unknown }) => detail)).toEqual([
    { role: "admin" },
    { role: "owner" },
    { role: "owner" },
  ]);
});

it("two owners who demote each other at once leave one", async () => {
  const world = await openAdminWorld();
  await world.ask("owner", "PUT", "/members/admin@acme.example", { body: { role: "owner" } });
  const answers = await Promise.all([
    world.ask("owner", "PUT", "/members/admin@acme.example", { body: { role: "developer" } }),
    world.ask("admin", "PUT", OWNER, { body: { role: "developer" } }),
  ]);
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  const owners = await world.env.DB.prepare("SELECT COUNT(*) AS n FROM members WHERE org = ? AND role = 'owner'")
    .bind(world.org)
    .first<{ n: number }>();
  expect(owners?.n).toBe(1);
});

it("an address is one member whatever its case", async () => {
  const world = await openAdminWorld();
  const { body } = await world.ask("owner", "PUT", "/members/ADMIN%40Acme.Example", { body: { role: "developer" } });
  expect(body.email).toBe("admin@acme.example");
  expect((await world.ask("admin", "GET", "/policy")).status).toBe(403);
});

it.each(["not-an-address", "a%20b@acme.example", "%3Cscript%3E@acme.example", "@"])(
  "%s is no member",
  async (email) => {
    const world = await openAdminWorld();
    const answer = await world.ask("owner", "PUT", `/members/${email}`, { body: { role: "admin" } });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: "email" }] } });
  },
);

it("a token is for a member, is stored as its hash alone, and works", async () => {
  const world = await openAdminWorld();
  expect((await world.ask("owner", "POST", "/members/stranger@acme.example/tokens")).status).toBe(404);
  const given = await world.ask("owner", "POST", "/members/admin@acme.example/tokens", { body: { expires: 1 } });
  expect(given).toMatchObject({ status: 400, body: { errors: [{ path: "expires" }] } });
  const { status, body } = await world.ask("owner", "POST", "/members/admin@acme.example/tokens", { body: {} });
  expect(status).toBe(201);
  const headers = { authorization: `Bearer ${body.token}` };
  expect((await world.ask("nobody", "GET", "/policy", { headers })).status).toBe(200);
  const { results } = await world.env.DB.prepare("SELECT * FROM tokens").all();
  expect(JSON.stringify(results)).toContain(hashSecret(body.token));
  expect(JSON.stringify(results)).not.toContain(body.token);
});

it("a key is shown once, makes its project, and reaches the edge; revoked it leaves the edge", async () => {
  const world = await openAdminWorld();
  const made = await world.ask("admin", "POST", "/keys", { body: { project: "web", name: "CI" } });
  expect(made.status).toBe(201);
  const { id, key } = NewKeyAnswer.parse(made.body);
  expect(made.body).toMatchObject({ project: "web", name: "CI", published: true });
  const atEdge = await world.env.CONFIG.get<Record<string, unknown>>(kvKeys.key(hashSecret(key)), "json");
  expect(atEdge).toMatchObject({ org: world.org, project: "web", key_id: id });

  const listed = await world.ask("owner", "GET", "/keys");
  expect(KeysAnswer.parse(listed.body).data).toMatchObject([
    { id, prefix: key.slice(0, 12), created_by: "admin@acme.example", revoked_at: null, published: true },
  ]);
  expect(listed.text).not.toContain(key);
  expect(listed.text).not.toContain(hashSecret(key));

  const revoked = await world.ask("owner", "DELETE", `/keys/${id}`);
  expect(revoked).toMatchObject({ status: 200, body: { id, published: true } });
  expect(await world.env.CONFIG.get(kvKeys.key(hashSecret(key)))).toBeNull();
  expect((await world.ask("owner", "DELETE", `/keys/${id}`)).status).toBe(200);
  expect((await world.ask("owner", "GET", "/keys")).body.data[0].revoked_at).toEqual(expect.any(String));
});

it("a key of another organization is not found, and stays", async () => {
  const [ours, theirs] = [await openAdminWorld(), await openAdminWorld()];
  const { body } = await theirs.ask("owner", "POST", "/keys", { body: { project: "web", name: "k" } });
  expect((await ours.ask("owner", "DELETE", `/keys/${body.id}`)).status).toBe(404);
  expect(await theirs.env.CONFIG.get(kvKeys.key(hashSecret(body.key)))).not.toBeNull();
});

it("keys are listed page by page", async () => {
  const world = await openAdminWorld();
  for (const name of ["a", "b", "c"]) await world.ask("owner", "POST", "/keys", { body: { project: "web", name } });
  const first = await world.ask("owner", "GET", "/keys?limit=2");
  const rest = await world.ask("owner", "GET", `/keys?limit=2&cursor=${first.body.next_cursor}`);
  const names = [...first.body.data, ...rest.body.data].map(({ name }) => name);
  expect(names.sort()).toEqual(["a", "b", "c"]);
  expect(first.body.data).toHaveLength(2);
  expect(rest.body.next_cursor).toBeNull();
});

it("every administrative act is in the organization's audit log, and in nobody else's", async () => {
  const world = await openAdminWorld();
  await world.ask("admin", "POST", "/keys", { body: { project: "web", name: "k" } });
  await world.setPlan("pro");
  const { body } = await world.ask("owner", "GET", "/audit-log?limit=200");
  const acts = AuditLogAnswer.parse(body).data.map(({ actor, action }) => `${actor} ${action}`);
  expect(acts).toEqual(
    expect.arrayContaining([
      "operator org.create",
      "operator member.put",
      "operator token.issue",
      "owner@acme.example member.put",
      "owner@acme.example token.issue",
      "admin@acme.example key.create",
      "operator org.change",
    ]),
  );
  expect(body.data.every(({ org }: { org: string }) => org === world.org)).toBe(true);
  const first = await world.ask("owner", "GET", "/audit-log?limit=3");
  const rest = await world.ask("owner", "GET", `/audit-log?limit=200&cursor=${first.body.next_cursor}`);
  expect([...first.body.data, ...rest.body.data]).toEqual(body.data);
});
