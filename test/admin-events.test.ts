// Security events as an admin reads them: filters, pages, one event, exports.
import { beforeAll, describe, expect, it } from "vitest";
import { EventsAnswer } from "../src/admin/api/events.ts";
import type { SecurityEvent } from "../src/store/event.ts";
import { insertEvents } from "../src/store/events.ts";
import { type AdminWorld, openAdminWorld, pagesOf } from "./admin-world.ts";
import { eventOf } from "./security-event.ts";

const NOON = Date.parse("2026-11-01T12:00:00Z");
const at = (minute: number) => new Date(NOON + minute * 60_000).toISOString();

const eventAt = (org: string, minute: number, change: Partial<SecurityEvent> = {}) =>
  eventOf(org, change, NOON + minute * 60_000);

let acme: AdminWorld;
let other: AdminWorld;
let events: SecurityEvent[];
beforeAll(async () => {
  acme = await openAdminWorld();
  other = await openAdminWorld();
  events = [
    eventAt(acme.org, 0),
    eventAt(acme.org, 1, {
      model: "grok-4",
      providers: [{ id: "xai", failures: [{ code: "provider_blocked", found: "xai" }] }],
    }),
    eventAt(acme.org, 2, { project: "batch" }),
    eventAt(acme.org, 3, {
      outcome: "rerouted",
      providers: [{ id: "deepseek", failures: [{ code: "no_training", found: true }] }],
    }),
  ];
  await insertEvents(acme.env, [...events, eventAt(other.org, 2)]);
});

const idsOf = ({ body }: { body: { data: SecurityEvent[] } }) => body.data.map(({ id }) => id);

it("lists the organization's events, newest first, and nobody else's", async () => {
  const answer = await acme.ask("admin", "GET", "/events");
  expect(EventsAnswer.parse(answer.body)).toEqual({ data: [...events].reverse(), next_cursor: null });
});

it.each([
  ["model=grok-4", [1]],
  ["provider=deepseek", [3, 2, 0]],
  ["requirement=no_training", [3]],
  ["requirement=provider_blocked", [1]],
  ["project=batch", [2]],
  [`from=${at(1)}&to=${at(3)}`, [2, 1]],
  ["from=2026-11-01T13:01:00%2B01:00", [3, 2, 1]],
  ["provider=deepseek&requirement=soc2_type2&project=web", [0]],
  ["model=' OR 1=1 --", []],
  ["provider=%25", []],
])("filters by %s", async (query, expected) => {
  const answer = await acme.ask("admin", "GET", `/events?${query}`);
  expect(idsOf(answer)).toEqual(expected.map((index) => events[index]?.id));
});

it("pages neither skip nor repeat an event, also where several share a moment", async () => {
  const world = await openAdminWorld();
  const same = Array.from({ length: 7 }, () => eventAt(world.org, 5));
  await insertEvents(world.env, same);
  const pages = await pagesOf(world, `/events?limit=2`);
  for (const page of pages) expect(page.body.data.length).toBeLessThanOrEqual(2);
  expect(pages.flatMap(idsOf)).toEqual(
    same
      .map(({ id }) => id)
      .sort()
      .reverse(),
  );
});

it("refuses a cursor of another organization, of another list, and one that is made up", async () => {
  const cursor = (await acme.ask("admin", "GET", "/events?limit=1")).body.next_cursor;
  const ofAudit = (await acme.ask("admin", "GET", "/audit-log?limit=1")).body.next_cursor;
  expect((await acme.ask("admin", "GET", `/events?cursor=${cursor}`)).status).toBe(200);
  for (const answer of [
    await other.ask("admin", "GET", `/events?cursor=${cursor}`),
    await acme.ask("admin", "GET", `/events?cursor=${ofAudit}`),
    await acme.ask("admin", "GET", `/events?cursor=${events[0]?.id}`),
    await acme.ask("admin", "GET", "/events?cursor="),
    await acme.ask("admin", "GET", `/events?cursor=${btoa(`events\n${acme.org}\n' OR 1=1`)}`),
  ])
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request", errors: [{ path: "cursor" }] } });
});

it.each([
  ["limit=0", "limit"],
  ["limit=201", "limit"],
  ["limit=ten", "limit"],
  ["from=yesterday", "from"],
  ["to=2026-13-01T00:00:00Z", "to"],
  ["project=Web%20Shop", "project"],
  ["model=", "model"],
  ["colour=red", "colour"],
  ["model=a&model=b", "model"],
])("refuses ?%s", async (query, path) => {
  const answer = await acme.ask("admin", "GET", `/events?${query}`);
  expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request", errors: [{ path }] } });
});

it("shows one event whole, and not to another organization", async () => {
  const [event] = events;
  expect((await acme.ask("admin", "GET", `/events/${event?.id}`)).body).toEqual(event);
  expect((await other.ask("admin", "GET", `/events/${event?.id}`)).status).toBe(404);
  expect((await acme.ask("admin", "GET", "/events/evt_none")).status).toBe(404);
});

describe("export", () => {
  it("as NDJSON is every event that matches, whole, a line each", async () => {
    const { text, headers } = await acme.ask("admin", "GET", "/events/export?format=ndjson&provider=deepseek");
    const lines = text.split("\n");
    expect(lines.pop()).toBe("");
    expect(lines.map((line) => JSON.parse(line))).toEqual([3, 2, 0].map((index) => events[index]));
    expect(headers.get("content-type")).toBe("application/x-ndjson");
    expect(headers.get("content-disposition")).toBe(`attachment; filename="${acme.org}-security-events.ndjson"`);
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("as CSV has a header, quotes, ends lines with CRLF, and holds no formula", async () => {
    const world = await openAdminWorld();
    const models = [
      '=HYPERLINK("https://evil.test")',
      "+1",
      "-1",
      "@SUM(A1)",
      "\t=1",
      "＝1",
      "plain",
      'a "b", c',
      "two\r\nlines",
    ];
    await insertEvents(
      world.env,
      models.map((model, minute) => eventAt(world.org, minute, { model })),
    );
    const { text, headers } = await world.ask("admin", "GET", "/events/export?format=csv");
    expect(headers.get("content-type")).toMatch(/^text\/csv/);
    const [header, ...rows] = parseCsv(text);
    const column = header?.indexOf("model") ?? -1;
    expect(header?.slice(0, 4)).toEqual(["id", "at", "type", "outcome"]);
    expect(rows).toHaveLength(models.length);
    expect(rows.every((row) => row.length === header?.length)).toBe(true);
    expect(rows.map((row) => row[column]).reverse()).toEqual([
      `'=HYPERLINK("https://evil.test")`,
      "'+1",
      "'-1",
      "'@SUM(A1)",
      "\u{fffd}=1",
      "'＝1",
      "plain",
      'a "b", c',
      "two\u{fffd}\u{fffd}lines",
    ]);
    expect(rows[0]?.[header?.indexOf("failures") ?? -1]).toBe("deepseek: soc2_type2 (unknown)");
  });

  it("as CSV says for how many blocks an event stands that folds repeats", async () => {
    const world = await openAdminWorld();
    const repeats = { at_least: 42, from: at(0), to: at(1) };
    await insertEvents(world.env, [eventAt(world.org, 0, { repeats }), eventAt(world.org, 1)]);
    const { text } = await world.ask("admin", "GET", "/events/export?format=csv");
    const [header, ...rows] = parseCsv(text);
    expect(rows.map((row) => row[header?.indexOf("at_least") ?? -1])).toEqual(["", "42"]);
  });

  it("of nothing is a header alone, or nothing", async () => {
    const csv = await acme.ask("admin", "GET", "/events/export?format=csv&model=none");
    expect(csv.text).toMatch(/^id,at,[a-z_,]+\r\n$/);
    expect((await acme.ask("admin", "GET", "/events/export?format=ndjson&model=none")).text).toBe("");
  });

  it("reads page by page, and misses none", async () => {
    const world = await openAdminWorld();
    const many = Array.from({ length: 450 }, (_, index) => eventAt(world.org, index % 7));
    await insertEvents(world.env, many);
    const { text } = await world.ask("admin", "GET", "/events/export?format=ndjson");
    const ids = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).id);
    expect(ids).toEqual(
      many
        .map(({ id }) => id)
        .sort()
        .reverse(),
    );
  });

  it.each(["", "?format=xml", "?format=csv&limit=5"])("refuses %s", async (query) => {
    expect((await acme.ask("admin", "GET", `/events/export${query}`)).status).toBe(400);
  });
});

/** Reads CSV as RFC 4180 has it. */
function parseCsv(text: string): string[][] {
  expect(text.endsWith("\r\n")).toBe(true);
  return text
    .slice(0, -2)
    .split("\r\n")
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
        ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? "",
      ),
    );
}
