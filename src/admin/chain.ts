// The chain of an organization's events as an auditor asks about it: verified in place, or streamed out to be verified
// elsewhere.
import type { Tip } from "../chain/links.ts";
import { type HeadProblem, type HeadStanding, type Proof, type Prover, prove } from "../chain/proof.ts";
import type { SignedCut } from "../chain/signed-cut.ts";
import { isGenuine, type PublicKey, type SignedHead } from "../chain/signed-head.ts";
import type { Env } from "../env.ts";
import { publicKeys } from "../store/audit-keys.ts";
import { countUnsealed, linkOf, newestHead, readHeads, readLinks, unlinkedEvents } from "../store/chain.ts";
import { beginningOf } from "../store/chain-cuts.ts";

const LINKS_PER_READ = 500;
/** As many links as one call walks; the next goes on behind them. */
const MAX_LINKS_PER_CALL = 20_000;
/** Signatures cost more than hashes, and the last that fits says all that those before it say. */
const MAX_HEADS_CHECKED = 20;
const MAX_UNLINKED_TOLD = 20;

export interface Verification extends Proof {
  /** Whether the walk reached the end of the chain. */
  readonly complete: boolean;
  /** What stands for the events that retention removed from the beginning; null where it removed none. */
  readonly removed: SignedCut | null;
  /** What became of the head that the caller holds; "removed" where retention removed its place. Null where there is none. */
  readonly held: HeadStanding | "removed" | null;
  /** Events that wait for their seal; they are not part of the proof. */
  readonly unsealed: number;
  /**
   * Events that claim to be sealed although no link names them: somebody put them in. At most twenty, and looked for only
   * where the walk reached the end of the chain.
   */
  readonly unlinked: readonly string[];
}

/**
 * Walks the chain from its beginning, or behind `from`, which the caller must have from an earlier verification; where
 * retention has removed that place since, from the beginning again. `held` is a signed head that the caller kept outside
 * the database.
 */
export async function verifyChain(
  env: Env,
  { org, from, held }: { org: string; from: Tip | null; held: SignedHead | null },
): Promise<Verification> {
  const beginning = await beginningOf(env, org);
  const start = from !== null && from.seq >= beginning.start.seq ? from : beginning.start;
  const keys = await publicKeys(env);
  const heads = await headsToCheck(env, { org, start, held });
  const prover = prove(start, { heads, keys });
  let complete = false;
  let walked = 0;
  for (let after = start.seq; walked < MAX_LINKS_PER_CALL; ) {
    const links = await readLinks(env, { org, after, limit: LINKS_PER_READ });
    const whole = prover.add(links.map(linkOf));
    walked += links.length;
    after = links.at(-1)?.seq ?? after;
    complete = links.length < LINKS_PER_READ;
    if (complete || !whole) break;
  }
  const [proof, unsealed, unlinked] = await Promise.all([
    prover.end(complete),
    countUnsealed(env, org),
    // It looks at every event of the organization: once, where a verification ends.
    complete ? unlinkedEvents(env, org, MAX_UNLINKED_TOLD) : [],
  ]);
  // What is missing may be what retention removed meanwhile.
  if (proof.broken && (await isCutBehind(env, org, start.seq))) return verifyChain(env, { org, from, held });
  const standing = held && (await standingOf(held, { prover, complete, beginning: beginning.start }));
  const forged: HeadProblem | null = held && standing === "not_genuine" ? { seq: held.seq, reason: standing } : null;
  const head_problem = (await cutProblem(beginning.cut, keys)) ?? proof.head_problem ?? forged;
  const ok = proof.ok && head_problem === null && unlinked.length === 0;
  const whole = complete && proof.broken === null;
  const told = { removed: beginning.cut, held: standing, unsealed, unlinked };
  return { ...proof, ok, head_problem, complete: whole, ...told };
}

async function standingOf(
  held: SignedHead,
  { prover, complete, beginning }: { prover: Prover; complete: boolean; beginning: Tip },
): Promise<HeadStanding | "removed"> {
  const standing = await prover.standingOf(held, complete);
  return standing === "not_reached" && held.seq < beginning.seq ? "removed" : standing;
}

/** A cut that none of the known keys signed stands for nothing: somebody else cut the beginning off. */
async function cutProblem(cut: SignedCut | null, keys: readonly PublicKey[]): Promise<HeadProblem | null> {
  return cut === null || (await isGenuine(cut, keys)) ? null : { seq: cut.seq, reason: "not_genuine" };
}

async function headsToCheck(
  env: Env,
  { org, start, held }: { org: string; start: Tip; held: SignedHead | null },
): Promise<SignedHead[]> {
  const [stored, newest] = await Promise.all([
    readHeads(env, { org, after: start.seq - 1, limit: MAX_HEADS_CHECKED }),
    newestHead(env, org),
  ]);
  return [...stored, ...(newest ? [newest] : []), ...(held ? [held] : [])];
}

/**
 * The chain as lines of JSON, oldest first, behind the place `after`: the keys, and the signed cut where the chain begins
 * behind one; its links; then its newest signed head. Throws where retention removes what is still to come: a file with
 * a gap in it would look as if somebody had tampered.
 */
export async function* exportChain(env: Env, { org, after }: { org: string; after: number }): AsyncGenerator<string> {
  const keys = await publicKeys(env);
  const head = await newestHead(env, org);
  const { removed, links: first } = await firstLinks(env, { org, after });
  yield `${JSON.stringify({ chain: org, after, keys, removed })}\n`;
  let last = removed?.seq ?? after;
  for (let links = first; links.length > 0; ) {
    yield links.map((link) => `${JSON.stringify(linkOf(link))}\n`).join("");
    last = links.at(-1)?.seq ?? last;
    links = await readLinks(env, { org, after: last, limit: LINKS_PER_READ });
    // What is missing for another reason is for the verifier to find.
    if (links[0]?.seq !== last + 1 && (await isCutBehind(env, org, last)))
      throw new Error("links were removed by retention while they were exported");
  }
  // The head from before the links, so that a chain whose end was cut off does not pass; or one that was signed while
  // they were read, where they reach it.
  const newer = await newestHead(env, org);
  const signed = newer && newer.seq <= last ? newer : head;
  if (signed) yield `${JSON.stringify({ head: signed })}\n`;
}

/** The links that an export begins with, and the cut that stands for what retention removed before them. */
async function firstLinks(env: Env, { org, after }: { org: string; after: number }) {
  for (;;) {
    const { start, cut } = await beginningOf(env, org);
    const removed = cut && cut.seq > after ? cut : null;
    const links = await readLinks(env, { org, after, limit: LINKS_PER_READ });
    const follows = links[0]?.seq === (removed?.seq ?? after) + 1;
    // Retention may have removed more between the two reads.
    if (follows || !(await isCutBehind(env, org, start.seq))) return { removed, links };
  }
}

/** Whether retention has removed anything behind `seq`. */
async function isCutBehind(env: Env, org: string, seq: number): Promise<boolean> {
  return (await beginningOf(env, org)).start.seq > seq;
}
