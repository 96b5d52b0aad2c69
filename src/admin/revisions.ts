// Revisions as they are explained: each beside the one before it, any two beside each other. Shared by the JSON API and
// the pages.
import type { Env } from "../env.ts";
import { findRevision, listRevisions, type Revision } from "../store/revisions.ts";
import { type Difference, differenceBetween, NOTHING } from "./difference.ts";
import { Problem } from "./problem.ts";

/** What a revision's number looks like, in a path or a cursor. */
export const REVISION_PATTERN = /^[1-9]\d{0,14}$/;

export interface ExplainedRevision extends Revision {
  /** Against the revision before. */
  difference: Difference[];
}

/** At most `limit` revisions, newest first, below `before`. */
export async function explainedRevisions(
  env: Env,
  { org, before, limit }: { org: string; before: number; limit: number },
): Promise<ExplainedRevision[]> {
  const rows = await listRevisions(env, { org, before, limit: limit + 1 });
  return rows
    .slice(0, limit)
    .map((row, index) => ({ ...row, difference: differenceBetween(rows[index + 1]?.record ?? NOTHING, row.record) }));
}

/** The revision that a path names. Throws 404, as for one of another organization. */
export async function revisionNamed(env: Env, org: string, given: string): Promise<Revision> {
  const found = REVISION_PATTERN.test(given) ? await findRevision(env, org, Number(given)) : null;
  return found ?? noSuchRevision(given);
}

/** The same beside the one before it. */
export async function explainedRevision(env: Env, org: string, given: string): Promise<ExplainedRevision> {
  const before = REVISION_PATTERN.test(given) ? Number(given) + 1 : 0;
  const [found] = await explainedRevisions(env, { org, before, limit: 1 });
  return found?.record.revision === before - 1 ? found : noSuchRevision(given);
}

function noSuchRevision(given: string): never {
  throw new Problem({
    status: 404,
    code: "not_found",
    detail: `The organization has no revision ${given.slice(0, 20)}.`,
  });
}
