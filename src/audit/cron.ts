// What runs by the clock. Every minute: webhooks are served, by themselves, so that nothing waits for a receiver. Every
// few minutes: the edge is brought in step with D1, events are sealed that no consumer has seen, secrets are sealed anew
// where CREDENTIALS_KEY was replaced, and what is over is removed: sessions, events past retention.
import type { Env } from "../env.ts";
import { edgeHoldsCatalog, newestCatalog, publishCatalog } from "../store/catalogs.ts";
import { removeEndedSessions } from "../store/members.ts";
import { allPublications, type Publication } from "../store/orgs.ts";
import { edgeHolds, markPublished, publishOrg } from "../store/publish.ts";
import { distrustKeys, repairKeys } from "../store/publish-key.ts";
import type { OrgRecord } from "../store/records.ts";
import { resealCredentials } from "../store/reseal.ts";
import { resealWebhookSecrets } from "../store/reseal-webhooks.ts";
import { newestRevision } from "../store/revisions.ts";
import { turnOf } from "../store/turns.ts";
import { deliverWebhooks } from "./deliver.ts";
import { removeAllExpired } from "./retention.ts";
import { sealAllEvents } from "./seal.ts";

/** As wrangler.toml has it; any other is for the repairs. */
export const EVERY_MINUTE = "* * * * *";

/** A backlog is worked off until the next run takes over. */
const DELIVERY_MS = 55_000;

/** Each asks D1 and KV once; seven times where the edge lacks it. */
const ORGS_PER_RUN = 200;
const OUTSTANDING_PER_RUN = 50;

/** Does what a cron trigger is for. */
export async function runCron(cron: string, env: Env): Promise<void> {
  return cron === EVERY_MINUTE ? deliverWebhooks(env, { limits: { runMs: DELIVERY_MS } }) : repairEdge(env);
}

/**
 * Republishes whatever the edge lacks, and does what else is due at `now` (epoch milliseconds). One failure does not keep
 * the rest from being repaired; it is thrown at the end. Organizations have their turns, so that however many there are
 * no job is left out for good.
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
  await attempt("organizations", async () => {
    for (const { id, published_revision } of dueOf(await allPublications(env), now))
      await attempt(`org ${id}`, async () => {
        const stored = await newestRevision(env, id);
        if (!stored) return;
        // Before the organization is published, so that what is sealed anew reaches the edge with it.
        const { newest, unreadable } = await resealCredentials(env, stored);
        if (unreadable.length > 0) failures.push(`credentials of ${id}`);
        await repairOrg(env, newest.record, published_revision);
      });
  });
  // Behind the organizations, whose repair may tell of keys that are lost.
  await attempt("keys", () => repairKeys(env, now));
  if (failures.length > 0) throw new Error(`not repaired: ${failures.join(", ")}`);
}

/** What is known to be outstanding waits for no turn. */
function dueOf(all: readonly Publication[], now: number): ReadonlySet<Publication> {
  const outstanding = all.filter((org) => org.outstanding === 1).slice(0, OUTSTANDING_PER_RUN);
  return new Set([...outstanding, ...turnOf(all, { now, perRun: ORGS_PER_RUN })]);
}

async function repairCatalog(env: Env): Promise<void> {
  const newest = await newestCatalog(env);
  if (newest && !(await edgeHoldsCatalog(env, newest))) await publishCatalog(env, newest);
}

async function repairOrg(env: Env, record: OrgRecord, publishedRevision: number): Promise<void> {
  const held = await edgeHolds(env, record);
  if (held === "same") {
    // D1 may have failed after the put; without this the pages would call it outstanding for good.
    if (publishedRevision < record.revision) await markPublished(env, record);
    return;
  }
  // An organization that the edge has lost altogether has lost its keys as well.
  if (held === "nothing") await distrustKeys(env, record.org);
  const result = await publishOrg(env, record.org);
  if (!result.published) throw new Error(result.reason);
}
