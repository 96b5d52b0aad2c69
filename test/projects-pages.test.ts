// Settings → Projects & keys as a browser without JavaScript meets it.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { Hono } from "hono";
import { beforeEach, describe, expect, it } from "vitest";
import { pages } from "../src/admin/pages/index.tsx";
import type { StoredPolicy } from "../src/compliance/policy.ts";
import type { Env } from "../src/env.ts";
import { type AdminWorld, made, openAdminWorld } from "./admin-world.ts";
import { hiddenFields } from "./hidden-fields.ts";
import { policyOf, replacing } from "./world.ts";

const ORIGIN = "https://portcullis.test";
const app = new Hono<{ Bindings: Env }>().route("/settings", pages);
const ORGANIZATION = policyOf({ requirements: ["soc2_type2"] });
const HOSTILE = `"><script>alert(1)</script>`;
const ESCAPED = "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;";

type Form = Record<string, string | readonly string[]>;

/** A person with a browser: `visit` opens a page, `post` sends a form from this site. */
async function person(world: AdminWorld, role: "owner" | "admin" | "developer") {
  const go = async (path: string, form?: Form, { env = world.env, origin = ORIGIN } = {}) => {
    const context = createExecutionContext();
    const headers = new Headers({ cookie, ...(form && { origin }) });
    const body = new URLSearchParams(
      Object.entries({ ...(await hiddenFields(path, cookie)), ...form }).flatMap(([name, value]) =>
        [value].flat().map((each) => [name, each]),
      ),
    );
    const init: RequestInit = form ? { method: "POST", body, headers } : { headers };
    const response = await app.fetch(new Request(`${ORIGIN}/settings${path}`, init), env, context);
    const html = await response.text();
    await waitOnExecutionContext(context);
    return { status: response.status, headers: response.headers, to: response.headers.get("location"), html };
  };
  let cookie = "";
  cookie = (await go("/sign-in", { token: world.tokens[role] })).headers.get("set-cookie")?.split(";")[0] ?? "";
  return { visit: (path: string) => go(path), post: go };
}

const formOf = (policy: StoredPolicy, base: number): Form => ({
  base: String(base),
  ...(policy.enabled && { enabled: "on" }),
  requirements: policy.requirements,
  headquarters: policy.headquarters,
  "providers.block": policy.providers.block,
  "providers.allow": policy.providers.allow,
  "models.block": policy.models.block,
  "models.allow": policy.models.allow,
});
const keysOf = async (world: AdminWorld) => (await world.ask("owner", "GET", "/keys?limit=200")).body.data;
const newKey = async (world: AdminWorld, body: object = {}) =>
  (await made(world.ask("owner", "POST", "/keys", { body: { project: "web", name: "CI", ...body } }))).body;

let world: AdminWorld;
let admin: Awaited<ReturnType<typeof person>>;
beforeEach(async () => {
  world = await openAdminWorld({ policy: ORGANIZATION });
  admin = await person(world, "admin");
});

describe("a new key", () => {
  it("is shown once, as text, and never again", async () => {
    const page = await admin.post("/keys", { project: "web", name: "CI", last_day: "2099-01-31" });
    expect(page.status).toBe(200);
    const key = /<code class="secret"[^>]*>(pcl_[^<]+)<\/code>/.exec(page.html)?.[1] ?? "";
    expect(key).toHaveLength(55);
    const [{ id, expires_at, created_by }] = await keysOf(world);
    expect({ expires_at, created_by }).toEqual({
      expires_at: "2099-02-01T00:00:00.000Z",
      created_by: "admin@acme.example",
    });
    for (const path of ["/projects", `/keys/${id}`, "/projects/web"]) {
      const { html, status } = await admin.visit(path);
      expect(status).toBe(200);
      expect(html).not.toContain(key);
    }
    expect((await admin.visit("/projects")).html).toContain(key.slice(0, 12));
  });

  it.each([
    ["no name", { project: "web", name: " ", last_day: "" }, "key-name", "Name must not be empty."],
    ["a project that can be none", { project: HOSTILE, name: "CI", last_day: "" }, "key-project", "Project must be 1"],
    ["a day that has passed", { project: "web", name: "CI", last_day: "2020-01-31" }, "key-last_day", "in the future"],
    ["a day that is none", { project: "web", name: "CI", last_day: "soon" }, "key-last_day", "must be a day"],
  ])("with %s is refused beside the field, and what was typed stays", async (_, form, field, words) => {
    const page = await admin.post("/keys", form);
    expect(page.status).toBe(422);
    expect(page.html).toContain(`id="${field}-error"`);
    expect(page.html).toContain(words);
    expect(page.html).toContain('<details class="maker" open');
    expect(page.html).not.toContain("<script>alert");
    if (form.name === "CI") expect(page.html).toMatch(/id="key-name"[^>]*value="CI"/);
    expect(await keysOf(world)).toEqual([]);
  });

  it("that KV does not take says so, here and in the list", async () => {
    const put = async () => {
      throw new Error("KV is down");
    };
    const env = { ...world.env, CONFIG: replacing(world.env.CONFIG, { put }) };
    const page = await admin.post("/keys", { project: "web", name: "CI", last_day: "" }, { env });
    expect(page.html).toContain("The edge does not accept it yet.");
    expect((await admin.visit("/projects")).html).toContain("not at the edge yet");
    const [{ id }] = await keysOf(world);
    expect((await admin.visit(`/keys/${id}`)).html).toContain("The edge is not in step with this yet");
  });
});

describe("a key's page", () => {
  it("renames it, sets its last day, and takes that away", async () => {
    const { id } = await newKey(world);
    expect((await admin.post(`/keys/${id}/name`, { name: "Nightly" })).to).toBe(`/settings/keys/${id}?saved`);
    await admin.post(`/keys/${id}/expiry`, { last_day: "2099-12-31" });
    expect(await keysOf(world)).toMatchObject([{ name: "Nightly", expires_at: "2100-01-01T00:00:00.000Z" }]);
    expect((await admin.visit(`/keys/${id}`)).html).toMatch(/name="last_day" value="2099-12-31"/);
    await admin.post(`/keys/${id}/expiry`, { last_day: "" });
    expect(await keysOf(world)).toMatchObject([{ name: "Nightly", expires_at: null }]);
    const refused = await admin.post(`/keys/${id}/name`, { name: "" });
    expect(refused.status).toBe(422);
    expect(refused.html).toContain('id="rename-name-error"');
  });

  it("asks before it revokes, and then offers nothing more", async () => {
    const { id } = await newKey(world);
    const asked = await admin.visit(`/keys/${id}/revoke`);
    expect(asked.html).toContain("This cannot be undone.");
    expect((await keysOf(world))[0].revoked_at).toBeNull();
    expect((await admin.post(`/keys/${id}/revoke`, {})).status).toBe(303);
    expect((await keysOf(world))[0].revoked_at).toEqual(expect.any(String));
    const { html } = await admin.visit(`/keys/${id}`);
    expect(html).toContain("revoked");
    expect(html).not.toMatch(/Rename|Revoke…/);
    expect((await admin.post(`/keys/${id}/name`, { name: "x" })).status).toBe(409);
  });

  it("tells that a key expired", async () => {
    const { id } = await newKey(world);
    await world.env.DB.prepare("UPDATE api_keys SET expires_at = '2026-01-01T00:00:00.000Z' WHERE id = ?")
      .bind(id)
      .run();
    expect((await admin.visit(`/keys/${id}`)).html).toContain('<span class="tag">expired</span>');
  });
});

describe("the lists", () => {
  it("neither skip nor repeat a key, however many there are", async () => {
    const { DB } = world.env;
    await newKey(world);
    const insert = DB.prepare(
      `INSERT INTO api_keys (id, hash, prefix, org, project, name, created_at, created_by, changed_at, published)
       VALUES (?1, ?1, 'pcl_', ?2, 'web', 'n', '2026-01-01T00:00:00.000Z', 'a', '2026-01-01T00:00:00.000Z', 1)`,
    );
    const ids = Array.from(
      { length: 130 },
      (_, n) => `key_00000000000000${world.org.slice(-8).toUpperCase()}${String(n).padStart(4, "0")}`,
    );
    await DB.batch(ids.map((id) => insert.bind(id, world.org)));
    const seen: string[] = [];
    let path: string | undefined = "/projects?project=web";
    while (path) {
      const { html } = await admin.visit(path);
      seen.push(...[...html.matchAll(/href="\/settings\/keys\/(key_\w+)"/g)].map(([, id]) => id ?? ""));
      path = /aria-label="Pages of keys".*?href="\/settings(\/projects\?[^"]+)" rel="next"/
        .exec(html)?.[1]
        ?.replaceAll("&amp;", "&");
    }
    expect(seen).toHaveLength(131);
    expect(new Set(seen).size).toBe(131);
    expect((await admin.visit("/projects?before=key_x")).status).toBe(400);
    expect((await admin.visit("/projects?after=%27--")).status).toBe(400);
    expect((await admin.visit("/projects?project=%27%20OR%201%3D1")).html).toContain("No key matches.");
  });

  it("show names as text, whatever they are", async () => {
    const { id } = await newKey(world, { name: HOSTILE });
    await made(world.ask("owner", "PATCH", "/projects/web", { body: { name: HOSTILE } }));
    for (const path of ["/projects", `/keys/${id}`, `/keys/${id}/revoke`, "/projects/web", "/projects/web/remove"]) {
      const { html, status } = await admin.visit(path);
      expect(status).toBe(200);
      expect(html).not.toContain("<script>alert");
      expect(html).toContain(ESCAPED);
    }
  });
});

describe("a project", () => {
  it("is made, renamed and removed", async () => {
    expect((await admin.post("/projects", { id: "web", name: "Web" })).to).toBe("/settings/projects/web");
    const taken = await admin.post("/projects", { id: "web", name: "Again" });
    expect(taken.status).toBe(409);
    expect(taken.html).toContain('id="project-id-error"');
    await admin.post("/projects/web/name", { name: "Shop" });
    expect((await admin.visit("/projects")).html).toContain(">Shop</a>");
    expect((await admin.visit("/projects/web/remove")).status).toBe(200);
    expect((await admin.post("/projects/web/remove", {})).to).toBe("/settings/projects");
    expect((await admin.visit("/projects/web")).status).toBe(404);
  });

  it("that has a key is not removed, and the page does not offer it", async () => {
    await newKey(world);
    expect((await admin.visit("/projects/web")).html).not.toContain("Remove project…");
    expect((await admin.post("/projects/web/remove", {})).status).toBe(409);
  });
});

describe("a project's policy", () => {
  const OWN = policyOf({ requirements: ["gdpr"] });
  beforeEach(async () => {
    await made(world.ask("owner", "POST", "/projects", { body: { id: "web" } }));
  });

  it("is previewed in composition, with the source of each failure and what has no effect; nothing is saved", async () => {
    const draft = policyOf({ requirements: ["gdpr"], providers: { allow: [], block: ["groq"] } });
    const { html, status } = await admin.post("/projects/web/preview", formOf(draft, 1));
    expect(status).toBe(200);
    expect(html).not.toContain("<html");
    expect(html).toContain("by the organization&#39;s policy");
    expect(html).toMatch(/id="provider-groq".*?on the block list.*?by the project&#39;s policy/);
    expect(html).toMatch(/id="no-effect".*?The organization requires SOC 2 Type 2\./);
    const { body } = await world.ask("admin", "POST", "/projects/web/policy/preview", { body: draft });
    expect(html).toContain(`<b>${body.summary.providers.allowed}</b> allowed`);
    expect((await world.atEdge()).projects).toEqual({});
  });

  it("is saved from its form, without JavaScript, and removed after a question", async () => {
    const previewed = await admin.post("/projects/web", { ...formOf(OWN, 1), intent: "preview" });
    expect(previewed.html).toMatch(/^<!doctype html>/);
    expect(previewed.html).toContain("Now requires GDPR.");
    expect((await admin.post("/projects/web", formOf(OWN, 1))).to).toBe("/settings/projects/web?saved=2");
    expect((await world.atEdge()).projects).toEqual({ web: { policy: OWN } });
    expect((await admin.visit("/projects/web?saved=2")).html).toContain("Saved as revision 2");
    expect((await admin.visit("/projects")).html).toContain("the organization&#39;s and its own");
    expect((await admin.visit("/projects/web/remove-policy")).html).toContain('name="base" value="2"');
    expect((await admin.post("/projects/web/remove-policy", { base: "2" })).to).toBe("/settings/projects/web?saved=3");
    expect((await world.atEdge()).projects).toEqual({});
  });

  it("in a conflict keeps what was chosen, and is saved on top only when told to", async () => {
    await made(world.savePolicy("owner", policyOf({ requirements: ["soc2"] }), 1));
    const refused = await admin.post("/projects/web", formOf(OWN, 1));
    expect(refused.status).toBe(409);
    expect(refused.html).toContain("owner@acme.example");
    expect(refused.html).toMatch(/name="requirements" value="gdpr"[^>]*checked/);
    expect((await world.atEdge()).projects).toEqual({});
    const onTop = await admin.post("/projects/web", { ...formOf(OWN, 1), "on-top-of": "2" });
    expect(onTop.to).toBe("/settings/projects/web?saved=3");
  });

  it("off the enterprise plan is read, stays enforced, and is switched off by an owner alone", async () => {
    await admin.post("/projects/web", formOf(OWN, 1));
    await world.setPlan("free");
    const owner = await person(world, "owner");
    const page = await admin.visit("/projects/web");
    expect(page.html).toContain("stays enforced on every request");
    expect(page.html).not.toMatch(/Switch off|id="save-bar"|Remove its policy/);
    expect((await admin.post("/projects/web", formOf(policyOf({}), 2))).status).toBe(403);
    expect((await admin.post("/projects/web/switch-off", { base: "2" })).status).toBe(403);
    expect((await owner.post("/projects/web/remove-policy", { base: "2" })).status).toBe(403);
    expect((await world.atEdge()).projects).toEqual({ web: { policy: OWN } });
    expect((await owner.visit("/projects/web")).html).toContain("Switch off");
    expect((await owner.post("/projects/web/switch-off", { base: "2" })).status).toBe(303);
    expect((await world.atEdge()).projects).toEqual({ web: { policy: { ...OWN, enabled: false } } });
  });

  it("a form that the page could not have sent is refused whole", async () => {
    for (const form of [
      { ...formOf(OWN, 1), base: "" },
      { ...formOf(OWN, 1), headquarters: ["ZZ"] },
    ])
      expect((await admin.post("/projects/web", form)).status).toBe(400);
  });
});

describe("who may", () => {
  let id: string;
  const posts = () =>
    [
      ["/projects", { id: "x", name: "x" }],
      ["/projects/web", formOf(policyOf({}), 1)],
      ["/projects/web/preview", formOf(policyOf({}), 1)],
      ["/projects/web/switch-off", { base: "1" }],
      ["/projects/web/remove-policy", { base: "1" }],
      ["/projects/web/name", { name: "taken over" }],
      ["/projects/web/remove", {}],
      ["/keys", { project: "x", name: "x", last_day: "" }],
      [`/keys/${id}/name`, { name: "taken over" }],
      [`/keys/${id}/expiry`, { last_day: "2099-01-01" }],
      [`/keys/${id}/revoke`, {}],
    ] as [string, Form][];
  const gets = () => ["/projects", "/projects/web", "/projects/web/remove", `/keys/${id}`, `/keys/${id}/revoke`];
  const untouched = async () => {
    expect(await keysOf(world)).toMatchObject([{ id, name: "CI", expires_at: null, revoked_at: null }]);
    const { body } = await world.ask("owner", "GET", "/projects");
    expect(body.data).toMatchObject([{ id: "web", name: "web", has_policy: false }]);
  };
  beforeEach(async () => {
    id = (await newKey(world)).id;
  });

  it("a developer sees and changes nothing", async () => {
    const developer = await person(world, "developer");
    for (const path of gets()) expect((await developer.visit(path)).status, path).toBe(403);
    for (const [path, form] of posts()) expect((await developer.post(path, form)).status, path).toBe(403);
    await untouched();
  });

  it("nobody changes anything from another site", async () => {
    const owner = await person(world, "owner");
    for (const origin of ["https://evil.test", "null"])
      for (const [path, form] of posts()) expect((await owner.post(path, form, { origin })).status, path).toBe(403);
    await untouched();
  });

  it("another organization's owner finds none of it", async () => {
    const other = await person(await openAdminWorld(), "owner");
    for (const path of gets().slice(1)) expect((await other.visit(path)).status, path).toBe(404);
    for (const [path, form] of posts().filter(([path]) => path !== "/projects" && path !== "/keys"))
      expect((await other.post(path, form)).status, path).toBe(404);
    expect((await other.visit("/projects")).html).not.toContain("/settings/keys/key_");
    await untouched();
  });
});
