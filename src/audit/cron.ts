// What runs by the clock. Every minute: webhooks are served, by themselves, so that nothing waits for a receiver. Every
// few minutes: the edge is brought in step with D1, events are sealed that no consumer has seen, secrets are sealed anew
// where CREDENTIALS_KEY was replaced, and what is over is removed: sessions, events past retention.
import type { Env } from "../env.ts";
import { edgeHoldsCatalog, newestCatalog, publishCatalog } from "../store/catalogs.ts";
import { removeEndedSessions } from "../store/members.ts";
import { repairKeys } from "../store/publish-key.ts";
import { repairOrgs } from "../store/repair-orgs.ts";
import { resealWebhookSecrets } from "../store/reseal-webhooks.ts";
import { deliverWebhooks } from "./deliver.ts";
import { removeAllExpired } from "./retention.ts";
import { sealAllEvents } from "./seal.ts";

/** As wrangler.toml has it; any other is for the repairs. */
export const EVERY_MINUTE = "* * * * *";

/** A backlog is worked off until the next run takes over. */
const DELIVERY_MS = 55_000;

/** Does what a cron trigger is for. */
export async function runCron(cron: string, env: Env): Promise<void> {
  return cron === EVERY_MINUTE ? deliverWebhooks(env, { limits: { runMs: DELIVERY_MS } }) : repairEdge(env);
}

/**
 * Republishes whatever the edge lacks, and does what else is due at `now` (epoch milliseconds). One failure does not keep
 * the rest from being repaired; it is thrown at the end. Each job has its share of the thousand times that an invocation
 * may ask D1, so that the last one has it too: what is more has its turn later.
 */
export async function repairEdge(env: Env, now = Date.now()): Promise<void> {
  const failures: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch {
      failures.push(what);
    }
  };
  await attempt("catalog", () => repairCatalog(env));
  await attempt("webhook secrets", () => resealWebhookSecrets(env));
  await attempt("sessions", () => removeEndedSessions(env));
  await attempt("event chains", () => sealAllEvents(env, now));
  await attempt("retention", () => removeAllExpired(env, now));
  await attempt("organizations", async () => void failures.push(...(await repairOrgs(env, now))));
  // Behind the organizations, whose repair may tell of keys that are lost.
  await attempt("keys", () => repairKeys(env, now));
  if (failures.length > 0) throw new Error(`not repaired: ${failures.join(", ")}`);
}

async function repairCatalog(env: Env): Promise<void> {
  const newest = await newestCatalog(env);
  if (newest && !(await edgeHoldsCatalog(env, newest))) await publishCatalog(env, newest);
}
