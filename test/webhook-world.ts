// An organization with webhooks, and receivers on this machine for them.
import { inject } from "vitest";
import { deliverWebhooks } from "../src/audit/deliver.ts";
import { sealEvents } from "../src/audit/seal.ts";
import type { Env } from "../src/env.ts";
import type { SecurityEvent } from "../src/store/event.ts";
import { insertEvents } from "../src/store/events.ts";
import { type AdminWorld, type Answer, made, openAdminWorld } from "./admin-world.ts";
import { eventOf } from "./security-event.ts";
import type { Manner, Received } from "./webhook-receiver.ts";

export interface WebhookWorld {
  world: AdminWorld;
  org: string;
  env: Env;
  /** The address of a receiver, which is there without being made. */
  address(name: string): string;
  /** Sets up a webhook; what the API answers, with its secret. */
  add(name: string, format?: "json" | "ocsf"): Promise<{ id: string; secret: string }>;
  /** Calls the API below the organization. */
  ask(method: string, path: string, body?: unknown): Promise<Answer>;
  /** The webhook as the API shows it. */
  show(id: string): Promise<Record<string, unknown>>;
  /** Adds events and seals them. */
  seal(count: number): Promise<SecurityEvent[]>;
  deliver(limits?: NonNullable<Parameters<typeof deliverWebhooks>[1]>["limits"]): Promise<void>;
  /** From now on nothing has to wait for its next attempt. */
  hurry(): Promise<void>;
  behave(name: string, manner: Manner | null): Promise<void>;
  received(name: string): Promise<Received[]>;
}

const NOON = Date.parse("2026-11-01T12:00:00Z");

export async function openWebhookWorld(vars: Partial<Env> = {}): Promise<WebhookWorld> {
  const world = await openAdminWorld();
  const { org } = world;
  const env: Env = { ...world.env, SANDBOX_UPSTREAM: inject("standIn"), ...vars };
  const address = (name: string) => `${inject("receivers")}/${org}/${name}`;
  const ask: WebhookWorld["ask"] = (method, path, body) => world.ask("admin", method, path, { env, body });
  let minute = 0;
  return {
    world,
    org,
    env,
    address,
    ask,
    add: async (name, format = "json") =>
      (await made(ask("POST", "/webhooks", { url: address(name), format }))).body as { id: string; secret: string },
    show: async (id) => (await made(ask("GET", `/webhooks/${id}`))).body,
    async seal(count) {
      const events = Array.from({ length: count }, () => eventOf(org, {}, NOON + minute++ * 60_000));
      await insertEvents(env, events);
      await sealEvents(env, org);
      return events;
    },
    deliver: (limits = {}) => deliverWebhooks(env, { orgs: [org], limits: { answerMs: 400, ...limits } }),
    async hurry() {
      await env.DB.prepare("UPDATE webhooks SET next_attempt_at = '2026-01-01T00:00:00.000Z' WHERE org = ?")
        .bind(org)
        .run();
    },
    async behave(name, manner) {
      await fetch(`${address(name)}/__manner`, { method: "PUT", body: JSON.stringify(manner) });
    },
    received: async (name) => (await fetch(`${address(name)}/__received`)).json(),
  };
}

/** What each message is about: the event's place in the chain, or the type of what is no event. */
export function placesIn(received: readonly Received[]): (number | string)[] {
  return received.map(({ body }) => {
    const { type, data } = JSON.parse(body) as { type: string; data: { seq: number } };
    return type.startsWith("compliance.") ? data.seq : type;
  });
}
