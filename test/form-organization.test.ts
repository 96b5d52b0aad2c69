// A form goes to the organization that its page was opened for, or nowhere: in another tab the browser may be in another
// one meanwhile, with the same cookie.
import { beforeAll, describe, expect, it } from "vitest";
import { pages } from "../src/admin/pages/index.tsx";
import { type AdminWorld, made, openAdminWorld } from "./admin-world.ts";
import { type PageForm, postFormsIn } from "./page-forms.ts";
import { signInWith, type Visit, visitPage } from "./page-visit.ts";
import { openWebhookWorld, type WebhookWorld } from "./webhook-world.ts";
import { policyOf } from "./world.ts";

const POLICY = policyOf({ requirements: ["soc2"] });
const OWNER = "owner@acme.example";

/** They change nothing of an organization: in, out, and over to another one. */
const OF_NONE = ["/sign-in", "/sign-out", "/organization"];
/** Asked by script, out of the form of the page itself. */
const PREVIEW = /\/preview$/;

let world: WebhookWorld;
let other: AdminWorld;
let cookie: string;
/** The forms of every page, by their action. */
const forms = new Map<string, PageForm>();
/** What stands for a parameter: of one path, or else of any. */
const names: Record<string, string> = {};

const go = (path: string, visit: Omit<Visit, "cookie"> = {}) => visitPage(world.env, path, { cookie, ...visit });

const routes = (method: string) => [
  ...new Set(pages.routes.filter((route) => route.method === method).map(({ path }) => path.replace(/(?<=.)\/$/, ""))),
];
const addressOf = (path: string) =>
  path.replace(/:(\w+)/g, (_, name) => encodeURIComponent(names[`${path} ${name}`] ?? names[name] ?? ""));
const posts = routes("POST").filter((path) => !OF_NONE.includes(path));

/** Everything that D1 holds of the organization whose pages are walked. */
async function stored(): Promise<string> {
  const tables = ["orgs", "projects", "members", "tokens", "api_keys", "revisions", "webhooks", "audit_log"];
  const rows = await Promise.all(
    tables.map((table) => {
      const of = table === "orgs" ? "id" : "org";
      return world.env.DB.prepare(`SELECT * FROM ${table} WHERE ${of} = ?`).bind(world.org).all();
    }),
  );
  return JSON.stringify(rows.map(({ results }) => results));
}

beforeAll(async () => {
  world = await openWebhookWorld();
  other = await openAdminWorld();
  const { world: acme } = world;
  cookie = await signInWith(world.env, acme.tokens.owner);
  await made(acme.savePolicy("owner", POLICY, 1));
  await made(acme.ask("owner", "POST", "/projects", { body: { id: "unused", name: "Unused" } }));
  const key = await made(acme.ask("owner", "POST", "/keys", { body: { project: "web", name: "CI" } }));
  const project = { body: POLICY, headers: { "if-match": '"2"' } };
  await made(acme.ask("owner", "PUT", "/projects/web/policy", project));
  const token = (await made(acme.ask("owner", "GET", `/members/${OWNER}/tokens`))).body.data[0].id;
  const [webhook, paused] = [(await world.add("siem")).id, (await world.add("paused")).id];
  await made(world.ask("PATCH", `/webhooks/${paused}`, { enabled: false }));
  Object.assign(names, { project: "web", email: OWNER, revision: "1" });
  for (const path of routes("GET").concat(routes("POST"))) {
    if (path.startsWith("/keys/")) names[`${path} id`] = key.body.id;
    if (path.startsWith("/members/")) names[`${path} id`] = token;
    if (path.startsWith("/webhooks/")) names[`${path} id`] = webhook;
    if (path === "/projects/:project/remove") names[`${path} project`] = "unused";
  }
  const walk = async (paths: readonly string[]) => {
    for (const path of paths) for (const form of postFormsIn((await go(path)).html)) forms.set(form.action, form);
  };
  const shown = routes("GET").filter((path) => !path.includes("*"));
  await walk([...shown.map(addressOf), `/webhooks/${paused}`]);
  names["/webhooks/:id/resume id"] = paused;
  // What is only there while the plan does not let anybody edit.
  await acme.setPlan("free");
  await walk(["/compliance", "/projects/web"]);
  await acme.setPlan("enterprise");
});

describe("the forms of all pages", () => {
  it("are found: each route that takes one has a page that sends it", () => {
    for (const path of posts.filter((post) => !PREVIEW.test(post)))
      expect([...forms.keys()]).toContain(addressOf(path));
  });

  it("name the organization of their page", () => {
    for (const [action, { hidden }] of forms)
      if (!OF_NONE.includes(action)) expect(hidden.organization, action).toBe(world.org);
  });
});

describe.each(posts)("POST %s", (path) => {
  it.each([
    ["out of a page of another organization", () => other.org, 409, "you are in Acme now. Nothing was changed."],
    ["that names no organization", () => "", 400, "This form does not say which organization it is for."],
  ])("%s is refused, and changes nothing", async (_, organization, status, words) => {
    const before = await stored();
    const action = addressOf(path);
    const page = await go(action, { form: { ...forms.get(action)?.hidden, organization: organization() } });
    expect(page.status).toBe(status);
    expect(page.html).toContain(words);
    expect(await stored()).toBe(before);
  });
});

describe("somebody who went over to another organization meanwhile", () => {
  it.each([
    ["a member", "/members", { email: "new@acme.example", role: "owner" }],
    ["a key", "/keys", { project: "web", name: "Other" }],
    ["a webhook", "/webhooks", { url: "there", format: "json" }],
    ["a policy on a revision of the same number", "/compliance", { base: "3", requirements: "iso27001" }],
  ])("does not make %s there", async (_, path, fields) => {
    const hidden = forms.get(path)?.hidden ?? {};
    const form = { ...hidden, ...fields, ...("url" in fields && { url: world.address("late") }) };
    const before = await stored();
    const refused = await go(path, { form: { ...form, organization: other.org } });
    expect(refused.status).toBe(409);
    expect(refused.html).toContain(`This page was opened for ${other.org}; you are in Acme now. Nothing was changed.`);
    expect(refused.html).toContain("reload this page; what you entered is sent again");
    expect(await stored()).toBe(before);
    // The same form of this organization's page is taken.
    expect((await go(path, { form })).status).toBeLessThan(400);
    expect(await stored()).not.toBe(before);
  });

  it("is told so beside the form, where a script asked for a preview", async () => {
    const form = { base: "3", organization: other.org };
    const { status, html } = await go("/compliance/preview", { form, headers: { "hx-request": "true" } });
    expect(status).toBe(409);
    expect(html).toMatch(/^<section id="impact"/);
    expect(html).toContain("what you entered is still here");
  });
});
