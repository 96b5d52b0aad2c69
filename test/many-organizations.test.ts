// Cron with more organizations than one invocation can ask D1 for: every job is done in every run, whatever there is to do
// for the others, and every organization has its turn.
import { env as bindings } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { repairEdge } from "../src/audit/cron.ts";
import { sealEvents } from "../src/audit/seal.ts";
import type { Env } from "../src/env.ts";
import { countUnsealed } from "../src/store/chain.ts";
import { insertEvents } from "../src/store/events.ts";
import { createKey } from "../src/store/keys.ts";
import { kvKeys, OrgRecord } from "../src/store/records.ts";
import { firstRecord, newestRevision, type Revision, saveRevision } from "../src/store/revisions.ts";
import { keyringOf } from "../src/store/sealing.ts";
import { hashSecret } from "../src/store/secrets.ts";
import { newWebhookSecret, sealWebhookSecret } from "../src/store/webhook-secret.ts";
import { newCredentialsKey, sealedIn } from "./credential-fixtures.ts";
import { KEY } from "./retained-world.ts";
import { eventOf } from "./security-event.ts";
import { replacing } from "./world.ts";

const env = bindings as unknown as Env;
const MANY = 1_100;
const RUN_MS = 300_000;
const DAY_MS = 86_400_000;
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

/** D1 and KV as one invocation on the paid plan has them: the thousand-and-first call of either fails. */
function metered(change: Partial<Env> = {}): { metered: Env; asked: () => number; lookedUp: () => number } {
  const counter = () => {
    let calls = 0;
    return {
      add(more: number) {
        calls += more;
        if (calls > 1_000) throw new Error("Too many API requests by single worker invocation.");
      },
      calls: () => calls,
    };
  };
  const [queries, operations] = [counter(), counter()];
  const counting = <B extends object>(binding: B, methods: readonly (keyof B)[], { add } = queries) =>
    Object.fromEntries(
      methods.map((method) => [
        method,
        async (...args: unknown[]) => {
          add(1);
          return (binding[method] as (...args: unknown[]) => unknown).apply(binding, args);
        },
      ]),
    ) as Partial<B>;
  const statement = (prepared: D1PreparedStatement): D1PreparedStatement =>
    replacing(prepared, {
      ...counting(prepared, ["first", "all", "run"]),
      bind: (...values) => statement(prepared.bind(...values)),
    });
  const DB = replacing(env.DB, {
    prepare: (sql) => statement(env.DB.prepare(sql)),
    batch: async (statements) => {
      queries.add(statements.length);
      return env.DB.batch(statements);
    },
  });
  const CONFIG = replacing(env.CONFIG, counting(env.CONFIG, ["get", "put", "delete"], operations));
  return { metered: { ...env, DB, CONFIG, ...change }, asked: queries.calls, lookedUp: operations.calls };
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

describe("with three keys each", () => {
  const keys = orgs.flatMap((org) =>
    [1, 2, 3].map((n) => ({ org, id: `key-${org}-${n}`, hash: hashSecret(`${org} ${n}`) })),
  );
  const atEdge = async (names: readonly string[]) => {
    let found = 0;
    for (let at = 0; at < names.length; at += 100)
      for (const value of (await env.CONFIG.get(names.slice(at, at + 100), "text")).values())
        if (value !== null) found++;
    return found;
  };
  const orgsAtEdge = () => atEdge(orgs.map(kvKeys.org));
  const keysAtEdge = () => atEdge(keys.map(({ hash }) => kvKeys.key(hash)));
  const loseAll = async () => {
    await Promise.all(
      [...orgs.map(kvKeys.org), ...keys.map(({ hash }) => kvKeys.key(hash))].map((name) => env.CONFIG.delete(name)),
    );
  };

  beforeAll(async () => {
    await env.DB.prepare(
      "INSERT OR IGNORE INTO projects SELECT value, 'web', 'web', '2026-01-01', 'a' FROM json_each(?)",
    )
      .bind(JSON.stringify(orgs))
      .run();
    await env.DB.prepare(
      `INSERT INTO api_keys (id, hash, prefix, org, project, name, created_at, created_by, changed_at, published)
       SELECT value ->> 'id', value ->> 'hash', 'pcl', value ->> 'org', 'web', 'k', '2026-01-01', 'a', '2026-01-01', 1
       FROM json_each(?)`,
    )
      .bind(JSON.stringify(keys))
      .run();
  });

  it("all of them, lost with their keys, are back within six runs", { timeout: 120_000 }, async () => {
    await loseAll();
    for (let run = 0; run < 6; run++) await repairEdge(metered().metered, NOW + (20 + run) * RUN_MS);
    expect([await orgsAtEdge(), await keysAtEdge()]).toEqual([orgs.length, keys.length]);
  });

  describe("in a run in which everything is due at once", () => {
    const now = NOW + 40 * RUN_MS;
    const rotated = {
      CREDENTIALS_KEY: newCredentialsKey(),
      CREDENTIALS_KEY_PREVIOUS: env.CREDENTIALS_KEY ?? "",
      AUDIT_SIGNING_KEY: KEY,
    };
    const count = async (what: string) =>
      (await env.DB.prepare(`SELECT COUNT(*) AS n FROM ${what}`).first<{ n: number }>())?.n ?? 0;
    const keyOf = (CREDENTIALS_KEY: string) => {
      const { sealing } = keyringOf({ ...env, CREDENTIALS_KEY });
      if (!sealing) throw new Error("no key");
      return sealing;
    };

    /** Copies one event of each organization until there are so many. */
    const haveEvents = (some: readonly string[], each: number, at: number) =>
      env.DB.prepare(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
         INSERT INTO security_events (id, at, org, project, type, outcome, model, providers, event)
         SELECT e.value ->> 'id' || i, e.value ->> 'at', e.value ->> 'org', 'web', 'compliance.blocked', 'refused', 'm', '[]',
           json_set(e.value, '$.id', e.value ->> 'id' || i) FROM n, json_each(?1) e`,
      )
        .bind(JSON.stringify(some.map((org) => eventOf(org, {}, at))), each)
        .run();

    beforeAll(async () => {
      const credentials = orgs.map((org) => ({
        org,
        openai: sealedIn(env, { org, provider: "openai" }, "sk-0123456789abcdef"),
      }));
      await env.DB.prepare(
        `UPDATE revisions SET record = json_set(record, '$.credentials.openai', json(c.value -> 'openai'))
         FROM json_each(?) c WHERE org = c.value ->> 'org'`,
      )
        .bind(JSON.stringify(credentials))
        .run();
      const webhooks = Array.from({ length: 2_000 }, (_, index) => ({
        org: orgs[index % MANY] as string,
        id: `wh-${index}`,
      }));
      await env.DB.prepare(
        `INSERT INTO webhooks (id, org, url, format, enabled, secret, delivered_seq, next_attempt_at, created_at, created_by)
         SELECT value ->> 'id', value ->> 'org', 'https://siem.test', 'json', 0, value ->> 'secret', 0, '', '', 'a'
         FROM json_each(?)`,
      )
        .bind(
          JSON.stringify(
            webhooks.map((place) => ({
              ...place,
              secret: sealWebhookSecret(keyOf(rotated.CREDENTIALS_KEY_PREVIOUS), place, newWebhookSecret()),
            })),
          ),
        )
        .run();
      await haveEvents(orgs.slice(0, 20), 501, now - 500 * DAY_MS);
      for (const org of orgs.slice(0, 20)) await sealEvents({ ...env, ...rotated }, org);
      await haveEvents(orgs.slice(0, 45), 201, now);
      await loseAll();
    }, 120_000);

    it("each job has its share, and none meets the end of D1's or KV's", { timeout: 120_000 }, async () => {
      const { metered: limited, asked, lookedUp } = metered(rotated);
      const sealed = await count("event_seals");
      const stored = await count("security_events");
      await repairEdge(limited, now);
      expect(Math.max(asked(), lookedUp())).toBeLessThan(900);
      const removed = stored - (await count("security_events"));
      expect(removed).toBe(20 * 500);
      expect((await count("event_seals")) - sealed + removed).toBe(40 * 200);
      expect(await count(`webhooks WHERE secret LIKE '%${keyOf(rotated.CREDENTIALS_KEY).id}%'`)).toBe(1_000);
      expect(await count("audit_log WHERE action = 'credential.reseal'")).toBe(60);
      expect([await orgsAtEdge(), await keysAtEdge()]).toEqual([200, 600]);
    });
  });
});
