// From D1 to the edge. KV has no transactions, so a publish reads D1 again after its put and repeats until both agree:
// whichever publisher is last puts the newest revision.
import type { Env } from "../env.ts";
import { adoptOrg } from "./edge.ts";
import { kvKeys, type OrgRecord } from "./records.ts";
import { newestRevision } from "./revisions.ts";

const KV_WRITE_INTERVAL_MS = 1_100;
const MAX_PUTS = 4;

export type Published = { published: true; revision: number } | { published: false; reason: string };

/** Puts the newest revision of `org` at the edge. Never throws: a failure is the admin's to see, and cron's to repair. */
export async function publishOrg(env: Env, org: string): Promise<Published> {
  try {
    let newest = await newestRevision(env, org);
    for (let puts = 0; newest && puts < MAX_PUTS; puts++) {
      if (puts > 0) await untilNextWrite();
      const { record } = newest;
      const put = await attemptPut(env, kvKeys.org(org), JSON.stringify(record));
      newest = await newestRevision(env, org);
      if (put && newest?.record.revision === record.revision) {
        await markPublished(env, [record]);
        adoptOrg(env, record);
        return { published: true, revision: record.revision };
      }
    }
    return { published: false, reason: newest ? "the edge store did not take the write" : "no such organization" };
  } catch {
    return { published: false, reason: "the database or the edge store did not answer" };
  }
}

/**
 * Puts records at the edge that are not `held` there already; like publishOrg, but D1 is read once for all of them, before
 * and after. One that is no longer the newest is published by itself. Returns the organizations that are not known to be
 * there now. Throws when D1 fails.
 */
export async function publishRecords(
  env: Env,
  records: readonly OrgRecord[],
  { held }: { held: ReadonlySet<OrgRecord> },
): Promise<readonly string[]> {
  if (records.length === 0) return [];
  const failed: string[] = [];
  const put: OrgRecord[] = [];
  // What was saved since they were read may be at the edge already; an older one must not take its place.
  const newest = await stillNewest(env, records);
  await Promise.all(
    records
      .filter((record) => newest.has(record.org))
      .map(async (record) => {
        const there = held.has(record) || (await attemptPut(env, kvKeys.org(record.org), JSON.stringify(record)));
        if (there) put.push(record);
        else failed.push(record.org);
      }),
  );
  const published = await markPublished(env, put);
  for (const record of put) if (published.has(record.org)) adoptOrg(env, record);
  for (const { org } of records)
    if (!published.has(org) && !failed.includes(org) && !(await publishOrg(env, org)).published) failed.push(org);
  return failed;
}

const IS_NEWEST = "r.value ->> 'revision' = (SELECT MAX(revision) FROM revisions WHERE org = r.value ->> 'org')";
const revisionsOf = (records: readonly OrgRecord[]) =>
  JSON.stringify(records.map(({ org, revision }) => ({ org, revision })));

/** Whose revision among these is the newest that D1 has. */
async function stillNewest(env: Env, records: readonly OrgRecord[]): Promise<ReadonlySet<string>> {
  const { results } = await env.DB.prepare(`SELECT r.value ->> 'org' AS id FROM json_each(?) r WHERE ${IS_NEWEST}`)
    .bind(revisionsOf(records))
    .all<{ id: string }>();
  return new Set(results.map(({ id }) => id));
}

/**
 * Keeps in D1 that the edge has taken these revisions; pages show a publish as outstanding until then. Returns whose
 * revision still is the newest; of the others nothing is kept.
 */
async function markPublished(env: Env, records: readonly OrgRecord[]): Promise<ReadonlySet<string>> {
  const { results } = await env.DB.prepare(
    `UPDATE orgs SET published_revision = r.value ->> 'revision' FROM json_each(?) r
     WHERE orgs.id = r.value ->> 'org' AND ${IS_NEWEST} RETURNING id`,
  )
    .bind(revisionsOf(records))
    .all<{ id: string }>();
  return new Set(results.map(({ id }) => id));
}

async function attemptPut(env: Env, key: string, value: string): Promise<boolean> {
  try {
    await env.CONFIG.put(key, value);
    return true;
  } catch {
    return false;
  }
}

/** Resolves when KV, which takes one write per second and key, takes the next of a key that was just written. */
export function untilNextWrite(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, KV_WRITE_INTERVAL_MS));
}
