// Nothing changes without its row in the audit log: where the row cannot be written, the change is not made either.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { deliverWebhooks } from "../src/audit/deliver.ts";
import { DISABLED_POLICY } from "../src/compliance/policy.ts";
import type { Env } from "../src/env.ts";
import { type Caller, made } from "./admin-world.ts";
import { replacing, withoutAuditLog } from "./replacing.ts";
import { smallCatalog } from "./small-catalog.ts";
import { openWebhookWorld, type WebhookWorld } from "./webhook-world.ts";

let world: WebhookWorld;
const at = { webhook: "", key: "", token: "" };
beforeAll(async () => {
  world = await openWebhookWorld();
  at.webhook = (await world.add("siem")).id;
  const by = world.world;
  at.key = (await made(by.ask("owner", "POST", "/keys", { body: { project: "web", name: "shop" } }))).body.id;
  const tokens = "/members/developer@acme.example/tokens";
  at.token = (await made(by.ask("owner", "POST", tokens))).body.id;
  await made(by.ask("owner", "POST", "/projects", { body: { id: "unused" } }));
  await made(by.ask("owner", "PUT", "/credentials/openai", { body: CREDENTIAL }));
});
afterEach(() => {
  vi.restoreAllMocks();
});

const CREDENTIAL = { secret: "sk-0123456789abcdef", variables: {} };
const IF_MATCH = { "if-match": 'W/"2"' };

/** All that D1 holds. */
async function held({ DB }: Env): Promise<string> {
  const { results: tables } = await DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'",
  ).all<{ name: string }>();
  const rows = await Promise.all(tables.map(({ name }) => DB.prepare(`SELECT * FROM "${name}"`).all()));
  return JSON.stringify(rows.map(({ results }) => results));
}

describe("where the audit log takes no row, nothing is changed by", () => {
  it.each<[Caller, string, ((() => unknown) | null)?, Record<string, string>?]>([
    ["admin", "POST /webhooks", () => ({ url: world.address("other") })],
    ["admin", "PATCH /webhooks/:webhook", () => ({ enabled: false })],
    ["admin", "POST /webhooks/:webhook/resume"],
    ["admin", "POST /webhooks/:webhook/rotate-secret"],
    ["admin", "DELETE /webhooks/:webhook"],
    ["owner", "PUT /members/new@acme.example", () => ({ role: "admin" })],
    ["owner", "DELETE /members/developer@acme.example"],
    ["owner", "POST /members/developer@acme.example/tokens"],
    ["owner", "DELETE /members/developer@acme.example/tokens/:token"],
    ["admin", "POST /projects", () => ({ id: "shop" })],
    ["admin", "PATCH /projects/unused", () => ({ name: "Used" })],
    ["admin", "DELETE /projects/unused"],
    ["admin", "PUT /projects/web/policy", () => ({ ...DISABLED_POLICY, requirements: ["gdpr"] }), IF_MATCH],
    ["admin", "POST /keys", () => ({ project: "new", name: "shop" })],
    ["admin", "PATCH /keys/:key", () => ({ name: "shop 2" })],
    ["admin", "DELETE /keys/:key"],
    ["admin", "PUT /credentials/openai", () => ({ ...CREDENTIAL, secret: "sk-another-0123456789" })],
    ["admin", "DELETE /credentials/openai"],
    ["admin", "PUT /policy", () => ({ ...DISABLED_POLICY, requirements: ["gdpr"] }), IF_MATCH],
    ["admin", "POST /policy/revisions/1/restore", null, IF_MATCH],
    ["admin", "PUT /routing", () => ({ auto: ["gpt-4o-mini"] })],
    ["owner", "PUT /retention", () => ({ days: 200, legal_hold: true })],
    ["operator", "PATCH ", () => ({ plan: "pro" })],
    ["operator", "POST /admin/api/orgs", () => ({ id: `${world.org}-2`, name: "Acme 2", plan: "free" })],
    ["operator", "PUT /admin/api/catalog", () => ({ ...smallCatalog, version: "unseen" })],
  ])("%s: %s", async (by, route, body, headers = {}) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const [method = "", pattern = ""] = route.split(" ");
    const path = pattern.replace(/:(\w+)/g, (_, name: keyof typeof at) => at[name]);
    const below = path.startsWith("/admin/api") ? path.slice("/admin/api".length) : `/orgs/${world.org}${path}`;
    const before = await held(world.env);
    const env = { ...world.env, DB: withoutAuditLog(world.env) };
    const answer = await world.world.call(by, method, below, { env, headers, ...(body && { body: body() }) });
    expect(answer).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect(await held(world.env)).toBe(before);
  });

  it("a receiver that is gone: the webhook pauses once that can be recorded", async () => {
    const errors = vi.spyOn(console, "error").mockImplementation(() => {});
    const { env, org, add, behave, seal, show, deliver } = world;
    const { id } = await add("gone");
    await behave("gone", { kind: "status", status: 410 });
    await seal(1);
    const limits = { leaseMs: 1_000, answerMs: 400 };
    await expect(deliverWebhooks({ ...env, DB: withoutAuditLog(env) }, { orgs: [org], limits })).rejects.toThrow(id);
    expect(await show(id)).toMatchObject({ state: "delivering" });
    expect(errors.mock.calls.join()).not.toContain("webhook.paused");
    await vi.waitFor(
      async () => {
        await deliver();
        expect(await show(id)).toMatchObject({ state: "paused" });
      },
      { timeout: 5_000, interval: 200 },
    );
  });
});

describe("no row tells of what was not done:", () => {
  const rows = async (target: string) =>
    (
      await world.env.DB.prepare("SELECT action FROM audit_log WHERE target = ? ORDER BY id")
        .bind(target)
        .all<{ action: string }>()
    ).results.map(({ action }) => action);

  it("of changes to a webhook that somebody has removed meanwhile", async () => {
    const { id } = await world.add("removed");
    /** Removes the webhook between reading and writing it. */
    const DB = replacing(world.env.DB, {
      batch: async (statements) => {
        await world.env.DB.prepare("DELETE FROM webhooks WHERE id = ?").bind(id).run();
        return world.env.DB.batch(statements) as never;
      },
    });
    const answer = await world.world.ask("admin", "PATCH", `/webhooks/${id}`, {
      env: { ...world.env, DB },
      body: { enabled: false },
    });
    expect(answer.status).toBe(404);
    expect(await rows(id)).toEqual(["webhook.create"]);
  });

  it("of a webhook that is one too many", async () => {
    const { DB } = world.env;
    const count = async () =>
      (await DB.prepare("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'webhook.create'").first<{ n: number }>())
        ?.n;
    const statuses: number[] = [];
    while (!statuses.includes(409)) statuses.push((await world.ask("POST", "/webhooks", NEW())).status);
    const before = await count();
    expect((await world.ask("POST", "/webhooks", NEW())).status).toBe(409);
    expect(await count()).toBe(before);
  });
  const NEW = () => ({ url: world.address("many") });
});

it.each([
  ["POST /webhooks", 201],
  ["POST /webhooks/:id/rotate-secret", 200],
])("a secret that was stored is answered, although the database fails right after: %s", async (route, status) => {
  const own = await openWebhookWorld();
  const { id } = await own.add("siem");
  let written = false;
  const DB = replacing(own.env.DB, {
    prepare(sql: string) {
      if (written) throw new Error("it is down");
      return own.env.DB.prepare(sql);
    },
    batch: async (statements) => {
      const results = await own.env.DB.batch(statements);
      written = true;
      return results as never;
    },
  });
  const [method = "", path = ""] = route.replace(":id", id).split(" ");
  const body = path === "/webhooks" ? { url: own.address("new") } : undefined;
  const answer = await own.world.ask("admin", method, path, { env: { ...own.env, DB }, body });
  expect([answer.status, written]).toEqual([status, true]);
  expect(answer.body.secret).toMatch(/^whsec_/);
});
