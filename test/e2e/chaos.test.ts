// Chaos: the real stack under load from real SDK clients, one thing broken at a time, in an order that the seed gives.
// CHAOS_SEED repeats a run; CHAOS_ROUNDS goes through all outages more than once.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEMO_ORG } from "../../src/cli/seed.ts";
import { type JournalEntry, startStandIn } from "../provider-stand-in.ts";
import { randomOf, seedOf, shuffled } from "../random.ts";
import { ASKS, ask, type Client, clientOf } from "./chaos/asks.ts";
import { type Asked, keepSaving, underLoad } from "./chaos/load.ts";
import {
  CONFIG_MAX_STALE_MS,
  CONFIG_TTL_MS,
  HEADERS_TIMEOUT_MS,
  OUTAGES,
  type Outage,
  type Site,
} from "./chaos/outages.ts";
import { CANARY } from "./chaos/plan.ts";
import {
  filesWithPrompts,
  lateBlocks,
  leaks,
  type Recorded,
  recordsOf,
  staleAnswers,
  unclearAnswers,
} from "./chaos/promises.ts";
import { type ChaosStack, newKeys, startChaosStack } from "./chaos/stack.ts";
import { waitUntil } from "./stack.ts";

const PORT = Number(process.env.PORT ?? 8797) + 7;
const ROUNDS = Number(process.env.CHAOS_ROUNDS ?? 1);
const SEED = seedOf(process.env.CHAOS_SEED);
/** So many that none has more blocks in a minute than are stored one by one. */
const KEYS = 32;
const RECOVERY_MS = 15_000;
/** What a machine that runs everything at once may add to an answer. */
const SLACK_MS = 1_500;

const random = randomOf(SEED);
const rows: Record<string, string | number>[] = [];
let standIn: Awaited<ReturnType<typeof startStandIn>>;
let stack: ChaosStack;
let site: Site;
let clients: Client[];
let allowed: Set<string>;
const directory = mkdtempSync(join(tmpdir(), "portcullis-chaos-"));

beforeAll(async () => {
  console.log(`CHAOS_SEED=${SEED}`);
  standIn = await startStandIn();
  const upstream = `${standIn.url}/chaos`;
  stack = await startChaosStack({
    port: PORT,
    directory,
    variables: {
      SANDBOX_UPSTREAM: upstream,
      CONFIG_TTL_SECONDS: String(CONFIG_TTL_MS / 1000),
      CONFIG_MAX_STALE_SECONDS: String(CONFIG_MAX_STALE_MS / 1000),
      UPSTREAM_HEADERS_TIMEOUT_SECONDS: String(HEADERS_TIMEOUT_MS / 1000),
    },
  });
  clients = (await newKeys(stack.owner, { org: DEMO_ORG, project: "web", count: KEYS })).map((key) =>
    clientOf(stack.url, key),
  );
  allowed = await allowedProviders();
  site = {
    stack,
    random,
    async behave(behaviour) {
      for (const provider of allowed)
        await fetch(`${upstream}/__behaviour/${provider}`, {
          method: behaviour ? "PUT" : "DELETE",
          ...(behaviour && { body: JSON.stringify(behaviour) }),
        });
    },
  };
});
afterAll(async () => {
  console.table(rows);
  console.log(`CHAOS_SEED=${SEED}`);
  await stack?.kill();
  await standIn?.stop();
  rmSync(directory, { recursive: true, force: true });
});

for (let round = 1; round <= ROUNDS; round++)
  for (const outage of shuffled(OUTAGES, random))
    it(`${outage.name}${ROUNDS > 1 ? `, round ${round}` : ""}`, () => endure(outage));

async function endure(outage: Required<Outage>): Promise<void> {
  const before = { told: await stack.plan(), lines: stack.lines.length, journal: (await journal()).length };
  let over = !outage.saving;
  const saving = keepSaving(stack, () => over);
  const asked = await underLoad(clients, {
    random,
    work: async () => {
      await outage.strike(site).finally(() => {
        over = true;
      });
    },
  });
  const lines = stack.lines.slice(before.lines);
  const { afflicted, queuedPrompts } = await stack.plan();
  await site.behave(null);
  const enforced = await saving;
  await recovered();
  const recorded = await settled(asked, outage);

  const leaked = leaks((await journal()).slice(before.journal), allowed);
  rows.push({
    outage: outage.name,
    requests: asked.length,
    answered: asked.filter(({ kind }) => kind === "answered").length,
    recorded: `${recorded.stored}/${recorded.blocked}`,
    "tail alone": recorded.tailed,
    "slowest ms": Math.max(...asked.map(({ ms }) => ms)),
    leaked: leaked.length,
  });
  expect(leaked, "prompts that left").toEqual([]);
  expect(recorded.missing, "blocks without a record").toEqual([]);
  expect(staleAnswers(asked, enforced, outage.policyAgeMs), "answers by an old policy").toEqual([]);
  expect(unclearAnswers(asked, outage), "unclear answers").toEqual([]);
  expect(lateBlocks(asked, SLACK_MS), "late 403s").toEqual([]);
  expect(queuedPrompts, "messages with prompts").toBe(0);
  expect(
    stack.lines.filter((line) => line.includes(CANARY)),
    "lines with prompts",
  ).toEqual([]);
  expect(filesWithPrompts(stack.state), "files with prompts").toEqual([]);
  const seen = { outcomes: asked, afflicted: afflicted - before.told.afflicted, lines };
  expect(outage.struck(seen), "whether it struck at all").toBe(true);
}

/** Requests are answered again. */
async function recovered(): Promise<void> {
  const [plain] = ASKS;
  await waitUntil(RECOVERY_MS, async () => {
    const answers = await Promise.all(
      clients.slice(0, 2).map((client) => ask(plain as (typeof ASKS)[number], client, 0)),
    );
    return answers.every(({ kind }) => kind === "answered") || null;
  });
}

/** Waits until what was told to clients is on record and sealed; what is missing by then stays missing. */
async function settled(asked: readonly Asked[], { tailAlone, breaks }: Required<Outage>): Promise<Recorded> {
  const end = Date.now() + RECOVERY_MS;
  for (;;) {
    await stack.cron().catch(() => undefined);
    const recorded = recordsOf(asked, { events: await stack.events(), lines: stack.lines });
    const { body } = await stack.owner.call("GET", `/orgs/${DEMO_ORG}/events/verify`);
    const chain = body as { ok: boolean; complete: boolean; unsealed: number };
    // What was in the queue when its process died could not be counted any more.
    const uncounted = breaks ? 0 : recorded.uncounted.length;
    const isStored = recorded.missing.length === 0 && (tailAlone ? uncounted === 0 : recorded.tailed === 0);
    if (!(isStored && chain.unsealed === 0) && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      continue;
    }
    expect(chain, "the chain").toMatchObject({ ok: true, complete: true, unsealed: 0 });
    if (!tailAlone) expect(recorded.tailed, "blocks on the tail alone").toBe(0);
    expect(uncounted, "blocks on the tail alone that are not counted as such").toBe(0);
    return recorded;
  }
}

async function journal(): Promise<JournalEntry[]> {
  return (await fetch(`${standIn.url}/chaos/__journal`)).json() as Promise<JournalEntry[]>;
}

/** Whom the policy lets see a prompt, as its preview has it. */
async function allowedProviders(): Promise<Set<string>> {
  const path = `/orgs/${DEMO_ORG}/policy`;
  const { policy } = (await stack.owner.call("GET", path)).body as { policy: unknown };
  const { body } = await stack.owner.call("POST", `${path}/preview`, policy);
  const { providers } = body as { providers: { id: string; allowed: boolean }[] };
  return new Set(providers.filter((each) => each.allowed).map(({ id }) => id));
}
