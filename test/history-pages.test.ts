// Policy history in the browser: the list, the comparison, restoring with its preview, the reason and the confirmation.
import { beforeEach, describe, expect, it } from "vitest";
import { repairEdge } from "../src/audit/cron.ts";
import type { StoredPolicy } from "../src/compliance/policy.ts";
import type { Env } from "../src/env.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { looser, nobody, openWithRevisions, storeRevision, strict, withoutCatalog } from "./revised-world.ts";
import { type Page, signIn, visit } from "./visit.ts";
import { policyOf, replacing } from "./world.ts";

const HOSTILE = `"><script>alert(1)</script>`;
const HISTORY = "/compliance/history";

let world: AdminWorld;
let cookie: string;
beforeEach(async () => {
  world = await openWithRevisions();
  cookie = await signIn(world, "admin");
});

const save = (policy: StoredPolicy, base: number, more: Record<string, string> = {}, env?: Env) =>
  visit("/compliance", {
    cookie,
    form: {
      base: String(base),
      enabled: "on",
      requirements: policy.requirements,
      "providers.block": policy.providers.block,
      "providers.allow": policy.providers.allow,
      ...more,
    },
    ...(env && { env }),
  });
const inForce = async () => (await world.ask("admin", "GET", "/policy")).body;

describe("the list", () => {
  it("tells of each revision who, when, from where, what and why", async () => {
    await save(strict, 3, { reason: "Audit finding A-12" });
    const { html, status } = await visit(HISTORY, { cookie });
    expect(status).toBe(200);
    const newest = html.slice(html.indexOf("Revision 4"), html.indexOf("Revision 3"));
    expect(newest).toContain("admin@acme.example");
    expect(newest).toContain("in the browser");
    expect(newest).toContain("Now requires No training on prompts. No longer blocks xai.");
    expect(newest).toContain("<q>Audit finding A-12</q>");
    expect(newest).toMatch(/<time datetime="20\d\d-[^"]+Z">[^<]+ UTC<\/time>/);
    expect(newest).not.toContain("/restore");
    expect(html).toContain(`${HISTORY}/3/restore`);
    expect(html).not.toContain(`${HISTORY}/2/restore`);
  });

  it("older pages neither skip nor repeat, also when somebody saves in between", async () => {
    for (let base = 3; base < 57; base++) await storeRevision(world, base % 2 ? looser : strict);
    const seen: number[] = [];
    let path: string | undefined = HISTORY;
    while (path) {
      const { html }: Page = await visit(path, { cookie });
      seen.push(...[...html.matchAll(/id="revision-(\d+)"/g)].map(([, number]) => Number(number)));
      path = /href="\/settings(\/compliance\/history\?[^"]+)" rel="next"/.exec(html)?.[1];
      await storeRevision(world, strict);
    }
    expect(seen).toEqual(Array.from({ length: 57 }, (_, index) => 57 - index));
  });

  it.each(["0", "x", "1' OR 1=1", "1e3"])("refuses to continue after %s", async (before) => {
    expect((await visit(`${HISTORY}?before=${encodeURIComponent(before)}`, { cookie })).status).toBe(400);
  });
});

describe("the comparison", () => {
  it("is in words, field by field, and in who becomes allowed and blocked", async () => {
    const { html, status } = await visit(`${HISTORY}/compare?from=2&to=3`, { cookie });
    expect(status).toBe(200);
    expect(html).toContain("No longer requires No training on prompts. Now blocks xai.");
    expect(html).toMatch(
      /<th scope="row">Requirements<\/th><td class="removed"[^>]*><ul><li>No training on prompts<\/li>/,
    );
    expect(html).toMatch(/<th scope="row">Blocked providers<\/th>.*<td class="added"[^>]*><ul><li>xai<\/li>/);
    const { effect } = (await world.ask("admin", "GET", "/policy/revisions/2/compare/3")).body;
    const changed = effect.providers.filter(({ change }: { change: string | null }) => change !== null);
    expect(changed.length).toBeGreaterThan(0);
    const shown = [...html.matchAll(/<li id="provider-([^"]+)"/g)].map(([, id]) => id);
    expect(shown.sort()).toEqual(changed.map(({ id }: { id: string }) => id).sort());
    expect(html).toContain(`<b>${effect.summary.providers.allowed}</b> allowed`);
  });

  it("without a choice is that of the last change", async () => {
    expect((await visit(`${HISTORY}/compare`, { cookie })).html).toContain("From revision 2 to 3");
  });

  it("is still readable while the catalog is not", async () => {
    const page = await visit(`${HISTORY}/compare?from=2&to=3`, { cookie, env: withoutCatalog(world) });
    expect(page.status).toBe(200);
    expect(page.html).toContain("Now blocks xai.");
    expect(page.html).toContain("The effect cannot be shown");
  });

  it.each(["from=2&to=9", "from=9&to=2", "from=x&to=2", "from=2&to=%3Cscript%3E"])(
    "of %s is not found",
    async (query) => {
      const page = await visit(`${HISTORY}/compare?${query}`, { cookie });
      expect(page.status).toBe(404);
      expect(page.html).not.toContain("<script>");
    },
  );
});

describe("restoring", () => {
  it("shows what it would change first, and then makes a new revision", async () => {
    const preview = await visit(`${HISTORY}/2/restore`, { cookie });
    expect(preview.html).toContain("Now requires No training on prompts. No longer blocks xai.");
    expect(preview.html).toContain("Restore it as revision 4");
    expect(await inForce()).toMatchObject({ revision: 3 });
    const form = { base: "3", reason: "Rolled back" };
    const page = await visit(`${HISTORY}/2/restore`, { cookie, form });
    expect(page.headers.get("location")).toBe("/settings/compliance?saved=4");
    expect(await inForce()).toMatchObject({ revision: 4, policy: strict });
    const { body } = await world.ask("admin", "GET", "/policy/revisions/4");
    expect(body).toMatchObject({ restores: 2, reason: "Rolled back", via: "page" });
  });

  it("never overwrites what somebody saved meanwhile, and shows what it would change now", async () => {
    await world.savePolicy("owner", { ...looser, headquarters: ["FR"] }, 3);
    const form = { base: "3", reason: "Rolled back" };
    const page = await visit(`${HISTORY}/2/restore`, { cookie, form });
    expect(page.status).toBe(409);
    expect(page.html).toContain("owner@acme.example saved revision 4 first");
    expect(page.html).toContain("No longer restricts headquarters.");
    expect(page.html).toContain('name="base" value="4"');
    expect(page.html).toContain('value="Rolled back"');
    expect(await inForce()).toMatchObject({ revision: 4, policy: { headquarters: ["FR"] } });
  });

  it("says what of the old policy is not known today", async () => {
    await storeRevision(world, policyOf({ requirements: ["newer"], providers: { allow: [], block: ["gone-since"] } }));
    await world.savePolicy("owner", looser, 4);
    const { html } = await visit(`${HISTORY}/4/restore`, { cookie });
    expect(html).toContain("This version of the gateway cannot check newer, so no provider meets it.");
    expect(html).toContain("The catalog has no provider gone-since.");
    expect(html).toContain('name="confirm"');
  });

  it.each([
    ["no base", {}, 400],
    ["a base that is no revision", { base: "0" }, 400],
    ["a reason that is too long", { base: "3", reason: "x".repeat(501) }, 422],
  ])("with %s is refused", async (_, form, status) => {
    expect((await visit(`${HISTORY}/2/restore`, { cookie, form })).status).toBe(status);
    expect(await inForce()).toMatchObject({ revision: 3 });
  });

  it("off the enterprise plan can be looked at, not done", async () => {
    await world.setPlan("free");
    const preview = await visit(`${HISTORY}/2/restore`, { cookie });
    expect(preview.html).not.toContain('<button type="submit" class="primary"');
    expect((await visit(HISTORY, { cookie })).html).not.toContain("/restore");
    expect((await visit(`${HISTORY}/2/restore`, { cookie, form: { base: "3" } })).status).toBe(403);
    expect(await inForce()).toMatchObject({ revision: 3 });
  });

  it("a revision of another organization is not found", async () => {
    const other = await signIn(await openAdminWorld(), "admin");
    for (const path of [`${HISTORY}/3/restore`, `${HISTORY}/compare?from=1&to=3`])
      expect((await visit(path, { cookie: other })).status).toBe(404);
    expect((await visit(`${HISTORY}/3/restore`, { cookie: other, form: { base: "1" } })).status).toBe(404);
  });
});

describe("a save that leaves no provider", () => {
  it.each<[string, () => Promise<(more: Record<string, string>) => Promise<Page>>]>([
    ["a save", async () => (more) => save(nobody, 3, more)],
    [
      "a restore",
      async () => {
        await storeRevision(world, nobody);
        await world.savePolicy("owner", looser, 4);
        return (more) => visit(`${HISTORY}/4/restore`, { cookie, form: { base: "5", ...more } });
      },
    ],
  ])("asks for a tick first: %s", async (_, open) => {
    const post = await open();
    const refused = await post({ reason: "Lock down" });
    expect(refused.status).toBe(409);
    expect(refused.html).toContain("No model would keep a provider");
    expect(refused.html).toMatch(/<input type="checkbox" name="confirm" value="no-providers"/);
    expect(refused.html).toContain('value="Lock down"');
    expect((await inForce()).policy).toEqual(looser);
    expect((await post({ confirm: "no-providers" })).status).toBe(303);
    expect((await inForce()).policy).toEqual(nobody);
  });

  it("asks for the tick when the catalog cannot be read", async () => {
    const refused = await save({ ...looser, requirements: ["soc2"] }, 3, {}, withoutCatalog(world));
    expect(refused.status).toBe(409);
    expect(refused.html).toContain("The catalog cannot be read right now, so nobody can say");
    expect((await inForce()).revision).toBe(3);
  });
});

describe("a reason", () => {
  it("that is hostile comes out as text, everywhere", async () => {
    await save(strict, 3, { reason: HOSTILE });
    for (const path of ["/overview", HISTORY, `${HISTORY}/compare?from=3&to=4`, `${HISTORY}/4/restore`]) {
      const { html } = await visit(path, { cookie });
      expect(html, path).toContain("&lt;script&gt;alert(1)");
      expect(html, path).not.toContain("<script>alert");
    }
  });

  it("that cannot be kept stays typed, with what is wrong, and nothing is saved", async () => {
    const page = await save(strict, 3, { reason: `${HOSTILE}\u2028${"x".repeat(500)}` });
    expect(page.status).toBe(422);
    expect(page.html).toContain("must have at most 500 characters");
    expect(page.html).not.toContain("<script>alert");
    expect((await inForce()).revision).toBe(3);
  });
});

it("KV fails in the middle: the pages say so until cron has repaired it", { timeout: 20_000 }, async () => {
  const put = () => Promise.reject(new Error("KV PUT failed: 500"));
  const env = { ...world.env, CONFIG: replacing(world.env.CONFIG, { put }) };
  const saved = await save(strict, 3, {}, env);
  expect(saved.headers.get("location")).toBe("/settings/compliance?saved=4");
  const OUTSTANDING = "Revision 4 has not reached the edge yet";
  const pages = ["/overview", "/compliance?saved=4", HISTORY];
  for (const path of pages) expect((await visit(path, { cookie })).html, path).toContain(OUTSTANDING);
  expect((await world.atEdge()).revision).toBe(3);

  await expect(repairEdge(env)).rejects.toThrow(world.org);
  expect((await visit("/overview", { cookie })).html).toContain(OUTSTANDING);
  await repairEdge(world.env);
  expect(await world.atEdge()).toMatchObject({ revision: 4, policy: strict });
  for (const path of pages) expect((await visit(path, { cookie })).html, path).not.toContain(OUTSTANDING);
});

it("D1 fails right after the put: cron finds the edge in step, and the pages say so", async () => {
  const DB = replacing(world.env.DB, {
    prepare(query: string) {
      if (query.includes("UPDATE orgs")) throw new Error("D1_ERROR: gone");
      return world.env.DB.prepare(query);
    },
  });
  await save(strict, 3, {}, { ...world.env, DB });
  expect(await world.atEdge()).toMatchObject({ revision: 4 });
  expect((await visit("/overview", { cookie })).html).toContain("Revision 4 has not reached the edge yet");
  await repairEdge(world.env);
  expect((await visit("/overview", { cookie })).html).not.toContain("has not reached the edge yet");
});
