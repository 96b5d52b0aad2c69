// Settings → Members as an owner's browser meets it: adding, changing, removing, tokens shown once; and what somebody who
// wishes ill can put into its fields, its links and its forms.
import { beforeEach, describe, expect, it } from "vitest";
import { type AdminWorld, openAdminWorld, send } from "./admin-world.ts";
import { signInWith, visitPage } from "./page-visit.ts";

const ADMIN = `/members/${encodeURIComponent("admin@acme.example")}`;
const OWNER = `/members/${encodeURIComponent("owner@acme.example")}`;

let world: AdminWorld;
let cookie: string;
beforeEach(async () => {
  world = await openAdminWorld();
  cookie = await signInWith(world.env, world.tokens.owner);
});

const see = (path: string) => visitPage(world.env, path, { cookie });
const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
  visitPage(world.env, path, { cookie, form, headers });
const roleOf = async (email: string): Promise<string | undefined> =>
  (await world.ask("owner", "GET", "/members?limit=200")).body.data.find(
    (member: { email: string }) => member.email === email,
  )?.role;
const secretOn = (html: string) => /<code class="secret"[^>]*>(pcladm_[\w-]+)<\/code>/.exec(html)?.[1] ?? "";

describe("members", () => {
  it("are listed with role and tokens, and no token's hash or secret", async () => {
    const { html, status } = await see("/members");
    expect(status).toBe(200);
    for (const role of ["owner", "admin", "developer"] as const) {
      expect(html).toContain(`${role}@acme.example`);
      expect(html).toContain(world.tokens[role].slice(0, 12));
      expect(html).not.toContain(world.tokens[role]);
    }
    expect(html).toContain('aria-current="page"');
  });

  it("are added, and the page says so", async () => {
    const page = await post("/members", { email: " New.One@acme.example ", role: "admin" });
    expect(page).toMatchObject({ status: 303, location: "/members?added=new.one%40acme.example" });
    expect((await see(page.location)).html).toContain("new.one@acme.example is a member now, as admin.");
    expect(await roleOf("new.one@acme.example")).toBe("admin");
  });

  it.each([
    ["an address that is none", { email: "not-an-address", role: "admin" }, 422],
    ["a role that is none", { email: "new@acme.example", role: "root" }, 422],
    ["somebody who is one already", { email: "Admin@acme.example", role: "owner" }, 409],
  ])("%s: nothing changes, and what was entered stays", async (_, form, status) => {
    const page = await post("/members", form);
    expect(page.status).toBe(status);
    expect(page.html).toContain(`value="${form.email}"`);
    expect(page.html).toContain('aria-invalid="true"');
    expect(await roleOf("admin@acme.example")).toBe("admin");
    expect(await roleOf("new@acme.example")).toBeUndefined();
  });

  it("change their role, but the last owner does not", async () => {
    const changed = await post(`${ADMIN}/role`, { role: "owner" });
    expect(changed.status).toBe(303);
    expect((await see(changed.location)).html).toContain("The role is owner now.");
    expect((await post(`${OWNER}/role`, { role: "developer" })).status).toBe(303);
    expect((await see("/members")).status).toBe(403);

    cookie = await signInWith(world.env, world.tokens.admin);
    const refused = await post(`${ADMIN}/role`, { role: "admin" });
    expect(refused.status).toBe(409);
    expect(refused.html).toContain('aria-describedby="role-error"');
    expect(await visitPage(world.env, ADMIN, { cookie })).toMatchObject({ status: 200 });
  });

  it("are removed after a second step, which changes nothing by itself", async () => {
    const asked = await see(`${ADMIN}/remove`);
    expect(asked.html).toContain("Remove admin@acme.example?");
    expect(await roleOf("admin@acme.example")).toBe("admin");
    const removed = await post(`${ADMIN}/remove`, {});
    expect(removed.location).toBe("/members?removed=admin%40acme.example");
    expect((await see(removed.location)).html).toContain("admin@acme.example is no member any more.");
    expect((await see(ADMIN)).status).toBe(404);
    expect((await post(`${OWNER}/remove`, {})).status).toBe(409);
    expect(await roleOf("owner@acme.example")).toBe("owner");
  });

  it("who remove themselves are signed out", async () => {
    await post(`${ADMIN}/role`, { role: "owner" });
    expect((await see(`${OWNER}/remove`)).html).toContain("Remove myself");
    await post(`${OWNER}/remove`, {});
    expect((await see("/members")).location).toContain("/sign-in");
  });

  it("are listed page by page, none twice and none left out", async () => {
    const insert = world.env.DB.prepare("INSERT INTO members (org, email, role, created_at) VALUES (?, ?, 'admin', ?)");
    const names = Array.from({ length: 120 }, (_, i) => `m${i}@acme.example`);
    await world.env.DB.batch(names.map((email) => insert.bind(world.org, email, new Date().toISOString())));
    const seen: string[] = [];
    for (let path: string | undefined = "/members"; path; ) {
      const { html } = await see(path);
      seen.push(...[...html.matchAll(/<td><a href="[^"]+">([^<]+)</g)].map(([, email]) => email ?? ""));
      path = /href="\/settings(\/members\?after=[^"]+)" rel="next"/.exec(html)?.[1]?.replaceAll("&amp;", "&");
    }
    expect(seen).toHaveLength(123);
    expect(new Set(seen).size).toBe(123);
  });
});

describe("tokens", () => {
  it("are shown once, work, and are revoked after a second step", async () => {
    const issued = await post(`${ADMIN}/tokens`, { name: "CI", expires: "2099-06-30" });
    expect(issued.status).toBe(201);
    const token = secretOn(issued.html);
    const call = () => send(world.env, `/orgs/${world.org}/policy`, { headers: { authorization: `Bearer ${token}` } });
    expect((await call()).status).toBe(200);
    const { html } = await see(ADMIN);
    expect(html).not.toContain(token);
    expect(html).toContain('datetime="2099-06-30T23:59:59.999Z"');

    const path =
      /href="\/settings(\/members\/[^"]+\/tokens\/tok_\w+\/revoke)">Revoke<span class="unseen"> CI</.exec(html)?.[1] ??
      "";
    expect((await see(path)).html).toContain("Revoke CI");
    expect((await call()).status).toBe(200);
    expect((await post(path, {})).html).toContain("The token is revoked");
    expect((await call()).status).toBe(401);
    expect((await see(path)).status).toBe(404);
  });

  it.each([
    ["a day that is over", { name: "CI", expires: "2020-01-01" }],
    ["a day that is none", { name: "CI", expires: "2099-02-30" }],
    ["a name that is too long", { name: "x".repeat(101), expires: "" }],
  ])("are not issued with %s, and what was entered stays", async (_, form) => {
    const page = await post(`${ADMIN}/tokens`, form);
    expect(page.status).toBe(422);
    expect(page.html).toContain(`value="${form.name}"`);
    expect(page.html).toContain('aria-invalid="true"');
    expect(secretOn(page.html)).toBe("");
  });
});

describe("an attack", () => {
  const XSS = `"'><img src=x onerror=alert(1)><script>alert(1)</script>`;

  it("stored XSS: a token's name, an organization's name and an address are text wherever they are shown", async () => {
    await world.ask("operator", "PATCH", "", { body: { name: XSS } });
    const email = "o'<b>x@acme.example";
    await world.env.DB.prepare("INSERT INTO members (org, email, role, created_at) VALUES (?, ?, 'admin', '<i>')")
      .bind(world.org, email)
      .run();
    const issued = await post(`${ADMIN}/tokens`, { name: XSS, expires: "" });
    expect(issued.status).toBe(201);
    const { html } = await see(ADMIN);
    const path = /href="\/settings(\/members\/[^"]+\/tokens\/tok_\w+\/revoke)"/.exec(html)?.[1] ?? "";
    for (const page of [issued, ...(await Promise.all([see("/members"), see(ADMIN), see(path), see("/compliance")]))]) {
      expect([200, 201]).toContain(page.status);
      expect(page.html).not.toMatch(/<img|<script>|<b>x|<i>/);
      expect(page.html).toContain("&lt;img src=x");
    }
  });

  it("reflected XSS: what a link or a form says is text too", async () => {
    const query = encodeURIComponent(XSS);
    for (const path of [`/members?added=${query}`, `/members?removed=${query}`, `/members?after=${query}`])
      expect((await see(path)).html).not.toMatch(/<img|<script>/);
    for (const [path, form] of [
      ["/members", { email: XSS, role: XSS }],
      [`${ADMIN}/tokens`, { name: `${XSS}${"x".repeat(100)}`, expires: XSS }],
      [`${ADMIN}/role`, { role: XSS }],
      [`${ADMIN}/tokens/${encodeURIComponent("<img>")}/revoke`, {}],
    ] as const)
      expect((await post(path, form)).html).not.toMatch(/<img|<script>/);
  });

  it("a link that claims something was done is not believed", async () => {
    const { html } = await see("/members?removed=admin%40acme.example");
    expect(html).not.toContain("no member any more");
    expect((await see("/members?added=stranger%40acme.example")).html).not.toContain("is a member now");
    expect((await see(`${ADMIN}?role=owner`)).html).not.toContain("The role is owner");
  });

  it.each([
    ["/members", { email: "evil@evil.test", role: "owner" }],
    [`${ADMIN}/role`, { role: "owner" }],
    [`${ADMIN}/tokens`, { name: "x" }],
    [`${ADMIN}/remove`, {}],
  ])("CSRF: POST %s from another site changes nothing", async (path, form) => {
    for (const origin of ["https://evil.test", "null"]) expect((await post(path, form, { origin })).status).toBe(403);
    expect(await roleOf("admin@acme.example")).toBe("admin");
    expect(await roleOf("evil@evil.test")).toBeUndefined();
    const { body } = await world.ask("owner", "GET", "/members/admin@acme.example/tokens");
    expect(body.data).toHaveLength(1);
  });

  it.each(["/members", ADMIN, `${ADMIN}/remove`])("clickjacking: %s cannot be framed or kept", async (path) => {
    const { headers } = await see(path);
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("another organization's member is not found, by whatever path", async () => {
    const other = await openAdminWorld();
    await other.ask("owner", "PUT", "/members/theirs@acme.example", { body: { role: "admin" } });
    const theirs = `/members/${encodeURIComponent("theirs@acme.example")}`;
    for (const path of [theirs, `${theirs}/remove`]) expect((await see(path)).status).toBe(404);
    for (const path of [`${theirs}/role`, `${theirs}/tokens`, `${theirs}/remove`])
      expect((await post(path, { role: "owner" })).status).toBe(404);
    const { body } = await other.ask("owner", "GET", "/members/admin@acme.example/tokens");
    expect((await see(`${ADMIN}/tokens/${body.data[0].id}/revoke`)).status).toBe(404);
    expect((await post(`${ADMIN}/tokens/${body.data[0].id}/revoke`, {})).status).toBe(404);
    expect((await other.ask("admin", "GET", "/policy")).status).toBe(200);
  });
});
