// Retention: events that are older than their organization keeps them are removed from the beginning of its chain, in
// bounded steps. What is removed has been verified first, and a signed cut stands for it. Kept longer are events that
// wait for their seal, events behind a younger one, and everything where no key signs or the chain does not verify.
import * as z from "zod";
import type { Link } from "../chain/links.ts";
import { prove } from "../chain/proof.ts";
import { type SignedCut, signCut } from "../chain/signed-cut.ts";
import { isGenuine, type Signer } from "../chain/signed-head.ts";
import type { Env } from "../env.ts";
import { publicKeys, signerOfEnv } from "../store/audit-keys.ts";
import { linkOf, readHeads, readLinks } from "../store/chain.ts";
import { beginningOf, removeUpTo } from "../store/chain-cuts.ts";
import { orgsWithDueEvents, removedBefore, removeReplayedLetters, retentionOf } from "../store/retention.ts";
import { timestamp } from "../store/secrets.ts";
import { shareOf, turnOf } from "../store/turns.ts";

/** Each step asks D1 nine times. */
const ORGS_PER_RUN = 20;
const STEPS_PER_RUN = 20;
const LINKS_PER_STEP = 500;
/** The rest goes in the next run, so that one organization does not keep the others waiting. */
const STEPS_AT_ONCE = 4;
const LETTERS_PER_RUN = 500;

/** What decides an event's age. It is under the hash, as the columns beside the event are not. */
const Dated = z.object({ at: z.iso.datetime() });

/**
 * Removes what is due of the organizations whose turn it is, and of events of none. What fails keeps nobody waiting; it is
 * thrown at the end.
 */
export async function removeAllExpired(env: Env, now: number): Promise<void> {
  const failed: string[] = [];
  const turn = turnOf(await orgsWithDueEvents(env, now), { now, perRun: ORGS_PER_RUN });
  for (const org of turn)
    await removeExpired(env, org, now, { steps: shareOf(STEPS_PER_RUN, turn.length) }).catch(() => {
      failed.push(org ?? "events of no organization");
      console.error(JSON.stringify({ message: "audit.not_removed", org }));
    });
  await removeReplayedLetters(env, { now, limit: LETTERS_PER_RUN });
  if (failed.length > 0) throw new Error(`not removed: ${failed.join(", ")}`);
}

/**
 * Removes what is due at `now` (epoch milliseconds), in at most so many steps; how many events went. Throws where the chain
 * does not verify.
 */
export async function removeExpired(
  env: Env,
  org: string | null,
  now: number,
  { steps = STEPS_AT_ONCE }: { steps?: number } = {},
): Promise<number> {
  const signer = await signerOfEnv(env);
  const rule = await retentionOf(env, org);
  const before = removedBefore(rule, now);
  if (signer === null || before === null) return 0;
  let removed = 0;
  for (let step = 0; step < Math.min(steps, STEPS_AT_ONCE); step++) {
    const cut = await nextCut(env, { org, before, now, signer });
    const gone = cut === null ? 0 : await removeUpTo(env, cut, rule);
    if (cut === null || gone === 0) break;
    removed += gone;
    // Like a head, it leaves the database at once.
    console.log(JSON.stringify({ message: "audit.cut", ...cut }));
  }
  return removed;
}

/** The cut behind the links that are due, as far as one step goes; null when none is. Throws where they do not verify. */
async function nextCut(
  env: Env,
  { org, before, now, signer }: { org: string | null; before: string; now: number; signer: Signer },
): Promise<SignedCut | null> {
  const { start, cut } = await beginningOf(env, org);
  const links = await readLinks(env, { org, after: start.seq, limit: LINKS_PER_STEP });
  const due = dueOf(links.map(linkOf), before);
  if (due.length === 0) return null;
  const keys = await publicKeys(env);
  const heads = await readHeads(env, { org, after: start.seq, limit: LINKS_PER_STEP });
  const prover = prove(start, { heads, keys });
  prover.add(due);
  const { ok, to } = await prover.end(false);
  const genuine = cut === null || (await isGenuine(cut, keys));
  // Removing it would remove the evidence, and another cut in its place would make a forged one good.
  if (!ok || !genuine) throw new Error("the chain does not verify");
  return signCut(signer, org, { tip: to, removedBefore: before, at: timestamp(now) });
}

/** The links at the beginning that are older than `before`. One whose age cannot be read ends them. */
function dueOf(links: readonly Link[], before: string): readonly Link[] {
  const end = links.findIndex(({ event }) => {
    const dated = Dated.safeParse(event);
    return !dated.success || Date.parse(dated.data.at) >= Date.parse(before);
  });
  return end === -1 ? links : links.slice(0, end);
}
