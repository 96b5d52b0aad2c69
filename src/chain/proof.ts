// What a walk of the chain proves, said with its evidence: that it is whole from one place to another, where it first
// breaks, and up to which signed head it is the same chain that was signed. The Worker says it of D1, the command line
// of an export.
import { type Break, type Link, type Tip, walk } from "./links.ts";
import { isGenuine, type PublicKey, type SignedHead } from "./signed-head.ts";

/** Why a signed head and a chain do not belong together. */
export type HeadProblem = {
  readonly seq: number;
  readonly reason: /** Signed by none of the known keys, or not what was signed. */
    | "not_genuine"
    /** The chain has another hash at that place: it was built anew. */
    | "other_chain"
    /** The chain ends before it: its end was cut off. */
    | "cut_off";
};

/** What a walk says of a signed head. */
export type HeadStanding =
  /** The chain that was walked is the one that was signed, up to its place. */
  | "borne_out"
  /** It is genuine, and its place is none that was walked. */
  | "not_reached"
  | HeadProblem["reason"];

export interface Proof {
  readonly ok: boolean;
  /** How many links were walked. */
  readonly checked: number;
  /** Behind which place the walk began, and where it ended. */
  readonly from: Tip;
  readonly to: Tip;
  readonly broken: Break | null;
  readonly head_problem: HeadProblem | null;
  /** The last signed head that the chain bears out; whoever holds it needs to trust nothing else up to there. */
  readonly proven_by: SignedHead | null;
}

export interface Prover {
  /** Takes the next links, in order; false once the chain is broken. */
  add(links: readonly Link[]): boolean;
  /** What stands proven when there are no more links; `complete` is false where the walk stopped before the end. */
  end(complete: boolean): Promise<Proof>;
  /** What stands then of one of the heads, which is checked wherever its place is. */
  standingOf(head: SignedHead, complete: boolean): Promise<HeadStanding>;
}

/** Proves a chain that begins behind `from` by those of `heads` that are within it. */
export function prove(
  from: Tip,
  { heads, keys }: { heads: readonly SignedHead[]; keys: readonly PublicKey[] },
): Prover {
  let tip = from;
  let checked = 0;
  let broken: Break | null = null;
  const wanted = new Set(heads.map(({ seq }) => seq));
  const hashes = new Map<number, string>([[from.seq, from.hash]]);

  return {
    add(links) {
      if (broken) return false;
      const walked = walk(links, tip);
      if (!walked.ok) {
        broken = walked.broken;
        return false;
      }
      for (const { seq, hash } of links) if (wanted.has(seq)) hashes.set(seq, hash);
      checked += links.length;
      tip = walked.tip;
      return true;
    },

    async end(complete) {
      let proven: SignedHead | null = null;
      let problem: HeadProblem | null = null;
      for (const head of [...heads].sort((a, b) => a.seq - b.seq)) {
        if (isOutside(head, complete)) continue;
        const reason = await whyNot(head);
        if (reason === null) proven = head;
        else problem ??= { seq: head.seq, reason };
      }
      return { ok: !broken && !problem, checked, from, to: tip, broken, head_problem: problem, proven_by: proven };
    },

    async standingOf(head, complete) {
      if (!isOutside(head, complete)) return (await whyNot(head)) ?? "borne_out";
      return (await isGenuine(head, keys)) ? "not_reached" : "not_genuine";
    },
  };

  function isOutside({ seq }: SignedHead, complete: boolean): boolean {
    return seq < from.seq || (seq > tip.seq && (broken !== null || !complete));
  }

  async function whyNot(head: SignedHead): Promise<HeadProblem["reason"] | null> {
    if (!(await isGenuine(head, keys))) return "not_genuine";
    if (head.seq > tip.seq) return "cut_off";
    return hashes.get(head.seq) === head.hash ? null : "other_chain";
  }
}
