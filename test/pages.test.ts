// The settings pages as a browser meets them: signing in, what the headers forbid, what each role and plan sees, and
// that a preview says what the evaluator says.
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StoredPolicy } from "../src/compliance/policy.ts";
import { preview } from "../src/compliance/preview.ts";
import { insertEvents } from "../src/store/events.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { eventOf } from "./security-event.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { type Page, signIn, visit } from "./visit.ts";
import { policyOf, readingBy, replacing } from "./world.ts";

const POLICY = policyOf({ requirements: ["soc2_type2"], providers: { allow: [], block: ["xai"] } });

let acme: AdminWorld;
beforeAll(async () => {
  acme = await openAdminWorld({ policy: POLICY });
});

/** The form as it stands for `policy`, on revision `base`. */
const formOf = (policy: StoredPolicy, base: number) => ({
  base: String(base),
  ...(policy.enabled && { enabled: "on" }),
  requirements: policy.requirements,
  headquarters: policy.headquarters,
  "providers.block": policy.providers.block,
  "providers.allow": policy.providers.allow,
  "models.block": policy.models.block,
  "models.allow": policy.models.allow,
});

const isTicked = (html: string, name: string, value: string) =>
  new RegExp(`<input[^>]*name="${name}"[^>]*value="${value}"[^>]*checked`).test(html);

describe("signing in", () => {
  it("sets a cookie that scripts, other sites and plain http cannot have", async () => {
    const page = await visit("/sign-in", { form: { token: ` ${acme.tokens.admin}\n` } });
    expect(page).toMatchObject({ status: 303 });
    expect(page.headers.get("location")).toBe("/settings");
    const flags = page.headers.get("set-cookie")?.split("; ").slice(1).sort();
    expect(flags).toEqual(["HttpOnly", "Max-Age=28800", "Path=/", "SameSite=Lax", "Secure"]);
    expect(page.headers.get("set-cookie")).toMatch(/^__Host-portcullis=[\w-]{40,};/);
  });

  it.each([
    ["nothing", ""],
    ["junk", "pcladm_junk"],
    ["an API key", "pcl_key"],
    ["the operator's token", "an-operator-token-for-tests-only-0123456789"],
  ])("refuses %s beside the field, and does not repeat it", async (_, token) => {
    const page = await visit("/sign-in", { form: { token } });
    expect(page.status).toBe(401);
    expect(page.headers.get("set-cookie")).toBeNull();
    expect(page.html).toContain('aria-invalid="true"');
    if (token !== "") expect(page.html).not.toContain(token);
  });

  it("ends the session before it, and signing out ends this one", async () => {
    const first = await signIn(acme, "admin");
    const second = await signIn(acme, "admin", first);
    expect((await visit("/compliance", { cookie: first })).status).toBe(302);
    expect((await visit("/compliance", { cookie: second })).status).toBe(200);
    await visit("/sign-out", { cookie: second, form: {} });
    expect((await visit("/compliance", { cookie: second })).status).toBe(302);
  });

  it("leads back to the page asked for, and to no other site", async () => {
    const asked = await visit("/events?model=a%2Fb");
    expect(asked.headers.get("location")).toBe("/settings/sign-in?next=%2Fsettings%2Fevents%3Fmodel%3Da%252Fb");
    const token = acme.tokens.admin;
    const back = await visit("/sign-in", { form: { token, next: "/settings/events?model=a%2Fb" } });
    expect(back.headers.get("location")).toBe("/settings/events?model=a%2Fb");
    for (const next of [
      "https://evil.test/",
      "//evil.test",
      "/settings/../..//evil.test",
      "/settingsx",
      "javascript:1",
    ]) {
      const page = await visit("/sign-in", { form: { token, next } });
      expect(page.headers.get("location")).toBe("/settings");
    }
  });
});

describe("what the headers forbid", () => {
  it.each([
    "/sign-in",
    "/overview",
    "/compliance",
    "/compliance/history",
    "/compliance/history/compare",
    "/compliance/history/1/restore",
    "/nowhere",
  ])("%s: no inline code, no framing, no caching", async (path) => {
    const { headers, html } = await visit(path, { cookie: await signIn(acme, "admin") });
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    );
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("same-origin");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(html).not.toMatch(/ style=|<style|<script(?! src=)|\son\w+=/);
  });

  it("assets come from here, by content, and may be kept", async () => {
    const { html } = await visit("/sign-in");
    const assets = [...html.matchAll(/(?:src|href)="\/settings(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? "");
    expect(assets).toHaveLength(3);
    for (const path of assets) {
      const { status, headers } = await visit(path);
      expect(status).toBe(200);
      expect(headers.get("cache-control")).toMatch(/immutable/);
      expect(headers.get("content-type")).toMatch(/^text\/(css|javascript); charset=utf-8$/);
    }
    expect((await visit("/assets/0000/app.css")).headers.get("cache-control")).toBe("no-cache");
    expect((await visit("/assets/0000/constructor")).status).toBe(404);
  });

  it.each([
    ["/sign-in", { token: "x" }],
    ["/sign-out", {}],
    ["/compliance", formOf(POLICY, 1)],
    ["/compliance/preview", formOf(POLICY, 1)],
    ["/compliance/switch-off", { base: "1" }],
    ["/compliance/history/1/restore", { base: "1" }],
  ])("POST %s from another site is refused", async (path, form) => {
    const cookie = await signIn(acme, "owner");
    for (const origin of ["https://evil.test", "null"]) {
      const page = await visit(path, { cookie, form, headers: { origin } });
      expect(page.status).toBe(403);
      expect(page.headers.get("set-cookie")).toBeNull();
    }
    expect((await acme.ask("owner", "GET", "/policy")).body.revision).toBe(1);
  });
});

describe("who sees what", () => {
  it.each([
    "/overview",
    "/compliance",
    "/compliance/history",
    "/compliance/history/compare",
    "/compliance/history/1/restore",
    "/events",
  ])("a developer gets 403 on %s, in a plain sentence", async (path) => {
    const page = await visit(path, { cookie: await signIn(acme, "developer") });
    expect(page.status).toBe(403);
    expect(page.html).toContain("You are signed in as a developer.");
    expect(page.html).not.toContain("soc2_type2");
  });

  it("off the enterprise plan the policy is read-only, and stays enforced", async () => {
    const world = await openAdminWorld({ policy: POLICY });
    await world.setPlan("free");
    const admin = await signIn(world, "admin");
    const shown = await visit("/compliance", { cookie: admin });
    expect(shown.html).toContain("stays enforced on every request");
    expect(shown.html).not.toMatch(/Switch off|id="save-bar"/);
    expect(shown.html.match(/<fieldset class="group[^>]*>/g)?.every((tag) => tag.includes("disabled"))).toBe(true);

    const changed = { ...POLICY, requirements: [] };
    expect((await visit("/compliance", { cookie: admin, form: formOf(changed, 1) })).status).toBe(403);
    expect((await visit("/compliance/switch-off", { cookie: admin, form: { base: "1" } })).status).toBe(403);
    expect((await world.atEdge()).policy).toEqual(POLICY);

    const owner = await signIn(world, "owner");
    expect((await visit("/compliance", { cookie: owner })).html).toContain("Switch off");
    const off = await visit("/compliance/switch-off", { cookie: owner, form: { base: "1" } });
    expect(off.headers.get("location")).toBe("/settings/compliance?saved=2");
    expect((await world.atEdge()).policy).toEqual({ ...POLICY, enabled: false });
  });

  it("nobody sees another organization's event", async () => {
    const event = eventOf(acme.org, { model: "deepseek-v3.2" });
    await insertEvents(acme.env, [event]);
    const other = await openAdminWorld();
    expect((await visit(`/events/${event.id}`, { cookie: await signIn(acme, "admin") })).status).toBe(200);
    expect((await visit(`/events/${event.id}`, { cookie: await signIn(other, "admin") })).status).toBe(404);
  });
});

describe("the policy form", () => {
  let world: AdminWorld;
  let cookie: string;
  beforeEach(async () => {
    world = await openAdminWorld({ policy: POLICY });
    cookie = await signIn(world, "admin");
  });

  it("saves what it shows, and says so", async () => {
    const form = {
      ...formOf(POLICY, 1),
      requirements: ["soc2_type2", "no_logging"],
      "add.models.block": "gpt-4o-mini",
    };
    const page = await visit("/compliance", { cookie, form });
    expect(page.headers.get("location")).toBe("/settings/compliance?saved=2");
    expect((await visit("/compliance?saved=2", { cookie })).html).toContain("Saved as revision 2");
    expect((await world.atEdge()).policy).toEqual({
      ...POLICY,
      requirements: ["soc2_type2", "no_logging"],
      models: { allow: [], block: ["gpt-4o-mini"] },
    });
  });

  it("previews as a whole page without JavaScript, and saves nothing", async () => {
    const form = { ...formOf(POLICY, 1), requirements: ["no_logging"], intent: "preview" };
    const page = await visit("/compliance", { cookie, form });
    expect(page.status).toBe(200);
    expect(page.html).toMatch(/^<!doctype html>/);
    expect(isTicked(page.html, "requirements", "no_logging")).toBe(true);
    expect(isTicked(page.html, "requirements", "soc2_type2")).toBe(false);
    expect(page.html).toContain("Now requires No prompt logging.");
    expect((await world.ask("admin", "GET", "/policy")).body.revision).toBe(1);
  });

  it("a conflict keeps everything typed, says who saved and what, and saves on top only when told to", async () => {
    const theirs = { ...POLICY, requirements: ["soc2_type2", "gdpr"] };
    expect((await world.savePolicy("owner", theirs, 1)).status).toBe(200);
    const form = { ...formOf(POLICY, 1), requirements: ["soc2_type2", "no_logging"], "add.providers.allow": "groq" };
    const refused = await visit("/compliance", { cookie, form });
    expect(refused.status).toBe(409);
    expect(refused.html).toContain("owner@acme.example");
    expect(refused.html).toContain("Now requires GDPR.");
    expect(refused.html).toContain("Now requires No prompt logging. No longer requires GDPR.");
    expect(isTicked(refused.html, "requirements", "no_logging")).toBe(true);
    expect(isTicked(refused.html, "providers.allow", "groq")).toBe(true);
    expect(refused.html).toContain('name="base" value="1"');
    expect((await visit("/compliance", { cookie, form })).status).toBe(409);

    const onTop = await visit("/compliance", { cookie, form: { ...form, "on-top-of": "2" } });
    expect(onTop.headers.get("location")).toBe("/settings/compliance?saved=3");
    expect((await world.atEdge()).policy.requirements).toEqual(["soc2_type2", "no_logging"]);
  });

  it("what cannot be added stays typed, with the reason beside it", async () => {
    const form = { ...formOf(POLICY, 1), "add.providers.block": "groq, deepseak" };
    const page = await visit("/compliance", { cookie, form });
    expect(page.status).toBe(422);
    expect(page.html).toContain("did you mean deepseek?");
    expect(page.html).toMatch(/id="list-providers-block-add"[^>]*value="deepseak"[^>]*aria-invalid="true"/);
    expect(isTicked(page.html, "providers.block", "groq")).toBe(true);
    expect((await world.ask("admin", "GET", "/policy")).body.revision).toBe(1);
  });

  it.each([
    ["no revision", { base: "" }],
    ["a country that is none", { headquarters: ["ZZ"] }],
  ])("a form with %s is refused whole", async (_, change) => {
    expect((await visit("/compliance", { cookie, form: { ...formOf(POLICY, 1), ...change } })).status).toBe(400);
  });

  it("a live preview says what the evaluator says, for every provider", async () => {
    const draft = policyOf({ requirements: ["no_logging", "soc2"], headquarters: ["US", "FR"] });
    const { html, status } = await visit("/compliance/preview", {
      cookie,
      form: formOf(draft, 1),
      headers: { "hx-request": "true" },
    });
    expect(status).toBe(200);
    expect(html).not.toContain("<html");
    const rules = (policy: StoredPolicy) => ({ policies: [policy], requirements: [] });
    const expected = preview({ draft: rules(draft), inForce: rules(POLICY) }, shippedCatalog, Date.now());
    const shown = [
      ...html.matchAll(/<li id="provider-([^"]+)".*?class="mark (allowed|blocked)".*?(newly \w+|<\/div>)/g),
    ];
    const changes = { newly_blocked: "newly blocked", newly_allowed: "newly allowed" };
    expect(shown.map(([, id, mark, change]) => [id, mark, change]).sort()).toEqual(
      expected.providers
        .map(({ id, allowed, change }) => [id, allowed ? "allowed" : "blocked", change ? changes[change] : "</div>"])
        .sort(),
    );
    expect(html).toContain(`<b>${expected.summary.providers.allowed}</b> allowed`);
    expect(html).toContain(`<b>${expected.summary.providers.blocked}</b> blocked`);
  });

  it("while it is off, it says what it would do once on", async () => {
    const { html } = await visit("/compliance/preview", { cookie, form: formOf({ ...POLICY, enabled: false }, 1) });
    expect(html).toContain("The policy is off: every provider passes.");
    expect(html).toMatch(/Switched on, these rules would block \d+ providers/);
  });

  it("a session that ended leaves the form alone and says so", async () => {
    const page = await visit("/compliance/preview", { form: formOf(POLICY, 1), headers: { "hx-request": "true" } });
    expect(page.status).toBe(401);
    expect(page.html).toMatch(/^<section id="impact".*Your session has ended/);
  });

  it("without a catalog the policy is still shown", async () => {
    const env = { ...world.env, CONFIG: readingBy(world.env.CONFIG, async () => null) };
    const page = await visit("/compliance", { cookie, env });
    expect(page.status).toBe(200);
    expect(page.html).toContain("The impact cannot be shown");
    expect(isTicked(page.html, "requirements", "soc2_type2")).toBe(true);
  });

  it("a publish that is outstanding is shown", async () => {
    const failing = async () => {
      throw new Error("KV is down");
    };
    const env = { ...world.env, CONFIG: replacing(world.env.CONFIG, { put: failing }) };
    await visit("/compliance", { cookie, env, form: formOf({ ...POLICY, requirements: [] }, 1) });
    expect((await visit("/compliance", { cookie })).html).toContain("Revision 2 has not reached the edge yet");
  });
});

describe("security events", () => {
  it("hostile names come out as text", async () => {
    const hostile = `"><script>alert(1)</script>`;
    const world = await openAdminWorld();
    await world.call("operator", "PATCH", `/orgs/${world.org}`, { body: { name: `${hostile}&amp;` } });
    const event = eventOf(world.org, { model: hostile, project: hostile, client_request_id: hostile });
    await insertEvents(world.env, [event]);
    const cookie = await signIn(world, "admin");
    for (const path of [
      "/compliance",
      "/events",
      `/events/${event.id}`,
      `/events?model=${encodeURIComponent(hostile)}`,
    ]) {
      const { html, status } = await visit(path, { cookie });
      expect(status).toBe(200);
      expect(html).not.toContain("<script>alert");
      expect(html).toContain("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
    }
  });

  it("filters are kept in the address, and older pages neither skip nor repeat", async () => {
    const world = await openAdminWorld();
    const events = Array.from({ length: 120 }, (_, n) => eventOf(world.org, { model: n % 2 ? "odd" : "even" }));
    for (let at = 0; at < events.length; at += 40) await insertEvents(world.env, events.slice(at, at + 40));
    const cookie = await signIn(world, "admin");
    const seen: string[] = [];
    let path: string | undefined = "/events?model=odd&provider=deepseek&requirement=soc2_type2&project=web";
    while (path) {
      const { html }: Page = await visit(path, { cookie });
      seen.push(...[...html.matchAll(/href="\/settings\/events\/(evt_\w+)"/g)].map(([, id]) => id ?? ""));
      path = /href="\/settings(\/events\?[^"]+)" rel="next"/.exec(html)?.[1]?.replaceAll("&amp;", "&");
    }
    const expected = events.filter(({ model }) => model === "odd").map(({ id }) => id);
    expect(seen).toEqual(expected.sort().reverse());
    expect((await visit("/events?model=none", { cookie })).html).toContain("No event matches");
    expect((await visit("/events?before=evt_x", { cookie })).status).toBe(400);
  });

  it("an event's page gives every failure, its evidence, and who would pass", async () => {
    const failures = [
      { code: "soc2_type2", found: null },
      { code: "no_training", found: true },
      { code: "of_a_newer_build", found: "x" },
    ];
    const event = eventOf(acme.org, { providers: [{ id: "deepseek", failures }] });
    await insertEvents(acme.env, [event]);
    const { html } = await visit(`/events/${event.id}`, { cookie: await signIn(acme, "admin") });
    expect(html).toContain("SOC 2: unknown");
    expect(html).toContain("Training: trains on prompts");
    const { evidence } = shippedCatalog.providers.find(({ id }) => id === "deepseek") ?? {};
    expect(html).toContain(`href="${evidence?.trainsOnPrompts?.source}"`);
    expect(html).toContain(event.request_id);
    expect(html).toContain("What to do");
  });
});

describe("when something is down", () => {
  it("D1: a page says so, with nothing of the error", async () => {
    const prepare = () => {
      throw new Error("D1_ERROR: secret detail");
    };
    const env = { ...acme.env, DB: replacing(acme.env.DB, { prepare }) };
    const page = await visit("/compliance", { cookie: await signIn(acme, "admin"), env });
    expect(page.status).toBe(503);
    expect(page.html).toContain("Temporarily unavailable");
    expect(page.html).not.toContain("secret detail");
  });
});
