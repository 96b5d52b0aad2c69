// Settings → Security events → Retention: what holds is shown to whoever sees events, and an owner changes it; what leads to
// removal is asked once more.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { removeExpired } from "../src/audit/retention.ts";
import { putRetention } from "../src/store/retention.ts";
import { signInWith, visitPage } from "./page-visit.ts";
import { DAY, NOW, openRetainedWorld, type RetainedWorld, signing } from "./retained-world.ts";
import { replacing } from "./world.ts";

let world: RetainedWorld;
let cookies: Record<"owner" | "admin", string>;
beforeEach(async () => {
  world = await openRetainedWorld();
  cookies = {
    owner: await signInWith(world.env, world.tokens.owner),
    admin: await signInWith(world.env, world.tokens.admin),
  };
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const PAGE = "/events/retention";
const look = (path = PAGE, by: "owner" | "admin" = "owner") => visitPage(world.env, path, { cookie: cookies[by] });
const post = (form: Record<string, string>, by: "owner" | "admin" = "owner", env = world.env) =>
  visitPage(env, PAGE, { cookie: cookies[by], form });
const rule = async () => (await world.ask("owner", "GET", "/retention")).body;
/** The fields that the button of a confirmation sends. */
const fieldsOf = (html: string) =>
  Object.fromEntries(
    [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );

describe("the page", () => {
  it("is found from the events, which say how long they are kept", async () => {
    expect((await look("/events")).html).toContain(
      '<a href="/settings/events/retention">Events are kept for 400 days</a>',
    );
    await world.changeRule(400, true);
    expect((await look("/events", "admin")).html).toContain("A legal hold keeps all events");
  });

  it("shows an owner and an admin what holds, and the form to owners alone", async () => {
    const [owner, admin] = [(await look()).html, (await look(PAGE, "admin")).html];
    for (const html of [owner, admin]) expect(html).toContain("400 days, the default");
    expect(owner).toContain('name="days"');
    expect(admin).not.toContain("<input");
    expect(admin).toContain("An owner of Acme can change it.");
    expect((await post({ days: "500" }, "admin")).status).toBe(403);
  });

  it("says since when it counts, what is removed, and what has gone", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOW });
    await world.changeRule(200);
    cookies.owner = await signInWith(world.env, world.tokens.owner);
    expect((await look()).html).toMatch(
      /nothing until <time datetime="2028-06-08T12:00:00.000Z">.*a week after the change/,
    );
    vi.setSystemTime(NOW + 8 * DAY);
    await world.sealed([300, 1]);
    await removeExpired(signing, world.org, Date.now());
    cookies.owner = await signInWith(world.env, world.tokens.owner);
    expect((await look()).html).toContain("AUDIT_SIGNING_KEY");
    const { html } = await visitPage(signing, PAGE, { cookie: cookies.owner });
    expect(html).toContain('events from before <time datetime="2027-11-22T12:00:00.000Z">');
    expect(html).toContain("up to number 1 of the chain");
  });
});

describe("a change", () => {
  it.each<[string, Record<string, string>, object]>([
    ["for more days", { days: "500" }, { days: 500, legal_hold: false }],
    ["that sets a hold", { days: "400", legal_hold: "on" }, { days: 400, legal_hold: true }],
  ])("%s is made at once, and audited", async (_, form, expected) => {
    const { status, location } = await post(form);
    expect([status, location]).toEqual([303, expect.stringMatching(/^\/events\/retention\?saved=/)]);
    expect(await rule()).toMatchObject({ ...expected, changed_by: "owner@acme.example" });
    expect((await look(location)).html).toContain("The change is saved");
    const { body } = await world.ask("owner", "GET", "/audit-log?limit=1");
    expect(body.data).toMatchObject([{ action: "events.retention", detail: expected }]);
  });

  it.each<[string, [number, boolean] | null, Record<string, string>]>([
    ["before any", null, { days: "400" }],
    ["after one", [200, true], { days: "200", legal_hold: "on" }],
  ])("to what holds already, %s, is none: nothing is saved, and nothing said to be", async (_, rules, form) => {
    if (rules) await world.changeRule(...rules);
    const log = async () => (await world.ask("owner", "GET", "/audit-log")).body.data;
    const before = [await rule(), await log()];
    const { status, html } = await post(form);
    expect(status).toBe(200);
    expect(html).toContain("There is nothing to save");
    expect(html).not.toContain("The change is saved");
    expect([await rule(), await log()]).toEqual(before);
  });

  it.each<[string, [number, boolean], Record<string, string>, string]>([
    ["for fewer days", [400, false], { days: "200" }, "Keep events for 200 days instead of 400?"],
    ["that lifts a hold", [400, true], { days: "400" }, "Lift the legal hold?"],
    [
      "that does both",
      [400, true],
      { days: "200" },
      "Lift the legal hold, and keep events for 200 days instead of 400?",
    ],
    [
      "for fewer days under a hold",
      [400, true],
      { days: "200", legal_hold: "on" },
      "While a legal hold is in force nothing is removed",
    ],
    [
      "for fewer days that sets a hold",
      [400, false],
      { days: "200", legal_hold: "on" },
      "While a legal hold is in force nothing is removed",
    ],
  ])("%s is asked once more", async (_, [days, hold], form, words) => {
    await world.changeRule(days, hold);
    const before = await rule();
    const asked = await post(form);
    expect(asked.html).toContain(words);
    expect(await rule()).toEqual(before);
    expect((await post(fieldsOf(asked.html))).status).toBe(303);
    expect(await rule()).toMatchObject({ days: Number(form.days), legal_hold: form.legal_hold === "on" });
  });

  it("is asked anew when somebody sets a hold between the question and its answer", async () => {
    const asked = await post({ days: "200" });
    await world.changeRule(400, true);
    const again = await post(fieldsOf(asked.html));
    expect(again.status).toBe(409);
    expect(again.html).toContain("Somebody else changed the retention since");
    expect(again.html).toContain("Lift the legal hold, and keep events for 200 days");
    expect(await rule()).toMatchObject({ days: 400, legal_hold: true });
  });

  it.each(["page", "API"])("by %s lifts no hold that is set between reading the rule and writing it", async (by) => {
    const DB = replacing(world.env.DB, {
      batch: async (statements) => {
        await putRetention(world.env, { org: world.org, days: 400, legal_hold: true, actor: "ann@acme.example" });
        return world.env.DB.batch(statements) as never;
      },
    });
    const env = { ...world.env, DB };
    const body = { days: 500, legal_hold: false };
    const { status } =
      by === "page"
        ? await post({ days: "500" }, "owner", env)
        : await world.ask("owner", "PUT", "/retention", { body, env });
    expect(status).toBe(409);
    expect(await rule()).toMatchObject({ days: 400, legal_hold: true, changed_by: "ann@acme.example" });
    const { body: log } = await world.ask("owner", "GET", "/audit-log?action=events.retention");
    expect(log.data).toHaveLength(1);
  });

  it.each([
    ["179", "must be at least 180"],
    ["3651", "must be at most 3650"],
    ["", "must be a whole number"],
    ["200.5", "must be a whole number"],
    ["-400", "must be a whole number"],
    ['"><script>', "must be a whole number"],
  ])("to %o days is refused beside the field, and keeps what was entered", async (days, words) => {
    const { status, html } = await post({ days, legal_hold: "on" });
    expect(status).toBe(422);
    expect(html).toContain(`Days to keep events ${words}.`);
    expect(html).toContain('aria-invalid="true"');
    expect(html).toMatch(/name="legal_hold" value="on" checked/);
    expect(html).not.toContain("<script>");
    expect(await rule()).toMatchObject({ days: 400, legal_hold: false });
  });

  it("comes from this site alone", async () => {
    const headers = { origin: "https://evil.test" };
    const answer = await visitPage(world.env, PAGE, { cookie: cookies.owner, form: { days: "500" }, headers });
    expect(answer.status).toBe(403);
    expect(await rule()).toMatchObject({ days: 400 });
  });
});
