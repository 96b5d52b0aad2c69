// The chain of an organization's events as an auditor asks about it: verified in place, or streamed out to be verified
// elsewhere.
import { START, type Tip } from "../chain/links.ts";
import { type Proof, prove } from "../chain/proof.ts";
import type { SignedHead } from "../chain/signed-head.ts";
import type { Env } from "../env.ts";
import { publicKeys } from "../store/audit-keys.ts";
import { countUnsealed, newestHead, readHeads, readLinks, unlinkedEvents } from "../store/chain.ts";

const LINKS_PER_READ = 500;
/** As many links as one call walks; the next goes on behind them. */
const MAX_LINKS_PER_CALL = 20_000;
/** Signatures cost more than hashes, and the last that fits says all that those before it say. */
const MAX_HEADS_CHECKED = 20;
const MAX_UNLINKED_TOLD = 20;

export interface Verification extends Proof {
  /** Whether the walk reached the end of the chain. */
  readonly complete: boolean;
  /** Events that wait for their seal; they are not part of the proof. */
  readonly unsealed: number;
  /** Events that claim to be sealed although no link names them: somebody put them in. At most twenty. */
  readonly unlinked: readonly string[];
}

/**
 * Walks the chain from its beginning, or behind `from`, which the caller must have from an earlier verification. `held`
 * is a signed head that the caller kept outside the database.
 */
export async function verifyChain(
  env: Env,
  { org, from, held }: { org: string; from: Tip | null; held: SignedHead | null },
): Promise<Verification> {
  const start = from ?? (await beginningOf(env, org));
  const heads = await headsToCheck(env, { org, start, held });
  const prover = prove(start, { heads, keys: await publicKeys(env) });
  let complete = false;
  let walked = 0;
  for (let after = start.seq; walked < MAX_LINKS_PER_CALL; ) {
    const links = await readLinks(env, { org, after, limit: LINKS_PER_READ });
    const whole = prover.add(links.map(({ event, ...seal }) => ({ ...seal, event: parsed(event) })));
    walked += links.length;
    after = links.at(-1)?.seq ?? after;
    complete = links.length < LINKS_PER_READ;
    if (complete || !whole) break;
  }
  const [proof, unsealed, unlinked] = await Promise.all([
    prover.end(complete),
    countUnsealed(env, org),
    unlinkedEvents(env, org, MAX_UNLINKED_TOLD),
  ]);
  const ok = proof.ok && unlinked.length === 0;
  return { ...proof, ok, complete: complete && proof.broken === null, unsealed, unlinked };
}

/** Behind which place the chain begins: its start, or what retention removed, where a signed head stands for that. */
async function beginningOf(env: Env, org: string): Promise<Tip> {
  const [first] = await readLinks(env, { org, after: 0, limit: 1 });
  if (!first || first.seq === 1) return START;
  const [cut] = await readHeads(env, { org, after: first.seq - 2, limit: 1 });
  return cut?.seq === first.seq - 1 ? { seq: cut.seq, hash: cut.hash } : START;
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

/** What is no JSON was tampered with: as good as gone. */
function parsed(event: string | null): unknown {
  try {
    return event === null ? null : JSON.parse(event);
  } catch {
    return null;
  }
}

/** The chain as lines of JSON, oldest first, behind the place `after`: its links, then its newest signed head. */
export async function* exportChain(env: Env, { org, after }: { org: string; after: number }): AsyncGenerator<string> {
  const keys = await publicKeys(env);
  const head = await newestHead(env, org);
  yield `${JSON.stringify({ chain: org, after, keys })}\n`;
  let last = after;
  for (;;) {
    const links = await readLinks(env, { org, after: last, limit: LINKS_PER_READ });
    if (links.length === 0) break;
    yield links.map(({ event, ...seal }) => `${JSON.stringify({ ...seal, event: parsed(event) })}\n`).join("");
    last = links.at(-1)?.seq ?? last;
  }
  // The head from before the links, so that a chain whose end was cut off does not pass; or one that was signed while
  // they were read, where they reach it.
  const newer = await newestHead(env, org);
  const signed = newer && newer.seq <= last ? newer : head;
  if (signed) yield `${JSON.stringify({ head: signed })}\n`;
}
