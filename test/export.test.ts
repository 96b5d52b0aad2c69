// The export of security events: read while it is sent, in every format, and continued where it broke off.
import { beforeAll, describe, expect, it } from "vitest";
import { adminApi } from "../src/admin/index.ts";
import type { Env } from "../src/env.ts";
import type { SecurityEvent } from "../src/store/event.ts";
import { insertEvents } from "../src/store/events.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { countingRows } from "./rows-read.ts";
import { eventOf } from "./security-event.ts";
import { replacing } from "./world.ts";

const NOON = Date.parse("2026-11-01T12:00:00Z");
const ROWS = 12_000;

let world: AdminWorld;
beforeAll(async () => {
  world = await openAdminWorld();
});

/** Copies one event until there are `ROWS`, with ids that go up. */
async function fill({ DB }: Env, org: string) {
  const event = eventOf(org, {}, NOON);
  await DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?2 - 1)
     INSERT INTO security_events (id, at, org, project, type, outcome, model, providers, event)
     SELECT printf('evt_01J%s%010d', ?4, i), ?5, ?3, 'web', 'compliance.blocked', 'refused', 'm', '[]',
       json_set(?1, '$.id', printf('evt_01J%s%010d', ?4, i)) FROM n`,
  )
    .bind(JSON.stringify(event), ROWS, org, "0".repeat(13), event.at)
    .run();
}

const idsIn = (text: string) => [...text.matchAll(/evt_[0-9A-Z]{26}/g)].map(([id]) => id);

it("reads only as far ahead as the client has taken, whatever there is to send", { timeout: 60_000 }, async () => {
  await fill(world.env, world.org);
  let reads = 0;
  const DB = replacing(world.env.DB, {
    prepare: (sql: string) => {
      if (sql.includes("FROM security_events")) reads++;
      return world.env.DB.prepare(sql);
    },
  });
  const request = new Request(`https://portcullis.test/orgs/${world.org}/events/export?format=ndjson`, {
    headers: { authorization: `Bearer ${world.tokens.admin}` },
  });
  const response = await adminApi.fetch(request, { ...world.env, DB });
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  await new Promise((resolve) => setTimeout(resolve, 200));
  const idle = reads;
  expect(idle).toBeLessThanOrEqual(2);
  let [pieces, largest] = [0, 0];
  const ids: string[] = [];
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    pieces++;
    largest = Math.max(largest, piece.value.byteLength);
    ids.push(...idsIn(new TextDecoder().decode(piece.value)));
    expect(reads - idle).toBeLessThanOrEqual(pieces + 1);
  }
  expect(new Set(ids).size).toBe(ROWS);
  expect(ids).toEqual(ids.toSorted().reverse());
  // No piece grows with the number of rows: five hundred events at once.
  expect(largest).toBeLessThan(500 * 1024);
  expect(reads).toBeGreaterThanOrEqual(ROWS / 500);
});

describe("an export that broke off", () => {
  let broken: AdminWorld;
  let events: SecurityEvent[];
  beforeAll(async () => {
    broken = await openAdminWorld();
    events = Array.from({ length: 6 }, (_, index) => eventOf(broken.org, { model: "a{b}" }, NOON + index));
    await insertEvents(broken.env, events);
  });

  const ask = (query: string) => broken.ask("admin", "GET", `/events/export?${query}`);
  /** The address that the answer gives, with its only variable filled in as RFC 6570 says. */
  const following = (answer: Awaited<ReturnType<typeof ask>>, cursor: string) => {
    const template = /^"([^"]+)"; rel="next"$/.exec(answer.headers.get("link-template") ?? "")?.[1] ?? "";
    expect(template).toMatch(/^[^{}]+\{&cursor\}$/);
    return template.replace("{&cursor}", `&cursor=${cursor}`).replace(/^\/admin\/api/, "");
  };

  it.each(["ndjson", "csv", "ocsf"])(
    "as %s goes on behind the last event received, so that both make the whole",
    async (format) => {
      const whole = await ask(`format=${format}&model=a%7Bb%7D`);
      const ids = events.map(({ id }) => id).reverse();
      expect([...new Set(idsIn(whole.text))]).toEqual(ids);
      const received = whole.text.slice(0, whole.text.indexOf(ids[3] ?? "") + 10);
      const wholeLines = received.slice(0, received.lastIndexOf("\n") + 1);
      const rest = await broken.call("admin", "GET", following(whole, ids[2] ?? ""));
      expect(rest.status).toBe(200);
      expect(wholeLines + rest.text).toBe(whole.text);
      // A second break is told the same way.
      expect(rest.headers.get("link-template")).toBe(whole.headers.get("link-template"));
    },
  );

  it("is not disturbed by events that came meanwhile", async () => {
    const [oldest, second] = events;
    await insertEvents(broken.env, [eventOf(broken.org)]);
    expect(idsIn((await ask(`format=ndjson&cursor=${second?.id}`)).text)).toEqual([oldest?.id]);
  });

  it("of another organization gives nothing away", async () => {
    const answer = await world.ask(
      "admin",
      "GET",
      `/events/export?format=ndjson&cursor=${events[3]?.id}&model=a%7Bb%7D`,
    );
    expect(answer).toMatchObject({ status: 200, text: "" });
  });

  it.each(["cursor=", "cursor=7", "cursor=evt_1", "cursor=evt_01J%27%20OR%201"])("refuses %s", async (query) => {
    expect(await ask(`format=csv&${query}`)).toMatchObject({ status: 400, body: { errors: [{ path: "cursor" }] } });
  });
});

describe("a period", () => {
  const DAY = 86_400_000;
  const fromTo = (from: number, to: number) => `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;

  it("has its first moment, not its last, and folded repeats by the time of the first", async () => {
    const own = await openAdminWorld();
    const at = (time: number) => new Date(time).toISOString();
    const repeats = { at_least: 2, from: at(NOON - 60_000), to: at(NOON) };
    const folded = { ...eventOf(own.org, { repeats }, NOON - 60_000), at: at(NOON - 1) };
    const exact = [NOON - 2, NOON, NOON + 1].map((time) => eventOf(own.org, {}, time));
    await insertEvents(own.env, [...exact, folded]);
    const found = async (from: number, to: number) =>
      idsIn((await own.ask("admin", "GET", `/events/export?format=ndjson&${fromTo(from, to)}`)).text);
    expect(await found(NOON - 1, NOON + 1)).toEqual([exact[1]?.id, folded.id]);
    expect(await found(NOON - 2, NOON - 1)).toEqual([exact[0]?.id]);
  });

  it.each(["", "&model=m", `&cursor=evt_7${"Z".repeat(25)}`])(
    "is read by its ids alone, whatever there is before and behind it: %s",
    async (query) => {
      const own = await openAdminWorld();
      await insertEvents(
        own.env,
        Array.from({ length: 300 }, (_, index) => eventOf(own.org, { model: "m" }, NOON - 150 * DAY + index * DAY)),
      );
      const counted = countingRows(own.env);
      const path = `/events/export?format=ndjson&${fromTo(NOON, NOON + 2 * DAY)}${query}`;
      const { status } = await own.ask("admin", "GET", path, { env: counted.env });
      expect(status).toBe(200);
      expect(counted.rowsRead()).toBeGreaterThan(0);
      expect(counted.rowsRead()).toBeLessThan(10);
    },
  );

  it("of a rare model is read by the model's index, not event by event", async () => {
    const own = await openAdminWorld();
    const models = Array.from({ length: 300 }, (_, index) => (index === 150 ? "rare" : "m"));
    await insertEvents(
      own.env,
      models.map((model, index) => eventOf(own.org, { model }, NOON + index)),
    );
    const counted = countingRows(own.env);
    const path = `/events/export?format=ndjson&model=rare&${fromTo(NOON, NOON + DAY)}`;
    const { text } = await own.ask("admin", "GET", path, { env: counted.env });
    expect(idsIn(text).length).toBeGreaterThan(0);
    expect(counted.rowsRead()).toBeGreaterThan(0);
    expect(counted.rowsRead()).toBeLessThan(10);
  });
});

it("as OCSF is a line of JSON each, under a name that says so", async () => {
  const own = await openAdminWorld();
  await insertEvents(own.env, [eventOf(own.org, {}, NOON)]);
  const { text, headers } = await own.ask("admin", "GET", "/events/export?format=ocsf");
  expect(JSON.parse(text)).toMatchObject({ class_uid: 6003, metadata: { version: "1.8.0", tenant_uid: own.org } });
  expect(headers.get("content-disposition")).toContain(`${own.org}-security-events.ocsf.ndjson`);
});
