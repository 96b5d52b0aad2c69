// What runs by the clock. Every minute: webhooks are served, by themselves, so that nothing waits for a receiver. Every
// few minutes: the edge is brought in step with D1, events are sealed that no consumer has seen, secrets are sealed anew
// where CREDENTIALS_KEY was replaced, and what is over is removed: sessions, events past retention.
import type { Env } from "../env.ts";
import { edgeHoldsCatalog, newestCatalog, publishCatalog } from "../store/catalogs.ts";
import { removeEndedSessions } from "../store/members.ts";
import { allOrgIds } from "../store/orgs.ts";
import { edgeHolds, markPublished, publishOrg } from "../store/publish.ts";
import { distrustKeys, repairKeys } from "../store/publish-key.ts";
import { resealCredentials } from "../store/reseal.ts";
import { resealWebhookSecrets } from "../store/reseal-webhooks.ts";
import { newestRevision } from "../store/revisions.ts";
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

/** Republishes whatever the edge lacks. One failure does not keep the rest from being repaired; it is thrown at the end. */
export async function repairEdge(env: Env): Promise<void> {
  const failures: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch {
      failures.push(what);
    }
  };
  await attempt("catalog", () => repairCatalog(env));
  for (const org of await allOrgIds(env)) {
    // Before the organization is published, so that what is sealed anew reaches the edge with it.
    await attempt(`credentials of ${org}`, () => resealCredentials(env, org));
    await attempt(`org ${org}`, () => repairOrg(env, org));
  }
  await attempt("webhook secrets", () => resealWebhookSecrets(env));
  await attempt("keys", () => repairKeys(env));
  await attempt("event chains", () => sealAllEvents(env));
  await attempt("retention", () => removeAllExpired(env, Date.now()));
  await attempt("sessions", () => removeEndedSessions(env));
  if (failures.length > 0) throw new Error(`not repaired: ${failures.join(", ")}`);
}

async function repairCatalog(env: Env): Promise<void> {
  const newest = await newestCatalog(env);
  if (newest && !(await edgeHoldsCatalog(env, newest))) await publishCatalog(env, newest);
}

async function repairOrg(env: Env, org: string): Promise<void> {
  const newest = await newestRevision(env, org);
  if (!newest) return;
  const held = await edgeHolds(env, newest.record);
  // D1 may have failed after the put; without this the pages would call it outstanding for good.
  if (held === "same") return markPublished(env, newest.record);
  // An organization that the edge has lost altogether has lost its keys as well.
  if (held === "nothing") await distrustKeys(env, org);
  const result = await publishOrg(env, org);
  if (!result.published) throw new Error(result.reason);
}
