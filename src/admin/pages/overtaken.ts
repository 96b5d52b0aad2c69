// What others saved since a form was opened.
import type { Env } from "../../env.ts";
import { listRevisions, type Revision } from "../../store/revisions.ts";

/** As many revisions of others as a conflict recounts. */
const MAX_RECOUNTED = 10;

/** The revisions after `base`, newest first. */
export async function savedSince(env: Env, base: number, { org, revision }: Revision["record"]): Promise<Revision[]> {
  if (base >= revision) return [];
  return listRevisions(env, { org, before: revision + 1, limit: Math.min(revision - base, MAX_RECOUNTED) });
}
