// The health of an organization's paper trail: a list of checks, each by itself. One that fails, or takes too long, is
// unknown, and keeps no other from being told.
import { type Env, readSettings } from "../env.ts";
import { waitingDeadLetters } from "../store/dead-letters.ts";
import { inTime } from "../store/in-time.ts";
import { findOrg } from "../store/orgs.ts";
import { retentionOf } from "../store/retention.ts";
import { newestRevision } from "../store/revisions.ts";
import { databaseBytes, lastSealed, oldestSealed, oldestUnsealed, queueBacklog } from "../store/trail-state.ts";
import { listWebhooks } from "../store/webhooks.ts";
import {
  deadLettersFinding,
  edgeFinding,
  type Finding,
  queueFinding,
  retentionFinding,
  type State,
  sealedFinding,
  storageFinding,
  unknownFinding,
  waitingFinding,
  webhooksFinding,
} from "./health-findings.ts";
import { noSuchOrg } from "./problem.ts";
import { webhookState } from "./webhook-state.ts";

/** A page does not wait longer for one. */
const MAX_CHECK_MS = 2_000;

interface Asked {
  readonly env: Env;
  readonly org: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

interface Check {
  readonly id: string;
  readonly label: string;
  readonly look: (asked: Asked) => Promise<Finding>;
}

/** Every check, in the order in which they are shown. */
const CHECKS = [
  {
    id: "sealed",
    label: "Sealing",
    look: async ({ env, org }) => sealedFinding(await lastSealed(env, org), { signs: signs(env) }),
  },
  {
    id: "waiting",
    label: "Waiting for a seal",
    look: async ({ env, org, now }) => waitingFinding(await oldestUnsealed(env, org), now),
  },
  { id: "queue", label: "Queue", look: async ({ env, now }) => queueFinding(await queueBacklog(env), now) },
  {
    id: "dead_letters",
    label: "Dead letters",
    look: async ({ env, org }) => deadLettersFinding(await waitingDeadLetters(env, org)),
  },
  {
    id: "webhooks",
    label: "Webhooks",
    look: async ({ env, org }) => webhooksFinding((await listWebhooks(env, org)).map(webhookState)),
  },
  { id: "edge", label: "Edge", look: lookAtEdge },
  {
    id: "retention",
    label: "Retention",
    look: async ({ env, org, now }) => {
      const [rule, oldest] = await Promise.all([retentionOf(env, org), oldestSealed(env, org)]);
      return retentionFinding(rule, { oldest, signs: signs(env), now });
    },
  },
  { id: "storage", label: "Storage", look: async ({ env }) => storageFinding(await databaseBytes(env)) },
] as const satisfies readonly Check[];

export const CHECK_IDS = CHECKS.map(({ id }) => id);

export interface Checked extends Finding {
  readonly id: (typeof CHECKS)[number]["id"];
  readonly label: string;
}

export interface Health {
  /** The worst of them. */
  readonly state: State;
  readonly checks: readonly Checked[];
}

/** Looks at everything at once. Never throws. */
export async function healthOf(asked: Asked): Promise<Health> {
  const checks = await Promise.all(
    CHECKS.map(async ({ id, label, look }) => ({
      id,
      label,
      ...(await inTime(look(asked), MAX_CHECK_MS, "it took too long").catch(() => unknownFinding(label))),
    })),
  );
  return { state: worstOf(checks), checks };
}

const FROM_THE_WORST: readonly State[] = ["bad", "unknown", "warn", "ok"];

function worstOf(findings: readonly Finding[]): State {
  return FROM_THE_WORST.find((state) => findings.some((finding) => finding.state === state)) ?? "unknown";
}

async function lookAtEdge({ env, org, now }: Asked): Promise<Finding> {
  const [found, newest] = await Promise.all([findOrg(env, org), newestRevision(env, org)]);
  if (!found || !newest) throw noSuchOrg();
  const { record, created_at } = newest;
  return edgeFinding({ published: found.published_revision, newest: record.revision, savedAt: created_at }, now);
}

function signs(env: Env): boolean {
  const read = readSettings(env);
  return read.ok && read.settings.AUDIT_SIGNING_KEY !== undefined;
}
