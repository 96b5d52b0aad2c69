// Clients that keep asking while something is broken, and an admin who keeps changing the policy.
import { setTimeout as pause } from "node:timers/promises";
import { DEMO_ORG } from "../../../src/cli/seed.ts";
import { ASKS, type Ask, ask, type Client, type Outcome } from "./asks.ts";
import type { ChaosStack } from "./stack.ts";

const CLIENTS = 8;
const BETWEEN_ASKS_MS = 40;
const BETWEEN_SAVES_MS = 500;

export type Asked = Outcome & { ask: Ask };

/** A revision, and when it was known to be at the edge. */
export interface Enforced {
  revision: number;
  at: number;
}

let number = 0;

/** Everything that clients were answered from now until `work` is done. */
export async function underLoad(
  clients: readonly Client[],
  { random, work }: { random: () => number; work: () => Promise<void> },
): Promise<Asked[]> {
  const asked: Asked[] = [];
  let over = false;
  const keepAsking = async () => {
    while (!over) {
      const chosen = ASKS[Math.floor(random() * ASKS.length)] as Ask;
      const client = clients[number % clients.length] as Client;
      asked.push({ ...(await ask(chosen, client, number++)), ask: chosen });
      await pause(BETWEEN_ASKS_MS);
    }
  };
  const asking = Promise.all(Array.from({ length: CLIENTS }, keepAsking));
  try {
    await work();
  } finally {
    over = true;
    await asking;
  }
  return asked;
}

/** Saves the policy again and again until `over()`, each time a little different; what reached the edge, and when. */
export async function keepSaving({ owner, url, credentials }: ChaosStack, over: () => boolean): Promise<Enforced[]> {
  const enforced: Enforced[] = [];
  const path = `/orgs/${DEMO_ORG}/policy`;
  for (let blocked = false; !over(); blocked = !blocked) {
    try {
      const { body } = await owner.call("GET", path);
      const { policy, revision } = body as { policy: { models: object }; revision: number };
      const models = { allow: [], block: blocked ? ["gpt-4"] : [] };
      const saved = await fetch(`${url}/admin/api${path}`, {
        method: "PUT",
        headers: {
          authorization: `Bearer ${credentials.owner_token}`,
          "content-type": "application/json",
          "if-match": `"${revision}"`,
        },
        body: JSON.stringify({ ...policy, models }),
        signal: AbortSignal.timeout(5_000),
      });
      const answer = (await saved.json()) as { revision: number; published: boolean };
      if (saved.ok && answer.published) enforced.push({ revision: answer.revision, at: Date.now() });
    } catch {
      // D1 or the Worker is down: then nothing is saved.
    }
    await pause(BETWEEN_SAVES_MS);
  }
  return enforced;
}
