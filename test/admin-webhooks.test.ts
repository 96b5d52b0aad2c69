// Webhooks over the API: what is taken in, what is shown, who sees it, and that a secret is nowhere but in one answer.
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { WebhookAnswer, WebhookSecretAnswer, WebhooksAnswer, WebhookTestAnswer } from "../src/admin/api/webhooks.ts";
import { MAX_WEBHOOKS } from "../src/admin/webhooks.ts";
import type { Env } from "../src/env.ts";
import type { Received } from "./webhook-receiver.ts";
import { openWebhookWorld, placesIn } from "./webhook-world.ts";

const METHODS = ["log", "info", "warn", "error", "debug", "trace"] as const;
let consoles: MockInstance[];
beforeEach(() => {
  consoles = METHODS.map((method) => vi.spyOn(console, method).mockImplementation(() => {}));
});
afterEach(() => {
  vi.restoreAllMocks();
});

const ADDRESS = "https://siem.example.com/in/a-path-nobody-knows";

/** All that is kept anywhere, and all that was said. */
async function left({ DB, CONFIG }: Env): Promise<string> {
  const { results: tables } = await DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'",
  ).all<{ name: string }>();
  const rows = await Promise.all(tables.map(({ name }) => DB.prepare(`SELECT * FROM "${name}"`).all()));
  const { keys } = await CONFIG.list();
  const values = await Promise.all(keys.map(({ name }) => CONFIG.get(name, "text")));
  const said = consoles.map(({ mock }) => mock.calls.map((call) => call.map(String)));
  return JSON.stringify([rows.map(({ results }) => results), values, said]);
}

describe("a webhook", () => {
  it("is set up with a secret of Standard Webhooks, which no later answer holds", async () => {
    const { ask } = await openWebhookWorld();
    const created = await ask("POST", "/webhooks", { url: ADDRESS });
    expect(created.status).toBe(201);
    const { secret, ...shown } = WebhookSecretAnswer.parse(created.body);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(shown).toMatchObject({
      url: ADDRESS,
      format: "json",
      enabled: true,
      state: "delivering",
      waiting: 0,
      created_by: "admin@acme.example",
    });
    const list = await ask("GET", "/webhooks");
    expect(WebhooksAnswer.parse(list.body).data).toEqual([shown]);
    expect(WebhookAnswer.parse((await ask("GET", `/webhooks/${shown.id}`)).body)).toEqual(shown);
    expect(list.text).not.toContain("whsec_");
  });

  it("is changed, and removed for good", async () => {
    const { ask } = await openWebhookWorld();
    const { id } = (await ask("POST", "/webhooks", { url: ADDRESS, enabled: false })).body;
    const changed = await ask("PATCH", `/webhooks/${id}`, { url: "https://other.example.com", format: "ocsf" });
    expect(changed.body).toMatchObject({ url: "https://other.example.com/", format: "ocsf", state: "disabled" });
    expect((await ask("DELETE", `/webhooks/${id}`)).status).toBe(200);
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/resume"],
      ["POST", "/test"],
      ["POST", "/rotate-secret"],
    ])
      expect((await ask(method ?? "", `/webhooks/${id}${path}`)).status).toBe(404);
  });

  it("that failed is tried at once after its address was changed", async () => {
    const { ask, add, behave, seal, deliver, received, address } = await openWebhookWorld();
    const { id } = await add("gone");
    await behave("gone", { kind: "status", status: 404 });
    await seal(1);
    await deliver();
    await ask("PATCH", `/webhooks/${id}`, { url: address("moved") });
    await deliver();
    expect(placesIn(await received("moved"))).toEqual([1]);
  });

  it("leaves who did what in the audit log, with the receiver's host and nothing more of its address", async () => {
    const { ask } = await openWebhookWorld();
    const { id } = (await ask("POST", "/webhooks", { url: ADDRESS })).body;
    await ask("PATCH", `/webhooks/${id}`, { enabled: false });
    await ask("POST", `/webhooks/${id}/resume`);
    await ask("POST", `/webhooks/${id}/rotate-secret`);
    await ask("DELETE", `/webhooks/${id}`);
    const { body, text } = await ask("GET", "/audit-log");
    const entries = body.data.filter(({ target }: { target: string }) => target === id);
    expect(entries.map(({ action, actor }: { action: string; actor: string }) => [action, actor])).toEqual(
      ["remove", "rotate_secret", "resume", "change", "create"].map((act) => [`webhook.${act}`, "admin@acme.example"]),
    );
    expect(entries.at(-1).detail).toEqual({ host: "siem.example.com", format: "json", enabled: true });
    expect(text).not.toContain("nobody-knows");
  });

  it("is one of ten at the most", async () => {
    const { ask } = await openWebhookWorld();
    const all = Array.from({ length: MAX_WEBHOOKS + 3 }, () => ask("POST", "/webhooks", { url: ADDRESS }));
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(MAX_WEBHOOKS);
    expect(statuses.filter((status) => status === 409)).toHaveLength(3);
  });
});

describe("refused is", () => {
  it.each<[string, unknown, string]>([
    ["no address", {}, "url"],
    ["an address that is none", { url: "siem" }, "url"],
    ["an address that is no text", { url: 7 }, "url"],
    ["plain http", { url: "http://siem.example.com" }, "url"],
    ["this machine by https", { url: "https://127.0.0.1" }, "url"],
    ["a cloud's metadata", { url: "https://169.254.169.254/latest" }, "url"],
    ["another port", { url: "https://siem.example.com:9200" }, "url"],
    ["an unknown format", { url: ADDRESS, format: "cef" }, "format"],
    ["a secret of one's own", { url: ADDRESS, secret: "whsec_mine" }, "secret"],
    ["enabled that is no boolean", { url: ADDRESS, enabled: "yes" }, "enabled"],
  ])("%s", async (_, body, path) => {
    const { ask } = await openWebhookWorld();
    const answer = await ask("POST", "/webhooks", body);
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request", errors: [{ path }] } });
    expect((await ask("GET", "/webhooks")).body.data).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{}, ""],
    [{ url: "https://10.0.0.1" }, "url"],
    [{ enabled: true, delivered_seq: 0 }, "delivered_seq"],
  ])("a change to %o", async (body, path) => {
    const { ask } = await openWebhookWorld();
    const { id } = (await ask("POST", "/webhooks", { url: ADDRESS })).body;
    expect(await ask("PATCH", `/webhooks/${id}`, body)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });

  it("a webhook where secrets cannot be encrypted, saying what the operator has to set", async () => {
    const { world, env } = await openWebhookWorld();
    const { CREDENTIALS_KEY: _, ...without } = env;
    const answer = await world.ask("admin", "POST", "/webhooks", { env: without, body: { url: ADDRESS } });
    expect(answer).toMatchObject({ status: 503, body: { code: "credentials_key_missing" } });
    expect(answer.body.detail).toContain("CREDENTIALS_KEY");
  });

  it("a receiver on this machine, outside the sandbox", async () => {
    const { world, address } = await openWebhookWorld();
    const answer = await world.ask("admin", "POST", "/webhooks", { body: { url: address("siem") } });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: "url" }] } });
  });

  it.each(["GET", "PATCH", "DELETE", "POST /resume", "POST /test", "POST /rotate-secret"])(
    "%s on the webhook of another organization, as if it did not exist",
    async (call) => {
      const [method = "", path = ""] = call.split(" ");
      const [mine, theirs] = [await openWebhookWorld(), await openWebhookWorld()];
      const { id } = await theirs.add("siem");
      const before = await theirs.show(id);
      const body = method === "PATCH" ? { enabled: false } : undefined;
      const answer = await mine.ask(method, `/webhooks/${id}${path}`, body);
      const nobodys = await mine.ask(method, `/webhooks/whk_none${path}`, body);
      expect(answer.status).toBe(404);
      expect(answer.text).toBe(nobodys.text);
      expect(await theirs.show(id)).toEqual(before);
      expect(await theirs.received("siem")).toEqual([]);
    },
  );
});

describe("a test", () => {
  it("is sent at once and signed, says what was answered, and moves nothing", async () => {
    const { org, ask, add, seal, received, show } = await openWebhookWorld();
    const { id, secret } = await add("siem");
    await seal(2);
    const answer = await ask("POST", `/webhooks/${id}/test`);
    expect(WebhookTestAnswer.parse(answer.body)).toEqual({ delivered: true, status: 204, problem: null });
    const [sent] = (await received("siem")) as [Received];
    expect(new Webhook(secret).verify(sent.body, sent.headers)).toMatchObject({
      type: "webhook.test",
      data: { org, webhook: id },
    });
    expect(await show(id)).toMatchObject({ waiting: 2, delivered_seq: 0, last_attempt_at: null });
  });

  it("is sent in the webhook's format", async () => {
    const { ask, add, received } = await openWebhookWorld();
    const { id } = await add("siem", "ocsf");
    await ask("POST", `/webhooks/${id}/test`);
    expect(JSON.parse((await received("siem"))[0]?.body ?? "")).toMatchObject({
      class_uid: 0,
      activity_name: "webhook.test",
    });
  });

  it("that fails says why, and is none of the failures that pause a webhook", async () => {
    const { ask, add, behave, show } = await openWebhookWorld();
    const { id } = await add("siem");
    await behave("siem", { kind: "status", status: 410 });
    const { body } = await ask("POST", `/webhooks/${id}/test`);
    expect(body).toEqual({ delivered: false, status: 410, problem: null });
    expect(await show(id)).toMatchObject({ state: "delivering" });
  });
});

it("a secret is nowhere in plain: not in D1, not in KV, not on the console; nor is what a receiver says", async () => {
  const { env, ask, add, behave, seal, deliver, show } = await openWebhookWorld();
  const { id, secret: old } = await add("siem");
  const { secret } = (await ask("POST", `/webhooks/${id}/rotate-secret`)).body;
  const canary = `canary-${crypto.randomUUID()}`;
  await behave("siem", { kind: "status", status: 500, headers: { "x-said": canary }, body: canary });
  await seal(2);
  await deliver();
  await ask("POST", `/webhooks/${id}/test`);
  expect((await show(id)).last_status).toBe(500);
  const everything = await left(env);
  // It would be found: the webhook's address and state are.
  expect(everything).toContain(id);
  for (const each of [old, secret]) {
    expect(everything).not.toContain(each.slice("whsec_".length));
    expect(everything).not.toContain(Buffer.from(each.slice("whsec_".length), "base64").toString("hex"));
  }
  expect(everything).not.toContain("whsec_");
  expect(everything).not.toContain(canary);
});
