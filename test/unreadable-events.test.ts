// An event that this build cannot read, since another one wrote it or somebody has been at the database: it stands in
// every list, as what it is, and keeps no other event from being shown.
import { beforeAll, expect, it, vi } from "vitest";
import { sealEvents } from "../src/audit/seal.ts";
import type { SecurityEvent } from "../src/store/event.ts";
import { insertEvents } from "../src/store/events.ts";
import { type AdminWorld, openAdminWorld, pagesOf } from "./admin-world.ts";
import { eventOf } from "./security-event.ts";
import { signIn, visit } from "./visit.ts";

const NOON = Date.parse("2026-11-01T12:00:00Z");

let world: AdminWorld;
let events: [SecurityEvent, SecurityEvent, SecurityEvent];
let unreadable: object[];
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  world = await openAdminWorld();
  const at = (second: number) => eventOf(world.org, { model: `m${second}` }, NOON + second * 1_000);
  events = [at(0), at(1), at(2)];
  await insertEvents(world.env, events);
  const change = (event: SecurityEvent, to: string) =>
    world.env.DB.prepare(`UPDATE security_events SET event = ${to} WHERE id = ?`).bind(event.id).run();
  await change(events[1], "json_set(event, '$.residency', 'eu')");
  await change(events[2], "json_set(event, '$.type', 'content.flagged')");
  unreadable = [events[2], events[1]].map(({ id, at }) => ({ id, at, unreadable: true }));
});

const ask = (path: string) => world.ask("admin", "GET", path);
const linesOf = (text: string) => text.trimEnd().split("\n");

it("is listed with its id and time, found by its filters, and asked for alone", async () => {
  expect((await ask("/events")).body.data).toEqual([...unreadable, events[0]]);
  expect((await pagesOf(world, "/events?limit=1")).flatMap(({ body }) => body.data)).toHaveLength(3);
  expect((await ask("/events?model=m1")).body.data).toEqual([unreadable[1]]);
  expect((await ask(`/events/${events[1].id}`)).body).toEqual(unreadable[1]);
});

it("has its line in every export", async () => {
  const exported = async (format: string) => linesOf((await ask(`/events/export?format=${format}`)).text);
  expect((await exported("ndjson")).map((line) => JSON.parse(line))).toEqual([...unreadable, events[0]]);
  const [, first, , last] = await exported("csv");
  expect(first).toMatch(new RegExp(`^${events[2].id},${events[2].at},unreadable,,+\r$`));
  expect(last).toContain("compliance.blocked");
  expect((await exported("ocsf")).map((line) => JSON.parse(line))).toMatchObject([
    { class_uid: 0, metadata: { uid: events[2].id, event_code: "unreadable", tenant_uid: world.org } },
    { class_uid: 0 },
    { class_uid: 6003, metadata: { uid: events[0].id } },
  ]);
});

it("is on the pages, and has one of its own", async () => {
  const cookie = await signIn(world, "admin");
  for (const path of ["/overview", "/events"]) {
    const { status, html } = await visit(path, { cookie });
    expect([path, status, html.match(/>Unreadable</g)?.length]).toEqual([path, 200, 2]);
    for (const { id } of events) expect(html).toContain(`/settings/events/${id}`);
  }
  const { status, html } = await visit(`/events/${events[2].id}`, { cookie });
  expect([status, html.includes("cannot read it")]).toEqual([200, true]);
});

it("is sealed as it is stored, and verified like any other", async () => {
  await sealEvents(world.env, world.org);
  expect((await ask("/events/verify")).body).toMatchObject({ ok: true, checked: 3, broken: null });
});
