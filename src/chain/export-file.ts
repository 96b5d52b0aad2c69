// An exported chain, verified without the database that it came from: each line checked, the chain walked, its heads
// compared. Everything in the file is a claim; what is believed is the mathematics, and the keys and heads that the
// verifier brings along. Pure but for reading the lines.
import * as z from "zod";
import { type Break, START, type Tip } from "./links.ts";
import { type HeadProblem, type Proof, prove } from "./proof.ts";
import { SignedCut } from "./signed-cut.ts";
import { isGenuine, PublicKey, SignedHead } from "./signed-head.ts";

const LINKS_PER_STEP = 500;

const Hash = z.string().regex(/^[0-9a-f]{64}$/);
const Header = z.strictObject({
  chain: z.string(),
  after: z.number().int().nonnegative(),
  keys: z.array(PublicKey),
  /** What stands for the events that retention removed from the beginning. */
  removed: SignedCut.nullable(),
});
const Link = z.strictObject({ seq: z.number().int().positive(), prev_hash: Hash, hash: Hash, event: z.unknown() });
const Line = z.union([Link, z.strictObject({ head: SignedHead })]);

/** Why an export is not proven. */
export type Flaw =
  /** A line that is none of an export, counted from 1. */
  | { readonly kind: "unreadable"; readonly line: number }
  | { readonly kind: "broken"; readonly broken: Break }
  | { readonly kind: "head"; readonly seq: number; readonly reason: HeadProblem["reason"] | "other_organization" }
  /** A head that the verifier holds is of a place before the file begins. */
  | { readonly kind: "head_before"; readonly seq: number }
  /** The file begins behind this place, which the verifier did not expect. */
  | { readonly kind: "begins_late"; readonly after: number }
  /** No signed head: whoever can write to the database could have made all of it. */
  | { readonly kind: "unsigned" }
  /** Links stand behind the last signed head; anybody could have put them there. */
  | { readonly kind: "unsigned_end"; readonly from: number; readonly to: number };

export interface Verdict {
  readonly proven: boolean;
  readonly flaw: Flaw | null;
  /** Whose chain the file says it is. */
  readonly chain: string | null;
  readonly from: Tip;
  readonly to: Tip;
  readonly checked: number;
  readonly proven_by: SignedHead | null;
  /** What stands for the events before `from` that retention removed: a genuine cut. */
  readonly removed: SignedCut | null;
  /** Whether signatures were checked by keys that the verifier brought, or only by those that the file brings. */
  readonly keys: "given" | "of_the_file";
}

/** What the verifier brings along. */
export interface Held {
  readonly keys: readonly PublicKey[];
  readonly heads: readonly SignedHead[];
  /** Behind which place the file is known to begin; 0 is the chain's start. */
  readonly after: number;
}

/** Reads the file from its start each time it is called. */
export type Lines = () => AsyncIterable<string>;

interface Read {
  header: z.infer<typeof Header>;
  heads: SignedHead[];
  first: z.infer<typeof Link> | null;
}

/** Verifies an export; it is read twice, since what it ends with says what to look for. */
export async function verifyExport(lines: Lines, { keys: given, heads: held, after }: Held): Promise<Verdict> {
  const keys = given.length > 0 ? "given" : "of_the_file";
  const found = { from: START, to: START, checked: 0, proven_by: null, removed: null } as const;
  const nothing = { proven: false, chain: null, ...found, keys } as const;
  const read = await readThrough(lines);
  if ("unreadable" in read) return { ...nothing, flaw: { kind: "unreadable", line: read.unreadable } };
  const { header, first } = read;
  const unproven = { ...nothing, chain: header.chain };
  const heads = [...read.heads, ...held];
  const foreign = heads.find(({ org }) => org !== header.chain);
  if (foreign) return { ...unproven, flaw: { kind: "head", seq: foreign.seq, reason: "other_organization" } };
  const trusted = given.length > 0 ? given : header.keys;
  const cut = after === 0 ? header.removed : null;
  if (cut && cut.org !== header.chain)
    return { ...unproven, flaw: { kind: "head", seq: cut.seq, reason: "other_organization" } };
  if (cut && !(await isGenuine(cut, trusted)))
    return { ...unproven, flaw: { kind: "head", seq: cut.seq, reason: "not_genuine" } };
  const beginning: Tip = cut ? { seq: cut.seq, hash: cut.hash } : START;
  if (after === 0 && first && first.seq > beginning.seq + 1)
    return { ...unproven, flaw: { kind: "begins_late", after: first.seq - 1 } };
  const before = held.find(({ seq }) => seq < Math.max(after, beginning.seq));
  if (before) return { ...unproven, flaw: { kind: "head_before", seq: before.seq } };

  const hash = first?.prev_hash ?? heads.find(({ seq }) => seq === after)?.hash ?? START.hash;
  const from = after === 0 ? beginning : { seq: after, hash };
  const proof = await proofOf(lines, from, { heads, keys: trusted });
  const { to, checked, proven_by } = proof;
  const flaw = flawOf(proof);
  return { proven: flaw === null, flaw, chain: header.chain, from, to, checked, proven_by, removed: cut, keys };
}

function flawOf({ broken, head_problem, proven_by, to }: Proof): Flaw | null {
  if (broken) return { kind: "broken", broken };
  if (head_problem) return { kind: "head", ...head_problem };
  if (!proven_by) return { kind: "unsigned" };
  return proven_by.seq < to.seq ? { kind: "unsigned_end", from: proven_by.seq + 1, to: to.seq } : null;
}

/** What the file says of itself; or its first line that says nothing. */
async function readThrough(lines: Lines): Promise<Read | { unreadable: number }> {
  let header: Read["header"] | null = null;
  let first: Read["first"] = null;
  const heads: SignedHead[] = [];
  let at = 0;
  for await (const text of lines()) {
    at++;
    if (header === null) {
      const parsed = Header.safeParse(jsonOf(text));
      if (!parsed.success) return { unreadable: at };
      header = parsed.data;
      continue;
    }
    const line = Line.safeParse(jsonOf(text));
    if (!line.success) return { unreadable: at };
    if ("head" in line.data) heads.push(line.data.head);
    else first ??= line.data;
  }
  return header ? { header, heads, first } : { unreadable: 1 };
}

async function proofOf(lines: Lines, from: Tip, by: Parameters<typeof prove>[1]): Promise<Proof> {
  const prover = prove(from, by);
  let waiting: z.infer<typeof Link>[] = [];
  for await (const text of lines()) {
    const link = Link.safeParse(jsonOf(text));
    if (!link.success) continue;
    waiting.push(link.data);
    if (waiting.length < LINKS_PER_STEP) continue;
    if (!prover.add(waiting)) return prover.end(true);
    waiting = [];
  }
  prover.add(waiting);
  return prover.end(true);
}

/** Only what reads in one way, as it was written: with a field twice, others might read another than is verified here. */
function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}
