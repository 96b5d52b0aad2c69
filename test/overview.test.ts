// The overview: what is enforced, by the same preview, and blocks counted by day in UTC.
import { describe, expect, it } from "vitest";
import { blockDays, daysDrawn, tallyOf, windowsAt } from "../src/admin/pages/blocks.ts";
import { DISABLED_POLICY } from "../src/compliance/policy.ts";
import { countEvents } from "../src/store/event-counts.ts";
import { insertEvents } from "../src/store/events.ts";
import { openAdminWorld } from "./admin-world.ts";
import { strict, withoutCatalog } from "./revised-world.ts";
import { eventOf } from "./security-event.ts";
import { signIn, visit } from "./visit.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOON = Date.parse("2026-11-26T12:00:00.000Z");

describe("counting", () => {
  it("is by UTC day and kind, of one organization, within bounds that touch and never overlap", async () => {
    const { env, org } = await openAdminWorld();
    const other = await openAdminWorld();
    const at = (time: string, change = {}) => eventOf(org, change, Date.parse(time));
    await insertEvents(env, [
      at("2026-11-24T23:59:59.999Z"),
      at("2026-11-25T00:00:00.000Z"),
      at("2026-11-25T23:59:59.999Z", { outcome: "rerouted" }),
      at("2026-11-26T00:00:00.000Z"),
      at("2026-11-26T11:00:00.000Z"),
      at("2026-11-26T11:30:00.000Z", { type: "policy.unavailable" }),
      at("2026-11-26T11:40:00.000Z", {
        outcome: "rerouted",
        repeats: { at_least: 41, from: "2026-11-26T11:40:00.000Z", to: "2026-11-26T11:41:00.000Z" },
      }),
      at("2026-11-26T11:45:00.000Z", { outcome: "rerouted" }),
      eventOf(other.org, {}, NOON),
    ]);
    const from = "2026-11-25T00:00:00.000Z";
    const kind = { type: "compliance.blocked", outcome: "refused", at_least: false };
    expect(await countEvents(env, { org, from, to: "2026-11-27T00:00:00.000Z" })).toEqual([
      { day: "2026-11-25", ...kind, requests: 1 },
      { day: "2026-11-25", ...kind, outcome: "rerouted", requests: 1 },
      { day: "2026-11-26", ...kind, requests: 2 },
      { day: "2026-11-26", ...kind, outcome: "rerouted", requests: 42, at_least: true },
      { day: "2026-11-26", ...kind, type: "policy.unavailable", requests: 1 },
    ]);
    expect(await countEvents(env, { org, from: "2026-11-24T00:00:00.000Z", to: from })).toMatchObject([
      { requests: 1 },
    ]);
  });

  it("reads the index alone, never the events", async () => {
    const { env, org } = await openAdminWorld();
    const queries: string[] = [];
    const DB = {
      prepare: (query: string) => {
        queries.push(query);
        return env.DB.prepare(query);
      },
    } as D1Database;
    await countEvents({ ...env, DB }, { org, from: "2026", to: "2027" });
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${queries[0]}`).bind(org, "2026", "2027").all();
    expect(JSON.stringify(results)).toContain("COVERING INDEX security_events_by_time (org=? AND at>? AND at<?)");
  });

  it("the last 14 days end with today and leave none out", () => {
    const counts = [
      { day: "2026-11-13", type: "compliance.blocked", outcome: "refused", requests: 3, at_least: false },
      { day: "2026-11-26", type: "compliance.blocked", outcome: "rerouted", requests: 2, at_least: true },
      { day: "2026-11-26", type: "policy.unavailable", outcome: "refused", requests: 5, at_least: false },
    ] as const;
    const days = blockDays(counts, daysDrawn(windowsAt(NOON).lastDays));
    expect(days.map(({ day }) => day.slice(8))).toEqual(Array.from({ length: 14 }, (_, index) => String(13 + index)));
    expect(days[0]).toMatchObject({ blocked: 3, refused: 3 });
    expect(days.at(-1)).toMatchObject({ blocked: 2, rerouted: 2, unavailable: 5 });
    expect(tallyOf(counts)).toEqual({ refused: 3, rerouted: 2, blocked: 5, unavailable: 5, atLeast: true });
    expect(windowsAt(NOON)).toEqual({
      lastDay: { from: "2026-11-25T12:00:00.000Z", to: "2026-11-26T12:00:00.001Z" },
      lastDays: { from: "2026-11-13T00:00:00.000Z", to: "2026-11-27T00:00:00.000Z" },
    });
  });
});

describe("the page", () => {
  it("says what is enforced, how much passes, what was blocked, and who changed it last", async () => {
    const world = await openAdminWorld();
    await world.savePolicy("admin", strict, 1);
    const now = Date.now();
    await insertEvents(world.env, [
      eventOf(world.org, { model: "model-of-today" }, now - HOUR),
      eventOf(world.org, { outcome: "rerouted" }, now - 2 * HOUR),
      eventOf(world.org, { type: "policy.unavailable" }, now - 3 * HOUR),
      eventOf(world.org, {}, now - 26 * HOUR),
      eventOf(world.org, {}, now - 20 * DAY),
    ]);
    const { html, status } = await visit("/overview", { cookie: await signIn(world, "admin") });
    expect(status).toBe(200);
    expect(html).toContain("<li>SOC 2 Type 2</li><li>No training on prompts</li>");
    expect(html).toContain("saved by admin@acme.example");
    expect(html).toContain("the edge has it");
    const { summary } = (await world.ask("admin", "POST", "/policy/preview", { body: strict })).body;
    expect(html).toContain(`<b>${summary.providers.allowed}</b> providers allowed`);
    expect(html).toContain(`<b>${summary.models.blocked}</b> blocked`);
    expect(html).toContain("<b>2</b> in the last 24 hours");
    expect(html).toContain("1 refused, 1 rerouted");
    expect(html).toContain("1 more was refused because the policy could not be");
    expect(html).toContain("3 in all");
    expect(html).toContain("model-of-today");
    expect(html).toContain("Now requires SOC 2 Type 2 and No training on prompts.");
    expect(html).toMatch(/<svg aria-labelledby="blocks-title blocks-about"/);
    expect(html.match(/<rect class="bar-of-day"/g)).toHaveLength(14);
  });

  it("of a new organization is friendly", async () => {
    const world = await openAdminWorld({ policy: DISABLED_POLICY });
    const { html, status } = await visit("/overview", { cookie: await signIn(world, "owner") });
    expect(status).toBe(200);
    expect(html).toContain("The policy is off: every provider passes.");
    expect(html).toContain("Say what a provider must be");
    expect(html).toContain("Nothing was blocked in the last 14 days.");
    expect(html).toContain("No request has been blocked yet.");
    expect(html).not.toContain('class="blocks-chart"');
  });

  it("is shown while the catalog cannot be read, without counts that would be wrong", async () => {
    const world = await openAdminWorld({ policy: strict });
    const cookie = await signIn(world, "admin");
    const { html, status } = await visit("/overview", { cookie, env: withoutCatalog(world) });
    expect(status).toBe(200);
    expect(html).toContain("SOC 2 Type 2");
    expect(html).toContain("The catalog of providers cannot be read right now");
    expect(html).not.toContain("providers allowed");
  });

  it("is where owners and admins begin, and whoever is not signed in signs in first", async () => {
    const world = await openAdminWorld();
    for (const role of ["owner", "admin"] as const)
      expect((await visit("", { cookie: await signIn(world, role) })).headers.get("location")).toBe(
        "/settings/overview",
      );
    expect((await visit("")).headers.get("location")).toMatch(/^\/settings\/sign-in\?next=/);
  });
});
