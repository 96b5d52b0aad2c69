// Statistics: what was blocked most, counted by the same rules as the list filters.
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { StatisticsAnswer } from "../src/admin/api/statistics.ts";
import type { SecurityEvent } from "../src/store/event.ts";
import { countBlocks, MAX_EVENTS_COUNTED, STATISTICS_BY, type StatisticsBy } from "../src/store/event-statistics.ts";
import { insertEvents } from "../src/store/events.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { eventOf } from "./security-event.ts";

const NOON = Date.parse("2026-11-20T12:00:00.000Z");
const HOUR = 3_600_000;
const FROM = "2026-11-18T00:00:00.000Z";
const TO = "2026-11-23T00:00:00.000Z";

let world: AdminWorld;
beforeAll(async () => {
  world = await openAdminWorld();
});
const stats = async (query: string, of = world) =>
  StatisticsAnswer.parse((await of.ask("admin", "GET", `/events/stats?${query}`)).body);

/** Events of any kind within some days around noon; few names, so that they fall together. */
const events = fc.array(
  fc.record({
    hour: fc.integer({ min: -96, max: 96 }),
    type: fc.constantFrom("compliance.blocked" as const, "compliance.blocked" as const, "policy.unavailable" as const),
    outcome: fc.constantFrom("refused" as const, "rerouted" as const),
    model: fc.constantFrom("a", "b", null),
    project: fc.constantFrom("web", "batch", null),
    providers: fc.array(
      fc.record({
        id: fc.constantFrom("p", "q", "r"),
        failures: fc.array(
          fc.record({ code: fc.constantFrom("soc2", "gdpr", "provider_blocked"), found: fc.constant(null) }),
          { maxLength: 3 },
        ),
      }),
      { maxLength: 3 },
    ),
    atLeast: fc.option(fc.integer({ min: 1, max: 500 }), { freq: 4 }),
  }),
  { maxLength: 40 },
);

const KEYS: Record<StatisticsBy, (event: SecurityEvent) => (string | null)[]> = {
  day: ({ at }) => [at.slice(0, 10)],
  model: ({ model }) => [model],
  project: ({ project }) => [project],
  provider: ({ providers }) => providers.map(({ id }) => id),
  requirement: ({ providers }) => providers.flatMap(({ failures }) => failures.map(({ code }) => code)),
};

/** What the statistics should be, from the events themselves. */
function counted(exported: readonly SecurityEvent[], by: StatisticsBy) {
  const counts = new Map<string | null, { key: string | null; blocks: number; at_least: boolean }>();
  for (const event of exported.filter(({ type }) => type === "compliance.blocked"))
    for (const key of new Set(KEYS[by](event))) {
      const before = counts.get(key) ?? { key, blocks: 0, at_least: false };
      counts.set(key, {
        key,
        blocks: before.blocks + (event.repeats?.at_least ?? 1),
        at_least: before.at_least || event.repeats !== undefined,
      });
    }
  return [...counts.values()].sort((a, b) => String(a.key).localeCompare(String(b.key)));
}

it("equal a count over the export, whatever the events", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(events, async (drawn) => {
      const { env, ask, ...rest } = await openAdminWorld();
      const minute = { from: FROM, to: TO };
      const made = drawn.map(({ hour, atLeast, ...change }) =>
        eventOf(
          rest.org,
          { ...change, ...(atLeast !== null && { repeats: { at_least: atLeast, ...minute } }) },
          NOON + hour * HOUR,
        ),
      );
      if (made.length > 0) await insertEvents(env, made);
      const { text } = await ask("owner", "GET", `/events/export?format=ndjson&from=${FROM}&to=${TO}`);
      const exported = text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as SecurityEvent);
      for (const by of STATISTICS_BY) {
        const { data, complete } = await stats(`by=${by}&from=${FROM}&to=${TO}`, { env, ask, ...rest });
        expect(complete).toBe(true);
        expect(
          data.toSorted((a, b) => String(a.key).localeCompare(String(b.key))),
          by,
        ).toEqual(counted(exported, by));
      }
    }),
    { numRuns: 12 },
  );
});

describe("a count", () => {
  beforeAll(async () => {
    const repeats = { at_least: 41, from: FROM, to: TO };
    const failing = (id: string, ...codes: string[]) => ({
      id,
      failures: codes.map((code) => ({ code, found: null })),
    });
    await insertEvents(world.env, [
      eventOf(world.org, { model: "a", repeats }, NOON),
      eventOf(world.org, { model: "b", providers: [failing("p", "gdpr"), failing("q", "gdpr", "soc2")] }, NOON),
      eventOf(world.org, { model: "b", type: "policy.unavailable", providers: [] }, NOON),
    ]);
  });
  const period = `from=${FROM}&to=${TO}`;

  it("of folded repeats is a lower bound, and says so; the most come first", async () => {
    expect((await stats(`by=model&${period}`)).data).toEqual([
      { key: "a", blocks: 41, at_least: true },
      { key: "b", blocks: 1, at_least: false },
    ]);
  });

  it("of an event with several providers or requirements is one for each", async () => {
    expect((await stats(`by=provider&${period}`)).data.map(({ key, blocks }) => [key, blocks])).toEqual([
      ["deepseek", 41],
      ["p", 1],
      ["q", 1],
    ]);
    expect((await stats(`by=requirement&${period}`)).data.map(({ key, blocks }) => [key, blocks])).toEqual([
      ["soc2_type2", 41],
      ["gdpr", 1],
      ["soc2", 1],
    ]);
  });

  it("is of the last thirty days when no period is given", async () => {
    const { from, to, data } = await stats("by=day");
    expect(Date.parse(to) - Date.parse(from)).toBe(30 * 24 * HOUR);
    expect(Math.abs(Date.parse(to) - Date.now())).toBeLessThan(60_000);
    expect(data.every(({ key }) => key !== null && key >= from.slice(0, 10))).toBe(true);
  });

  it("reads an index alone by day, model and project, and is bounded by every key", async () => {
    for (const by of STATISTICS_BY) {
      const queries: string[] = [];
      const DB = {
        prepare: (query: string) => {
          queries.push(query);
          return world.env.DB.prepare(query);
        },
      } as D1Database;
      await countBlocks({ ...world.env, DB }, { org: world.org, by, from: FROM, to: TO, limit: 5 });
      const plan = await world.env.DB.prepare(`EXPLAIN QUERY PLAN ${queries[0]}`)
        .bind(world.org, FROM, TO, MAX_EVENTS_COUNTED, 5)
        .all();
      const covering = ["day", "model", "project"].includes(by) ? "COVERING INDEX" : "INDEX";
      expect(JSON.stringify(plan.results), by).toContain(
        `USING ${covering} security_events_by_time (org=? AND at>? AND at<?)`,
      );
    }
  });
});

it.each([
  ["", "by"],
  ["by=colour", "by"],
  ["by=day&from=yesterday", "from"],
  [`by=day&from=${TO}&to=${FROM}`, "from"],
  ["by=day&limit=3", "limit"],
])("refuses ?%s", async (query, path) => {
  const answer = await world.ask("admin", "GET", `/events/stats?${query}`);
  expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request", errors: [{ path }] } });
});
