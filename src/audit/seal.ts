// Seals events into their organization's chain, and lets each head out of the database at once. The consumer seals what
// it stores, cron what only the direct insert brought; whoever is late finds the chain longer, and goes on from there.
import { START, sealAll } from "../chain/links.ts";
import { type SignedHead, type Signer, signHead } from "../chain/signed-head.ts";
import type { Env } from "../env.ts";
import { signerOfEnv } from "../store/audit-keys.ts";
import { appendSeals, chainTip, newestHead, orgsToSeal, storeHead, unsealedEvents } from "../store/chain.ts";
import { timestamp } from "../store/secrets.ts";
import { shareOf, turnOf } from "../store/turns.ts";

const EVENTS_PER_SEALING = 200;
/** Of cron's. Each sealing asks D1 five times. */
const ORGS_PER_RUN = 40;
const SEALINGS_PER_RUN = 40;
/** As often as another writer may be faster before the rest is left to whoever that was, or to the next run. */
const MAX_LOST_RACES = 20;

/**
 * Seals whatever an organization has unsealed, or so much of it as so many sealings hold. Throws when D1 fails; what is
 * sealed by then stays.
 */
export async function sealEvents(env: Env, org: string | null, sealings = Number.POSITIVE_INFINITY): Promise<void> {
  const signer = await signerOfEnv(env);
  for (let tried = 0, lost = 0; tried < sealings && lost < MAX_LOST_RACES; tried++) {
    // The end first: whoever adds to the chain after this is noticed by the number that both then want.
    const tip = (await chainTip(env, org)) ?? START;
    const waiting = await unsealedEvents(env, org, { now: timestamp(), limit: EVENTS_PER_SEALING });
    if (waiting.length === 0) return signLast(env, org, signer);
    const seals = sealAll(
      waiting.map(({ event }) => JSON.parse(event)),
      tip,
    ).map((seal, index) => ({
      ...seal,
      event: waiting[index]?.id ?? "",
      at_least: waiting[index]?.at_least ?? null,
    }));
    const last = seals.at(-1) ?? tip;
    const head = signer && (await signHead(signer, org, last, timestamp()));
    if (!(await appendSeals(env, org, seals, head))) {
      lost++;
      continue;
    }
    if (head) letOut(head);
    if (waiting.length < EVENTS_PER_SEALING) return;
  }
}

/**
 * Seals what organizations have unsealed whose turn it is at `now` (epoch milliseconds). One that cannot be sealed keeps
 * no other waiting; it is thrown at the end.
 */
export async function sealAllEvents(env: Env, now: number): Promise<void> {
  const failed: string[] = [];
  const turn = turnOf(await orgsToSeal(env), { now, perRun: ORGS_PER_RUN });
  for (const org of turn)
    await sealEvents(env, org, shareOf(SEALINGS_PER_RUN, turn.length)).catch(() => {
      failed.push(org ?? "events of no organization");
    });
  if (failed.length > 0) throw new Error(`not sealed: ${failed.join(", ")}`);
}

/** A chain whose newest links no head covers, because there was no key when they were sealed, gets one. */
async function signLast(env: Env, org: string | null, signer: Signer | null): Promise<void> {
  if (!signer) return;
  const [tip, signed] = await Promise.all([chainTip(env, org), newestHead(env, org)]);
  if (!tip || (signed && signed.seq >= tip.seq)) return;
  const head = await signHead(signer, org, tip, timestamp());
  await storeHead(env, head);
  letOut(head);
}

/** The head leaves the database: the log line is kept by whoever collects the Worker's logs. */
function letOut(head: SignedHead): void {
  console.log(JSON.stringify({ message: "audit.head", ...head }));
}
