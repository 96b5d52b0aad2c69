// From D1 to the edge, for organizations that it lacks or holds otherwise, however many: what they have in common is asked
// of D1 once for all of them. Before that, keys that an earlier CREDENTIALS_KEY sealed are sealed anew, so that they reach
// the edge with it.
import type { Env } from "../env.ts";
import { edgeValues } from "./edge-values.ts";
import { allPublications, type Publication } from "./orgs.ts";
import { publishRecords } from "./publish.ts";
import { distrustKeys } from "./publish-key.ts";
import { kvKeys, type OrgRecord } from "./records.ts";
import { resealCredentials } from "./reseal.ts";
import { newestRevision } from "./revisions.ts";
import { turnOf } from "./turns.ts";

/** Each asks D1 once, and KV once where the edge lacks it. */
const ORGS_PER_RUN = 200;
const OUTSTANDING_PER_RUN = 50;
/** Together they ask D1 three times more; their records are in memory at the same time. */
const ORGS_AT_ONCE = 25;
/** Each asks D1 three times. */
const RESEALED_PER_RUN = 60;

/**
 * Republishes organizations whose turn it is at `now` (epoch milliseconds), and those known to be outstanding. One failure
 * does not keep the rest from being repaired; returns what failed. Throws when nothing can be done.
 */
export async function repairOrgs(env: Env, now: number): Promise<readonly string[]> {
  const due = dueOf(await allPublications(env), now);
  const failures: string[] = [];
  let resealed = 0;

  const newestRecord = async (org: string): Promise<OrgRecord | undefined> => {
    const stored = await newestRevision(env, org);
    if (!stored || resealed === RESEALED_PER_RUN) return stored?.record;
    const { newest, unreadable } = await resealCredentials(env, stored);
    if (newest !== stored) resealed++;
    if (unreadable.length > 0) failures.push(`credentials of ${org}`);
    return newest.record;
  };

  for (let at = 0; at < due.length; at += ORGS_AT_ONCE) {
    const some = due.slice(at, at + ORGS_AT_ONCE);
    const records: OrgRecord[] = [];
    const fail = (org: string) => failures.push(`org ${org}`);
    for (const { id } of some)
      try {
        const record = await newestRecord(id);
        if (record) records.push(record);
      } catch {
        fail(id);
      }
    const failed = await bringInStep(env, records, some).catch(() => records.map(({ org }) => org));
    failed.forEach(fail);
  }
  return failures;
}

/** What is known to be outstanding waits for no turn. */
function dueOf(all: readonly Publication[], now: number): readonly Publication[] {
  const outstanding = all.filter((org) => org.outstanding === 1).slice(0, OUTSTANDING_PER_RUN);
  return [...new Set([...outstanding, ...turnOf(all, { now, perRun: ORGS_PER_RUN })])];
}

/** Puts at the edge what it does not hold as it should be. Returns the organizations that are not known to be there now. */
async function bringInStep(
  env: Env,
  records: readonly OrgRecord[],
  publications: readonly Publication[],
): Promise<readonly string[]> {
  const held = await edgeValues(
    env,
    records.map(({ org }) => kvKeys.org(org)),
  );
  const heldOf = ({ org }: OrgRecord) => held.get(kvKeys.org(org)) ?? null;
  const published = new Map(publications.map(({ id, published_revision }) => [id, published_revision]));
  // An organization that the edge has lost altogether has lost its keys as well.
  const lost = records.filter((record) => heldOf(record) === null).map(({ org }) => org);
  if (lost.length > 0) await distrustKeys(env, lost);
  const inStep = new Set(records.filter((record) => heldOf(record) === JSON.stringify(record)));
  // D1 may have failed after a put; what it does not know to be there would be called outstanding for good.
  const isKnown = ({ org, revision }: OrgRecord) => (published.get(org) ?? 0) >= revision;
  return publishRecords(
    env,
    records.filter((record) => !(inStep.has(record) && isKnown(record))),
    { held: inStep },
  );
}
