// Sends sealed events to the organizations' webhooks: a step of its own, behind a nudge after sealing and every minute by
// cron, so that no receiver delays the sealing. Each webhook has its own place in the chain; what a receiver has not
// accepted is sent again, and nothing behind it before.
import type { Env } from "../env.ts";
import { newestHeadUpTo, readLinks } from "../store/chain.ts";
import { ANSWER_TIMEOUT_MS, type Answer, callReceiver, isAccepted, noAnswer } from "../store/receiver.ts";
import { timestamp } from "../store/secrets.ts";
import { dueWebhooks, type Leased, returnLease, takeLease } from "../store/webhook-lease.ts";
import { eventMessage, headMessage, type Message, signMessage, storedEvent } from "../store/webhook-message.ts";
import { type Receiver, receiverOf } from "../store/webhook-receiver.ts";
import { type Ended, refusesHeads, scheduleAfter } from "./attempts.ts";

/** What a run may take. */
const LIMITS = {
  /** A promise given to waitUntil has thirty seconds, the last answer included. */
  runMs: 18_000,
  answerMs: ANSWER_TIMEOUT_MS,
  /** Its holder stops before it ends; only one that died loses it. */
  leaseMs: 60_000,
  eventsPerLease: 50,
  /** Each asks D1 four times or more, and an invocation may ask it a thousand times. */
  webhooks: 200,
};
type Limits = Readonly<typeof LIMITS>;

/** An invocation has six connections at once. Receivers that fail share two, so that they keep no other one waiting. */
const FOR_HEALTHY = 4;
const FOR_FAILING = 2;

/**
 * Sends what is due: of some organizations, or of all. One webhook that cannot be served keeps no other waiting; it is
 * thrown at the end.
 */
export async function deliverWebhooks(
  env: Env,
  { orgs = null, limits = {} }: { orgs?: readonly string[] | null; limits?: Partial<Limits> } = {},
): Promise<void> {
  const within = { ...LIMITS, ...limits };
  const end = Date.now() + within.runMs;
  const due = await dueWebhooks(env, { orgs, limit: within.webhooks });
  const failed: string[] = [];
  const work = async (ids: string[]) => {
    for (let id = ids.shift(); id !== undefined && Date.now() < end; id = ids.shift()) {
      const more = await deliverOne(env, id, { end, ...within }).catch(() => {
        failed.push(id as string);
        return false;
      });
      // Behind the others: a long backlog waits its turn.
      if (more) ids.push(id);
    }
  };
  const idsOf = (failing: boolean) => due.filter((each) => each.failing === failing).map(({ id }) => id);
  const [healthy, failing] = [idsOf(false), idsOf(true)];
  await Promise.all([
    ...Array.from({ length: FOR_HEALTHY }, () => work(healthy)),
    ...Array.from({ length: FOR_FAILING }, () => work(failing)),
  ]);
  if (failed.length > 0) throw new Error(`webhooks not served: ${failed.join(", ")}`);
}

/** Sends some events of one webhook, unless somebody else does; whether there may be more. */
async function deliverOne(env: Env, id: string, limits: Limits & { end: number }): Promise<boolean> {
  const leased = await takeLease(env, id, limits.leaseMs);
  if (!leased) return false;
  const { webhook } = leased;
  const receiver = receiverOf(env, webhook);
  const sent = receiver.ok ? await sendFrom(env, leased, { receiver, ...limits }) : notSent(leased, receiver.why);
  const now = Date.now();
  const { delivered_seq, head_seq, answer, settled, more } = sent;
  const progressed = delivered_seq > webhook.delivered_seq || head_seq > webhook.head_seq;
  const schedule = scheduleAfter(webhook, { answer, settled, progressed }, now);
  const last = answer && {
    last_attempt_at: timestamp(now),
    last_status: answer.status,
    last_problem: answer.problem,
  };
  const noted = await returnLease(env, leased, { ...webhook, ...last, ...schedule, delivered_seq, head_seq });
  if (noted && schedule.paused_at !== null)
    console.error(JSON.stringify({ message: "webhook.paused", org: webhook.org, webhook: id, ...last }));
  return noted && more;
}

interface Sent extends Omit<Ended, "progressed"> {
  readonly delivered_seq: number;
  readonly head_seq: number;
  readonly more: boolean;
}

function notSent({ webhook: { delivered_seq, head_seq } }: Leased, problem: string): Sent {
  return { delivered_seq, head_seq, answer: noAnswer(problem), settled: false, more: false };
}

/** Events behind the webhook's place one after the other, then the newest signed head of those that were accepted. */
async function sendFrom(
  env: Env,
  { webhook, until }: Leased,
  { receiver, end, answerMs, eventsPerLease }: Limits & { receiver: Receiver; end: number },
): Promise<Sent> {
  const { org } = webhook;
  let { delivered_seq, head_seq } = webhook;
  let answer: Answer | null = null;
  const left = (settled: boolean, more: boolean): Sent => ({ delivered_seq, head_seq, answer, settled, more });
  // While an answer may still be waited for the lease must be ours, or two would be sending.
  const mayGoOn = () => Date.now() < end && Date.now() + 2 * answerMs < until;
  const send = async (message: Message): Promise<Answer> => {
    answer = await callReceiver(receiver.url, signMessage(message, receiver.secrets, Date.now()), answerMs);
    return answer;
  };

  const links = await readLinks(env, { org, after: delivered_seq, limit: eventsPerLease });
  for (const { event: text, ...seal } of links) {
    if (!mayGoOn()) return left(true, true);
    const event = storedEvent(text);
    // Gone from the database, which verifying the chain tells; here it is a number that is left out.
    if (event === null)
      console.error(JSON.stringify({ message: "webhook.event_missing", webhook: webhook.id, seq: seal.seq }));
    else if (!isAccepted(await send(eventMessage(webhook, event, seal)))) return left(false, false);
    delivered_seq = seal.seq;
  }
  const more = links.length === eventsPerLease;
  const head = await newestHeadUpTo(env, org, delivered_seq);
  if (!head || head.seq <= head_seq || !mayGoOn()) return left(true, more);
  const heard = await send(headMessage(webhook, head));
  if (!isAccepted(heard) && !refusesHeads(heard)) return left(false, false);
  head_seq = head.seq;
  return left(true, more);
}
