// Cron with more organizations than one invocation can ask D1 for: every job is done in every run, and every organization
// has its turn.
import { env as bindings } from "cloudflare:workers";
import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import { repairEdge } from "../src/audit/cron.ts";
import type { Env } from "../src/env.ts";
import { countUnsealed } from "../src/store/chain.ts";
import { insertEvents } from "../src/store/events.ts";
import { createKey } from "../src/store/keys.ts";
import { kvKeys, OrgRecord } from "../src/store/records.ts";
import { firstRecord, newestRevision, type Revision, saveRevision } from "../src/store/revisions.ts";
import { hashSecret } from "../src/store/secrets.ts";
import { eventOf } from "./security-event.ts";
import { replacing } from "./world.ts";

const env = bindings as unknown as Env;
const MANY = 1_100;
const RUN_MS = 300_000;
const NOW = Date.parse("2026-11-01T12:00:00Z");
const orgs = Array.from({ length: MANY }, (_, index) => `org-${String(index).padStart(4, "0")}`);
const LAST = orgs.at(-1) as string;
const from = { via: "api", country: null } as const;
const recordOf = (org: string) => OrgRecord.parse(firstRecord(org));

beforeAll(async () => {
  await env.DB.prepare(
    `INSERT INTO orgs (id, name, plan, published_revision, created_at)
     SELECT value, value, 'pro', 1, '2026-01-01' FROM json_each(?)`,
  )
    .bind(JSON.stringify(orgs))
    .run();
  await env.DB.prepare(
    `INSERT INTO revisions (org, revision, record, change, via, created_at, created_by)
     SELECT value ->> 'org', 1, value, '', 'api', '', '' FROM json_each(?)`,
  )
    .bind(JSON.stringify(orgs.map(recordOf)))
    .run();
  await Promise.all(orgs.map((org) => env.CONFIG.put(kvKeys.org(org), JSON.stringify(recordOf(org)))));
});
beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => {});
});

/** D1 as one invocation on the paid plan has it: the thousand-and-first query fails. */
function metered(): { metered: Env; asked: () => number } {
  let asked = 0;
  const count = (queries: number) => {
    asked += queries;
    if (asked > 1_000) throw new Error("Too many API requests by single worker invocation.");
  };
  const counting = (statement: D1PreparedStatement): D1PreparedStatement =>
    replacing(statement, {
      bind: (...values) => counting(statement.bind(...values)),
      ...Object.fromEntries(
        (["first", "all", "run"] as const).map((method) => [
          method,
          (...args: []) => {
            count(1);
            return statement[method](...args);
          },
        ]),
      ),
    });
  const DB = replacing(env.DB, {
    prepare: (sql) => counting(env.DB.prepare(sql)),
    batch: (statements) => {
      count(statements.length);
      return env.DB.batch(statements);
    },
  });
  return { metered: { ...env, DB }, asked: () => asked };
}

const held = (org: string) => env.CONFIG.get(kvKeys.org(org), "text");

it("each run does what belongs to no organization, keys and events of the last one too", async () => {
  const { id, key } = await createKey(env, { org: LAST, project: "web", name: "web", actor: "a" });
  await env.CONFIG.delete(kvKeys.key(hashSecret(key)));
  await env.DB.prepare("UPDATE api_keys SET published = 0 WHERE id = ?").bind(id).run();
  await insertEvents(env, [eventOf(LAST)]);
  const { metered: limited, asked } = metered();
  await repairEdge(limited, NOW);
  expect(asked()).toBeLessThan(300);
  expect(await env.CONFIG.get(kvKeys.key(hashSecret(key)), "text")).not.toBeNull();
  expect(await countUnsealed(env, LAST)).toBe(0);
});

it("what the edge lost of any of them is back within six runs, whichever is the first", async () => {
  const lost = orgs.filter((_, index) => index % 100 === 0 || index === MANY - 1);
  for (const org of lost) await env.CONFIG.delete(kvKeys.org(org));
  for (let run = 0; run < 6; run++) await repairEdge(metered().metered, NOW + (7 + run) * RUN_MS);
  for (const org of lost) expect(await held(org), org).toBe(JSON.stringify(recordOf(org)));
});

it("a revision that is known to be outstanding waits for no turn", async () => {
  for (const run of [0, 1]) {
    const base = await newestRevision(env, LAST);
    await saveRevision(env, { base: base as Revision, next: {}, change: "", action: "policy.save", actor: "a", from });
    await repairEdge(metered().metered, NOW + run * RUN_MS);
    expect(JSON.parse((await held(LAST)) ?? "")).toMatchObject({ revision: run + 2 });
  }
});
