// The audit log as an admin reads it: filters, pages, exports; and that nothing in it can be changed.
import { beforeAll, describe, expect, it } from "vitest";
import { AuditLogAnswer } from "../src/admin/api/audit-log.ts";
import { type AuditRow, listAuditLog } from "../src/store/audit-log.ts";
import { firstIdAt, newId, timestamp } from "../src/store/secrets.ts";
import { type AdminWorld, openAdminWorld, pagesOf } from "./admin-world.ts";
import { countingRows } from "./rows-read.ts";
import { replacing } from "./world.ts";

const NOON = Date.parse("2020-11-01T12:00:00Z");
const minute = (n: number) => NOON + n * 60_000;

/** An act of long ago, before everything that opening the world recorded. */
const actAt = (org: string, time: number, change: Partial<AuditRow> = {}): AuditRow => ({
  id: newId("log", time),
  at: timestamp(time),
  org,
  actor: "ann@acme.example",
  action: "key.create",
  target: "key_1",
  detail: { project: "web", name: "shop" },
  ...change,
});

async function insert(world: AdminWorld, rows: readonly AuditRow[]): Promise<void> {
  const statement = world.env.DB.prepare("INSERT INTO audit_log VALUES (?, ?, ?, ?, ?, ?, ?)");
  await world.env.DB.batch(
    rows.map(({ id, at, org, actor, action, target, detail }) =>
      statement.bind(id, at, org, actor, action, target, JSON.stringify(detail)),
    ),
  );
}

let acme: AdminWorld;
let other: AdminWorld;
let acts: AuditRow[];
beforeAll(async () => {
  acme = await openAdminWorld();
  other = await openAdminWorld();
  acts = [
    actAt(acme.org, minute(0)),
    actAt(acme.org, minute(1), { actor: "bob@acme.example" }),
    actAt(acme.org, minute(2), { action: "key.revoke" }),
    actAt(acme.org, minute(3), { action: "member.put", target: "eve@acme.example", detail: { role: "admin" } }),
  ];
  await insert(acme, acts);
  await insert(other, [actAt(other.org, minute(1))]);
});

const PERIOD = "from=2020-11-01T12:00:00Z&to=2020-11-02T00:00:00Z";
const idsOf = ({ body }: { body: { data: AuditRow[] } }) => body.data.map(({ id }) => id);

it.each([
  [PERIOD, [3, 2, 1, 0]],
  [`${PERIOD}&actor=bob@acme.example`, [1]],
  [`${PERIOD}&action=key.create`, [1, 0]],
  [`${PERIOD}&target=key_1`, [2, 1, 0]],
  [`${PERIOD}&target=key_1&actor=ann@acme.example&action=key.revoke`, [2]],
  ["from=2020-11-01T12:01:00.000Z&to=2020-11-01T12:03:00.000Z", [2, 1]],
  ["from=2020-11-01T13:01:00.001%2B01:00&to=2020-11-01T12:02:00.001Z", [2]],
  [`${PERIOD}&actor=ann`, []],
  [`${PERIOD}&actor=' OR 1=1 --`, []],
  [`${PERIOD}&action=' OR ''='`, []],
  [`${PERIOD}&target=%25`, []],
  [`${PERIOD}&target=key__`, []],
])("filters by %s", async (query, expected) => {
  const answer = await acme.ask("admin", "GET", `/audit-log?${query}`);
  AuditLogAnswer.parse(answer.body);
  expect(idsOf(answer)).toEqual(expected.map((index) => acts[index]?.id));
});

it.each([
  ["from=yesterday", "from"],
  ["from='; DROP TABLE audit_log --", "from"],
  ["to=2026-02-30T00:00:00Z", "to"],
  ["actor=", "actor"],
  ["limit=0", "limit"],
  ["org=other", "org"],
  ["action=a&action=b", "action"],
])("refuses ?%s", async (query, path) => {
  const answer = await acme.ask("admin", "GET", `/audit-log?${query}`);
  expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request", errors: [{ path }] } });
});

it("pages neither skip nor repeat an entry, also where several share a moment", async () => {
  const world = await openAdminWorld();
  const same = Array.from({ length: 7 }, () => actAt(world.org, minute(5)));
  await insert(world, same);
  const pages = await pagesOf(world, `/audit-log?${PERIOD}&limit=2`);
  for (const page of pages) expect(page.body.data.length).toBeLessThanOrEqual(2);
  expect(pages.flatMap(idsOf)).toEqual(
    same
      .map(({ id }) => id)
      .sort()
      .reverse(),
  );
});

it("a cursor of another organization or list is refused", async () => {
  const cursor = (await acme.ask("admin", "GET", "/audit-log?limit=1")).body.next_cursor;
  const ofModels = (await acme.ask("admin", "GET", "/models?limit=1")).body.next_cursor;
  expect((await acme.ask("admin", "GET", `/audit-log?cursor=${cursor}`)).status).toBe(200);
  for (const answer of [
    await other.ask("admin", "GET", `/audit-log?cursor=${cursor}`),
    await acme.ask("admin", "GET", `/audit-log?cursor=${ofModels}`),
    await acme.ask("admin", "GET", `/audit-log?cursor=${acts[0]?.id}`),
    await acme.ask("admin", "GET", `/audit-log?cursor=${btoa(`audit-log\n${acme.org}\n' OR 1=1`)}`),
  ])
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: "cursor" }] } });
});

it("an entry that is written now is found by the time it says", async () => {
  const { at, id } = (await acme.ask("admin", "GET", "/audit-log?limit=1")).body.data[0];
  const next = timestamp(Date.parse(at) + 1);
  expect(idsOf(await acme.ask("admin", "GET", `/audit-log?from=${at}&to=${next}`))).toContain(id);
  expect(idsOf(await acme.ask("admin", "GET", `/audit-log?from=${next}`))).not.toContain(id);
});

describe("nobody can change what is recorded", () => {
  it.each([
    ["update", "UPDATE audit_log SET actor = 'somebody else' WHERE id = ?"],
    ["delete", "DELETE FROM audit_log WHERE id = ?"],
    [
      "replace",
      "INSERT OR REPLACE INTO audit_log SELECT id, at, org, 'x', action, target, detail FROM audit_log WHERE id = ?",
    ],
    [
      "upsert",
      `INSERT INTO audit_log SELECT id, at, org, 'x', action, target, detail FROM audit_log WHERE id = ?
       ON CONFLICT (id) DO UPDATE SET actor = 'x'`,
    ],
  ])("%s is refused by the database", async (_, sql) => {
    const [act] = acts;
    await expect(acme.env.DB.prepare(sql).bind(act?.id).run()).rejects.toThrow(/append-only/);
    const stored = await acme.env.DB.prepare("SELECT actor FROM audit_log WHERE id = ?").bind(act?.id).first();
    expect(stored).toEqual({ actor: act?.actor });
  });
});

it.each([{}, { actor: "a" }, { action: "a" }, { target: "a" }, { from: timestamp(NOON), to: timestamp(NOON + 1) }])(
  "a list by %o walks an index in its own order",
  async (filter) => {
    const asked: string[] = [];
    const prepare = (query: string) => {
      asked.push(query);
      return acme.env.DB.prepare(query);
    };
    const env = { ...acme.env, DB: replacing(acme.env.DB, { prepare }) };
    await listAuditLog(env, { org: acme.org, ...filter, before: newId("log"), limit: 10 });
    const values = Array.from({ length: asked[0]?.split("?").length ?? 0 }, () => "1").slice(1);
    const { results } = await acme.env.DB.prepare(`EXPLAIN QUERY PLAN ${asked[0]}`)
      .bind(...values)
      .all<{ detail: string }>();
    const [column = "org"] = Object.keys(filter).filter((name) => name !== "from" && name !== "to");
    expect(results.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(`^SEARCH audit_log USING INDEX audit_log_of_${column} .*id<`),
    ]);
  },
);

it("a later page of a period reads nothing of the pages before it", async () => {
  const own = await openAdminWorld();
  await insert(
    own,
    Array.from({ length: 300 }, (_, index) => actAt(own.org, minute(index))),
  );
  const counted = countingRows(own.env);
  const period = { from: timestamp(minute(-1)), to: timestamp(minute(400)) };
  const rows = await listAuditLog(counted.env, {
    org: own.org,
    ...period,
    before: firstIdAt("log", minute(5)),
    limit: 3,
  });
  expect(rows.map(({ at }) => at)).toEqual([4, 3, 2].map((n) => timestamp(minute(n))));
  expect(counted.rowsRead()).toBeGreaterThan(0);
  expect(counted.rowsRead()).toBeLessThan(10);
});

it.each([{ actor: "rare" }, { action: "rare" }, { target: "rare" }])(
  "a period of a rare %o is read by its index, not entry by entry",
  async (filter) => {
    const own = await openAdminWorld();
    await insert(
      own,
      Array.from({ length: 300 }, (_, index) => actAt(own.org, minute(index), index === 150 ? filter : {})),
    );
    const counted = countingRows(own.env);
    const period = { from: timestamp(minute(-1)), to: timestamp(minute(400)) };
    const rows = await listAuditLog(counted.env, { org: own.org, ...period, ...filter, limit: 10 });
    expect(rows).toMatchObject([filter]);
    expect(counted.rowsRead()).toBeGreaterThan(0);
    expect(counted.rowsRead()).toBeLessThan(10);
  },
);

describe("export", () => {
  it("as NDJSON is every entry that matches, whole, a line each", async () => {
    const { text, headers } = await acme.ask("admin", "GET", `/audit-log/export?format=ndjson&${PERIOD}&target=key_1`);
    const lines = text.split("\n");
    expect(lines.pop()).toBe("");
    expect(lines.map((line) => JSON.parse(line))).toEqual([2, 1, 0].map((index) => acts[index]));
    expect(headers.get("content-type")).toBe("application/x-ndjson");
    expect(headers.get("content-disposition")).toBe(`attachment; filename="${acme.org}-audit-log.ndjson"`);
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("as CSV says in words what was done, and holds no formula", async () => {
    const world = await openAdminWorld();
    await insert(world, [
      actAt(world.org, minute(0), { actor: `=HYPERLINK("https://evil.test")`, target: "@SUM(A1)\r\n-1" }),
      actAt(world.org, minute(1), { action: "policy.save", detail: { change: "+1 requirement", policy: {} } }),
    ]);
    const { text, headers } = await world.ask("admin", "GET", `/audit-log/export?format=csv&${PERIOD}`);
    expect(headers.get("content-type")).toMatch(/^text\/csv/);
    const [header, saved, created, end] = text.split("\r\n");
    expect(header).toBe("id,at,org,actor,action,target,change,detail");
    expect(saved).toContain(`,policy.save,key_1,'+1 requirement,"{""change""`);
    expect(created).toContain(
      `,"'=HYPERLINK(""https://evil.test"")",key.create,'@SUM(A1)\u{fffd}\u{fffd}-1,Created the API key “shop” of project web.,`,
    );
    expect(end).toBe("");
  });

  it("reads page by page, and misses none", async () => {
    const world = await openAdminWorld();
    const many = Array.from({ length: 1150 }, (_, index) => actAt(world.org, minute(index % 7)));
    for (let at = 0; at < many.length; at += 50) await insert(world, many.slice(at, at + 50));
    const { text } = await world.ask("admin", "GET", `/audit-log/export?format=ndjson&${PERIOD}`);
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

  it.each(["", "?format=xml", "?format=csv&limit=5", "?format=csv&cursor=x"])("refuses %s", async (query) => {
    expect((await acme.ask("admin", "GET", `/audit-log/export${query}`)).status).toBe(400);
  });

  it("a database that fails at the start is a 503, and half-way breaks the file off", async () => {
    const many = Array.from({ length: 550 }, (_, index) => actAt(acme.org, minute(-60 - index)));
    for (let at = 0; at < many.length; at += 50) await insert(acme, many.slice(at, at + 50));
    const failingAfter = (reads: number) => {
      let left = reads;
      const prepare = (query: string) => {
        if (query.includes("FROM audit_log") && left-- <= 0) throw new Error("D1_ERROR: the database is down");
        return acme.env.DB.prepare(query);
      };
      return { ...acme.env, DB: replacing(acme.env.DB, { prepare }) };
    };
    const path = "/audit-log/export?format=ndjson&to=2020-11-01T12:00:00Z";
    expect(await acme.ask("admin", "GET", path, { env: failingAfter(0) })).toMatchObject({ status: 503 });
    await expect(acme.ask("admin", "GET", path, { env: failingAfter(1) })).rejects.toThrow();
  });
});
