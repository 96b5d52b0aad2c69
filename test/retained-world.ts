// An organization whose events are sealed, signed and of some age, to test retention against.
import { env as bindings } from "cloudflare:workers";
import { type MockInstance, vi } from "vitest";
import type * as z from "zod";
import { VerifyAnswer } from "../src/admin/api/chain.ts";
import { sealEvents } from "../src/audit/seal.ts";
import type { SignedCut } from "../src/chain/signed-cut.ts";
import type { Env } from "../src/env.ts";
import { insertEvents, listEvents } from "../src/store/events.ts";
import { putRetention } from "../src/store/retention.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { eventOf } from "./security-event.ts";

export const DAY = 86_400_000;
export const NOW = Date.parse("2028-06-01T12:00:00Z");

/** The two Ed25519 keys of RFC 8032, section 7.1, tests 1 and 2. */
const pkcs8 = (seed: string) => Buffer.from(`302e020100300506032b657004220420${seed}`, "hex").toString("base64");
export const KEY = pkcs8("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
export const OTHER_KEY = pkcs8("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
export const signing: Env = { ...(bindings as unknown as Env), AUDIT_SIGNING_KEY: KEY };

export interface RetainedWorld extends AdminWorld {
  /** Seals events of these ages, in days at `NOW`, a head behind each `perHead` of them; returns their ids. */
  sealed(ages: readonly number[], how?: { org?: string | null; perHead?: number }): Promise<string[]>;
  /** The ids of the events that are there, oldest first. */
  kept(): Promise<string[]>;
  verify(query?: string): Promise<z.infer<typeof VerifyAnswer>>;
  changeRule(days: number, legal_hold?: boolean): Promise<unknown>;
  /** The cuts that left the database as log lines. */
  cutsOut(): SignedCut[];
}

/** Opens the organization. The Worker's lines are caught until the mocks are restored. */
export async function openRetainedWorld(): Promise<RetainedWorld> {
  const lines: MockInstance<typeof console.log> = vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
  const world = await openAdminWorld();
  const { org } = world;
  return {
    ...world,
    async sealed(ages, { org: whose = org, perHead = 3 } = {}) {
      const events = ages.map((age) => eventOf("", { org: whose }, NOW - age * DAY));
      for (let at = 0; at < events.length; at += perHead) {
        await insertEvents(signing, events.slice(at, at + perHead));
        await sealEvents(signing, whose);
      }
      return events.map(({ id }) => id);
    },
    async kept() {
      return (await listEvents(signing, { org, limit: 5_000 })).map(({ id }) => id).toReversed();
    },
    async verify(query = "") {
      const { status, text, body } = await world.ask("owner", "GET", `/events/verify${query}`, { env: signing });
      if (status !== 200) throw new Error(text);
      return VerifyAnswer.parse(body);
    },
    changeRule: (days, legal_hold = false) =>
      putRetention(signing, { org, days, legal_hold, actor: "owner@acme.example" }),
    cutsOut: () =>
      lines.mock.calls
        .map(([line]) => JSON.parse(String(line)) as { message: string } & SignedCut)
        .filter(({ message }) => message === "audit.cut")
        .map(({ message: _, ...cut }) => cut),
  };
}
