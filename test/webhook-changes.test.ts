// What a change makes of a webhook that was failing, that others change too, or that is being served at the moment.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deliverWebhooks } from "../src/audit/deliver.ts";
import { openWebhookWorld, placesIn, type WebhookWorld } from "./webhook-world.ts";
import { replacing } from "./world.ts";

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

const LONG_AGO = new Date(Date.now() - 25 * 3_600_000).toISOString();

/** A webhook whose receiver answers 503, and has for more than the day after which it pauses. */
async function failing(world: WebhookWorld): Promise<string> {
  const { id } = await world.add("siem");
  await world.seal(1);
  for (const name of ["siem", "other"]) await world.behave(name, { kind: "status", status: 503 });
  await world.env.DB.prepare("UPDATE webhooks SET failing_since = ?, failures = 30 WHERE id = ?")
    .bind(LONG_AGO, id)
    .run();
  return id;
}

describe("a receiver that has failed for a day gets another day", () => {
  it.each<[string, (world: WebhookWorld) => object[]]>([
    ["once it was stopped by hand and started", () => [{ enabled: false }, { enabled: true }]],
    ["at another address", ({ address }) => [{ url: address("other") }]],
  ])("%s: one more failure does not pause it", async (_, changes) => {
    const world = await openWebhookWorld();
    const id = await failing(world);
    for (const change of changes(world)) await world.ask("PATCH", `/webhooks/${id}`, change);
    await world.deliver();
    const shown = await world.show(id);
    expect(shown).toMatchObject({ state: "retrying", last_status: 503 });
    expect((shown.failing_since as string) > LONG_AGO).toBe(true);
    // Its delays begin anew too.
    expect(Date.parse(shown.next_attempt_at as string) - Date.now()).toBeLessThanOrEqual(10_000);
  });

  it.each<[string, (world: WebhookWorld) => object]>([
    ["another format", () => ({ format: "ocsf" })],
    ["the address and the state that it has", ({ address }) => ({ url: address("siem"), enabled: true })],
  ])("but not for %s", async (_, change) => {
    const world = await openWebhookWorld();
    const id = await failing(world);
    await world.ask("PATCH", `/webhooks/${id}`, change(world));
    await world.deliver();
    expect(await world.show(id)).toMatchObject({ state: "paused", failing_since: LONG_AGO });
  });
});

it.each<[object, (world: WebhookWorld) => object, (world: WebhookWorld) => object]>([
  [
    { enabled: false },
    ({ address }) => ({ url: address("other") }),
    ({ address }) => ({ enabled: false, url: address("other") }),
  ],
  [{ format: "ocsf" }, () => ({ enabled: false }), () => ({ enabled: false, format: "ocsf" })],
])("what somebody else changes at the same time stays changed: %o", async (theirs, mine, both) => {
  const world = await openWebhookWorld();
  const { id } = await world.add("siem");
  /** Comes between reading the webhook and writing it. */
  const DB = replacing(world.env.DB, {
    batch: async (statements) => {
      await world.ask("PATCH", `/webhooks/${id}`, theirs);
      return world.env.DB.batch(statements) as never;
    },
  });
  const env = { ...world.env, DB };
  expect((await world.world.ask("admin", "PATCH", `/webhooks/${id}`, { env, body: mine(world) })).status).toBe(200);
  expect(await world.show(id)).toMatchObject(both(world));
});

it.each<[string, string, (world: WebhookWorld) => object[]]>([
  ["another address", "other", ({ address }) => [{ url: address("other") }]],
  ["the same one, started anew", "siem", () => [{ enabled: false }, { enabled: true }]],
])("a run that is under way holds no failure against %s, which gets all of it", async (_, name, changes) => {
  const world = await openWebhookWorld();
  const id = await failing(world);
  await world.behave("siem", { kind: "hang" });
  await world.behave("other", null);
  const run = deliverWebhooks(world.env, { orgs: [world.org], limits: { answerMs: 600, leaseMs: 1_500 } });
  await vi.waitFor(async () => expect(await world.received("siem")).toHaveLength(1));
  for (const change of changes(world)) await world.ask("PATCH", `/webhooks/${id}`, change);
  await run;
  expect(await world.show(id)).toMatchObject({ state: "delivering", failing_since: null, paused_at: null });
  await world.behave("siem", null);
  await vi.waitFor(
    async () => {
      await world.deliver();
      expect(placesIn(await world.received(name)).at(-1)).toBe(1);
      expect(await world.show(id)).toMatchObject({ waiting: 0 });
    },
    { timeout: 5_000, interval: 200 },
  );
});
