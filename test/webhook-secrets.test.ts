// What a webhook is signed with, and where it may lead: both are looked at anew for every run.
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runCron } from "../src/audit/cron.ts";
import { deliverWebhooks } from "../src/audit/deliver.ts";
import type { Received } from "./webhook-receiver.ts";
import { openWebhookWorld, placesIn, type WebhookWorld } from "./webhook-world.ts";
import { replacing } from "./world.ts";

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

const verified = (secret: string, { headers, body }: Received) => new Webhook(secret).verify(body, headers);

describe("secrets", () => {
  const rotated = async ({ ask }: WebhookWorld, id: string): Promise<string> =>
    (await ask("POST", `/webhooks/${id}/rotate-secret`)).body.secret;

  it("overlap for a day after a rotation: both sign; then the new one alone does", async () => {
    const world = await openWebhookWorld();
    const { id, secret: old } = await world.add("siem");
    const secret = await rotated(world, id);
    expect(secret).not.toBe(old);
    await world.seal(1);
    await world.deliver();
    const [both] = (await world.received("siem")) as [Received];
    expect(both.headers["webhook-signature"]?.split(" ")).toHaveLength(2);
    for (const either of [old, secret]) verified(either, both);
    const { previous_secret_until } = await world.show(id);
    expect(Date.parse(previous_secret_until as string) - Date.now()).toBeGreaterThan(23.9 * 3_600_000);

    await world.env.DB.prepare("UPDATE webhooks SET previous_until = ? WHERE id = ?")
      .bind(new Date(Date.now() - 1).toISOString(), id)
      .run();
    await world.seal(1);
    await world.deliver();
    const last = (await world.received("siem")).at(-1) as Received;
    verified(secret, last);
    expect(() => verified(old, last)).toThrow();
    expect(await world.show(id)).toMatchObject({ previous_secret_until: null });
  });

  it("are rotated once by rotations at the same time: the others are told, and the receiver's goes on signing", async () => {
    const world = await openWebhookWorld();
    const { id, secret: old } = await world.add("siem");
    const answers = await Promise.all([1, 2, 3, 4].map(() => world.ask("POST", `/webhooks/${id}/rotate-secret`)));
    const rotations = answers.filter(({ status }) => status === 200).map(({ body }) => body.secret as string);
    expect(rotations.length).toBeGreaterThan(0);
    for (const { status, body } of answers)
      if (status !== 200)
        expect([status, body.code, body.detail]).toEqual([409, "conflict", expect.stringMatching(/rotate/)]);
    await world.seal(1);
    await world.deliver();
    const [both] = (await world.received("siem")) as [Received];
    // Those that came one after the other each replaced the one before.
    for (const either of [old, ...rotations].slice(-2)) verified(either, both);
    const { body } = await world.ask("GET", `/audit-log?action=webhook.rotate_secret&target=${id}`);
    expect(body.data).toHaveLength(rotations.length);
  });

  it("are not rotated on top of a rotation that came between reading and writing", async () => {
    const world = await openWebhookWorld();
    const { id, secret: old } = await world.add("siem");
    let first = "";
    const DB = replacing(world.env.DB, {
      batch: async (statements) => {
        first = await rotated(world, id);
        return world.env.DB.batch(statements) as never;
      },
    });
    const second = await world.world.ask("admin", "POST", `/webhooks/${id}/rotate-secret`, {
      env: { ...world.env, DB },
    });
    expect(second).toMatchObject({ status: 409, body: { code: "conflict" } });
    await world.seal(1);
    await world.deliver();
    const [both] = (await world.received("siem")) as [Received];
    for (const either of [old, first]) verified(either, both);
  });

  it("that cannot be opened send nothing, which is shown; a rotation mends it", async () => {
    const world = await openWebhookWorld();
    const { id } = await world.add("siem");
    await world.seal(2);
    const CREDENTIALS_KEY = Buffer.alloc(32, "another").toString("base64");
    const elsewhere = { ...world.env, CREDENTIALS_KEY };
    await deliverWebhooks(elsewhere, { orgs: [world.org] });
    expect(await world.received("siem")).toEqual([]);
    expect(await world.show(id)).toMatchObject({ state: "retrying", last_status: null });
    const secret = (await world.world.ask("admin", "POST", `/webhooks/${id}/rotate-secret`, { env: elsewhere })).body
      .secret;
    await world.hurry();
    await deliverWebhooks(elsewhere, { orgs: [world.org] });
    const all = await world.received("siem");
    for (const each of all) verified(secret, each);
    expect(placesIn(all)).toEqual([1, 2]);
  });

  it("are sealed anew after CREDENTIALS_KEY was replaced, also the one before", async () => {
    const world = await openWebhookWorld();
    const { id, secret: old } = await world.add("siem");
    const secret = await rotated(world, id);
    const CREDENTIALS_KEY = Buffer.alloc(32, "the next").toString("base64");
    const CREDENTIALS_KEY_PREVIOUS = world.env.CREDENTIALS_KEY ?? "";
    const during = await world.show(id);
    // It ends in an error: there are others whose secret is lost, which keep no other from being sealed.
    await runCron("*/5 * * * *", { ...world.env, CREDENTIALS_KEY, CREDENTIALS_KEY_PREVIOUS }).catch(() => undefined);
    expect((await world.show(id)).encryption_key_id).not.toBe(during.encryption_key_id);
    await world.seal(1);
    await deliverWebhooks({ ...world.env, CREDENTIALS_KEY }, { orgs: [world.org] });
    const [both] = (await world.received("siem")) as [Received];
    for (const either of [old, secret]) verified(either, both);
  });
});

describe("an address that may not be called", () => {
  it.each(["https://169.254.169.254/", "http://10.0.0.1/"])(
    "is not, even where %s got into the database",
    async (url) => {
      const { env, add, seal, deliver, show } = await openWebhookWorld();
      const { id } = await add("siem");
      await env.DB.prepare("UPDATE webhooks SET url = ? WHERE id = ?").bind(url, id).run();
      await seal(1);
      await deliver();
      expect(await show(id)).toMatchObject({
        state: "retrying",
        last_problem: expect.stringMatching(/^the address must/),
      });
    },
  );

  it("is one on this machine, once it is no sandbox", async () => {
    const { env, org, add, seal, received } = await openWebhookWorld();
    await add("siem");
    await seal(1);
    const { SANDBOX_UPSTREAM: _, ...outside } = env;
    await deliverWebhooks(outside, { orgs: [org] });
    expect(await received("siem")).toEqual([]);
  });
});
