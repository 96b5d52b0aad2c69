// A flood of blocks against the real stack (`wrangler dev`, this machine's D1 and queue): each gets its 403, and every one
// is on record once, in an unbroken chain, whatever fails meanwhile. Also what the flood does to the 403's latency.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type AdminApi, adminApi, expectStatus } from "../../src/cli/admin-api.ts";
import { CANARY, type Fault } from "../e2e/chaos/plan.ts";
import { filesWithPrompts } from "../e2e/chaos/promises.ts";
import { type ChaosStack, newKeys, startChaosStack } from "../e2e/chaos/stack.ts";
import { readTail } from "../e2e/chaos/tail.ts";
import { send } from "./load.ts";
import { table } from "./report.ts";
import { quantile } from "./statistics.ts";

const PORT = Number(process.env.BENCH_PORT ?? 18100) + 8;
const ORGS = ["flood-a", "flood-b", "flood-c", "flood-d"];
const KEYS = 100;
const CONCURRENCY = 64;
const BLOCKED = "deepseek/deepseek-v3.2";
const UNKNOWN = "no-such-model";
const FEW_REQUESTS = 200;
const HANGING_REQUESTS = 640;
/** A 403 is there by then, whatever is down. */
const ANSWER_WITHIN_MS = 3_000;
const SETTLE_MS = 300_000;

/** A third of what both paths of a record do fails, consumers die, messages come twice. */
const FAULTS: Fault[] = [
  { on: "d1", how: "fails", share: 0.3, ms: 1 },
  { on: "queue.send", how: "fails", share: 0.3, ms: 1 },
  { on: "queue.send", how: "twice", share: 0.2, ms: 1 },
  { on: "queue.batch", how: "answer_lost", share: 0.2, ms: 1 },
];

interface Scenario {
  name: string;
  count: number;
  concurrency: number;
  faults: Fault[];
  /** Refused without a record: what so many requests at once take by themselves. */
  unrecorded?: boolean;
}

const scenariosOf = (requests: number): Scenario[] => [
  { name: "blocked, one at a time", count: FEW_REQUESTS, concurrency: 1, faults: [] },
  { name: "unknown model, 64 at a time", count: 2_000, concurrency: CONCURRENCY, faults: [], unrecorded: true },
  { name: "flood", count: requests, concurrency: CONCURRENCY, faults: [] },
  { name: "flood, paths failing", count: requests, concurrency: CONCURRENCY, faults: FAULTS },
  {
    name: "flood, D1 and queue hang",
    count: HANGING_REQUESTS,
    concurrency: CONCURRENCY,
    faults: [
      { on: "d1", how: "hangs", share: 1, ms: 1 },
      { on: "queue.send", how: "hangs", share: 1, ms: 1 },
    ],
  },
];

interface Org {
  id: string;
  owner: AdminApi;
}

interface Flooded {
  name: string;
  ids: string[];
  milliseconds: number[];
  perSecond: number;
}

interface Settled {
  stored: number;
  tailAlone: number;
  problems: string[];
  seconds: number;
}

/** Runs the soak with `requests` blocks a time and prints what came of it; false where anything was lost or late. */
export async function soak({ requests, seed }: { requests: number; seed: number }): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), "portcullis-flood-"));
  const stack = await startChaosStack({ port: PORT, directory, variables: { SANDBOX_UPSTREAM: "http://127.0.0.1:9" } });
  try {
    console.log(
      `${requests} blocks, ${CONCURRENCY} at a time, over ${KEYS} keys of ${ORGS.length} organizations; seed ${seed}`,
    );
    const orgs = await Promise.all(ORGS.map((id) => newOrg(stack, id)));
    const rows = [
      ["", "answers/s", "p50 ms", "p99 ms", "max ms", "× p50", "× p99", "in D1", "tail alone", "settled s"],
    ];
    const problems: string[] = [];
    let quiet: Flooded | undefined;
    for (const scenario of scenariosOf(requests)) {
      const keys = await keysOf(orgs);
      await stack.plan({ seed, faults: scenario.faults });
      const flooded = await flood(keys, scenario);
      await stack.plan();
      quiet ??= flooded;
      const settled = await settle(stack, orgs, flooded);
      if (Math.max(...flooded.milliseconds) > ANSWER_WITHIN_MS) settled.problems.push("a 403 took too long");
      problems.push(...settled.problems.map((problem) => `${scenario.name}: ${problem}`));
      rows.push(rowOf(flooded, settled, quiet));
    }
    problems.push(...filesWithPrompts(stack.state).map((file) => `${file} holds a prompt`));
    console.log(`\n${table(rows)}\n`);
    for (const problem of problems) console.error(problem);
    return problems.length === 0;
  } finally {
    await stack.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function newOrg({ operator, url }: ChaosStack, id: string): Promise<Org> {
  const policy = {
    enabled: true,
    requirements: ["no_training"],
    headquarters: [],
    providers: { allow: [], block: [] },
    models: { allow: [], block: [] },
  };
  const member = `/orgs/${id}/members/owner%40${id}.example`;
  expectStatus(await operator.call("POST", "/orgs", { id, name: id, plan: "enterprise", policy }), [201], "an org");
  expectStatus(await operator.call("PUT", member, { role: "owner" }), [200, 201], "an owner");
  const { body } = await operator.call("POST", `${member}/tokens`, {});
  return { id, owner: adminApi(url, (body as { token: string }).token) };
}

/** New keys, so that what was asked before does not count against their limit a minute. */
async function keysOf(orgs: readonly Org[]): Promise<string[]> {
  const count = KEYS / orgs.length;
  const made = await Promise.all(orgs.map(({ id, owner }) => newKeys(owner, { org: id, project: "flood", count })));
  return made.flat();
}

async function flood(
  keys: readonly string[],
  { name, count, concurrency, unrecorded = false }: Scenario,
): Promise<Flooded> {
  const ids: string[] = [];
  const milliseconds: number[] = [];
  let next = 0;
  const client = async () => {
    while (next < count) {
      const number = next++;
      const model = unrecorded ? UNKNOWN : BLOCKED;
      const body = JSON.stringify({ model, messages: [{ role: "user", content: `${CANARY}${number}` }] });
      const began = performance.now();
      const text = await send(PORT, {
        method: "POST",
        path: "/v1/chat/completions",
        headers: { authorization: `Bearer ${keys[number % keys.length]}`, "content-type": "application/json" },
        body: Buffer.from(body),
        status: unrecorded ? 404 : 403,
      });
      milliseconds.push(performance.now() - began);
      if (!unrecorded)
        ids.push((JSON.parse(text) as { error: { details: { event_id: string } } }).error.details.event_id);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: concurrency }, client));
  return { name, ids, milliseconds, perSecond: count / ((performance.now() - began) / 1000) };
}

/** Waits until nothing is on its way any more, and compares what clients were told with what is on record. */
async function settle(stack: ChaosStack, orgs: readonly Org[], { ids }: Flooded): Promise<Settled> {
  const began = performance.now();
  const told = new Set(ids);
  const problems: string[] = [];
  if (told.size !== ids.length) problems.push(`${ids.length - told.size} answers name an event of another answer`);
  for (;;) {
    await pause(1_000);
    await stack.cron().catch(() => undefined);
    const stored = new Set((await stack.events()).map(({ id }) => id));
    const tailed = readTail(stack.lines);
    const missing = ids.filter((id) => !stored.has(id));
    const lost = missing.filter((id) => !tailed.alone.has(id) || !tailed.events.has(id));
    const chains = await Promise.all(orgs.map(verify));
    const isDone = lost.length === 0 && chains.every((problem) => problem === null);
    const seconds = (performance.now() - began) / 1000;
    if (!isDone && seconds * 1000 < SETTLE_MS) continue;
    if (lost.length > 0) problems.push(`${lost.length} events are neither in D1 nor counted as on the tail alone`);
    problems.push(...chains.filter((problem) => problem !== null));
    return { stored: ids.length - missing.length, tailAlone: missing.length, problems, seconds };
  }
}

/** Null once an organization's chain is whole and waits for nothing. */
async function verify({ id, owner }: Org): Promise<string | null> {
  const { body } = await owner.call("GET", `/orgs/${id}/events/verify`);
  const { ok, complete, unsealed } = body as { ok: boolean; complete: boolean; unsealed: number };
  return ok && complete && unsealed === 0 ? null : `the chain of ${id}: ${JSON.stringify({ ok, complete, unsealed })}`;
}

function rowOf({ name, ids, milliseconds, perSecond }: Flooded, settled: Settled, quiet: Flooded): string[] {
  const at = (share: number) => quantile(milliseconds, share);
  const ratio = (share: number) => (at(share) / quantile(quiet.milliseconds, share)).toFixed(1);
  const shown = [at(0.5), at(0.99), Math.max(...milliseconds)].map((value) => value.toFixed(0));
  const { stored, tailAlone, seconds } = settled;
  return [
    name,
    perSecond.toFixed(0),
    ...shown,
    ratio(0.5),
    ratio(0.99),
    `${stored} of ${ids.length}`,
    `${tailAlone}`,
    seconds.toFixed(0),
  ];
}
