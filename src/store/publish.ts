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
        await markPublished(env, record);
        adoptOrg(env, record);
        return { published: true, revision: record.revision };
      }
    }
    return { published: false, reason: newest ? "the edge store did not take the write" : "no such organization" };
  } catch {
    return { published: false, reason: "the database or the edge store did not answer" };
  }
}

/** Keeps in D1 that the edge has taken a revision; pages show a publish as outstanding until then. */
export async function markPublished(env: Env, { org, revision }: Pick<OrgRecord, "org" | "revision">): Promise<void> {
  await env.DB.prepare("UPDATE orgs SET published_revision = ? WHERE id = ? AND published_revision < ?")
    .bind(revision, org, revision)
    .run();
}

/** Whether the edge holds exactly the record that D1 has. Throws when either cannot be read. */
export async function edgeHolds(env: Env, record: OrgRecord): Promise<"same" | "different" | "nothing"> {
  const raw = await env.CONFIG.get(kvKeys.org(record.org), "text");
  if (raw === null) return "nothing";
  return raw === JSON.stringify(record) ? "same" : "different";
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
