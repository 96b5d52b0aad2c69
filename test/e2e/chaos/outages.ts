// Everything that is broken on purpose, one outage at a time: how it begins and ends, what clients may be told
// meanwhile, and by what it shows that it really struck.
import { globSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { DEMO_ORG } from "../../../src/cli/seed.ts";
import type { Behaviour } from "../../provider-stand-in.ts";
import type { Outcome } from "./asks.ts";
import type { Fault } from "./plan.ts";
import type { ChaosStack } from "./stack.ts";

export const CONFIG_TTL_MS = 1_000;
export const CONFIG_MAX_STALE_MS = 4_000;
export const HEADERS_TIMEOUT_MS = 1_000;
/** Time to read KV, which a copy may be older than its time to live by, on a machine that does much else. */
const SLACK_MS = 3_000;

export interface Site {
  stack: ChaosStack;
  random: () => number;
  /** Has every provider behave like this, or well again. */
  behave(behaviour: Behaviour | null): Promise<void>;
}

/** What was seen while it lasted. */
export interface Seen {
  outcomes: readonly Outcome[];
  /** Operations on bindings that were made to fail. */
  afflicted: number;
  lines: readonly string[];
}

export interface Outage {
  name: string;
  /** Breaks it, keeps it broken for a while under load, and mends it. */
  strike(site: Site): Promise<void>;
  /** What may be told to clients besides the 403. */
  codes?: readonly string[];
  /** Whether connections and streams may break off. */
  breaks?: boolean;
  /** Whether an event may be on the tail line alone. */
  tailAlone?: boolean;
  /** How old an enforced policy may be. */
  policyAgeMs?: number;
  /** Whether the policy is saved again and again meanwhile. */
  saving?: boolean;
  struck(seen: Seen): boolean;
}

const LASTS_MS = 1_200;
const UNREADABLE = ["policy_unavailable"];
const stale = { policyAgeMs: CONFIG_MAX_STALE_MS + SLACK_MS, codes: UNREADABLE };
const HOUR_MS = 3_600_000;
const GARBAGE = ["", "{", "null", "[]", '{"schema":2}', "<html>502 Bad Gateway</html>", "\u0000\u0001\u0002"];

const told =
  (code: string) =>
  ({ outcomes }: Seen): boolean =>
    outcomes.some((each) => each.kind === "refused" && each.code === code);

const pick = <T>(items: readonly T[], random: () => number): T => items[Math.floor(random() * items.length)] as T;

/** An outage of bindings: in force for a while, the same chance for each operation. */
function ofBindings(
  name: string,
  faults: Partial<Fault>[],
  { lastsMs = LASTS_MS, clockMs = 0, ...rest }: Partial<Outage> & { lastsMs?: number; clockMs?: number } = {},
): Outage {
  return {
    name,
    async strike({ stack, random }) {
      await stack.plan({ seed: Math.floor(random() * 2 ** 31), faults: faults as Fault[], clockMs });
      await pause(lastsMs);
    },
    struck: ({ afflicted }) => afflicted > 0,
    ...rest,
  };
}

/** Corruption that nobody's saving hides; cron alone mends it. */
function ofCorruption(name: string, corrupt: (stack: ChaosStack, garbage: string) => Promise<void>): Outage {
  return {
    name,
    async strike({ stack, random }) {
      await corrupt(stack, pick(GARBAGE, random));
      await pause(CONFIG_TTL_MS + LASTS_MS);
      await stack.cron();
    },
    saving: false,
    ...stale,
    struck: told("policy_unavailable"),
  };
}

function ofProviders(name: string, behaviour: Behaviour, rest: Partial<Outage>): Outage {
  return {
    name,
    async strike({ behave }) {
      await behave(behaviour);
      await pause(LASTS_MS);
    },
    struck: told("upstream_error"),
    ...rest,
  };
}

const chunk = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "more " } }] })}\n\n`;
const upstream = { codes: ["upstream_error", "upstream_timeout"] };

/** wrangler's line of a batch of which the consumer got nothing into D1. */
const isSentBack = (line: string) => /QUEUE portcullis-audit 0\/\d/.test(line);

const listed: Outage[] = [
  ofBindings("nothing is broken", [], { struck: ({ outcomes }) => outcomes.some(({ kind }) => kind === "answered") }),
  ofBindings("KV is slow", [{ on: "kv.read", how: "slow", ms: 400 }]),
  ofBindings("KV fails now and then", [{ on: "kv.read", how: "fails", share: 0.5 }], stale),
  ofBindings("KV fails", [{ on: "kv.read", how: "fails" }], {
    ...stale,
    lastsMs: CONFIG_MAX_STALE_MS + 2_000,
    struck: told("policy_unavailable"),
  }),
  ofBindings("KV hangs", [{ on: "kv.read", how: "hangs" }], {
    ...stale,
    lastsMs: CONFIG_MAX_STALE_MS + 3_000,
    struck: told("policy_unavailable"),
  }),
  ofCorruption("the policy in KV is corrupt", ({ corrupt }, garbage) => corrupt(`org:${DEMO_ORG}`, garbage)),
  ofCorruption("the catalog in KV is corrupt", async ({ operator, corrupt }, garbage) => {
    const { version } = (await operator.call("GET", "/catalog")).body as { version: string };
    await corrupt(`catalog:${version}`, garbage);
    // A pointer that is spelled otherwise has the catalog read again, which an isolate that knows it would not do.
    await corrupt("catalog", JSON.stringify({ version }, null, 1));
  }),
  ofBindings("D1 fails", [{ on: "d1", how: "fails" }]),
  ofBindings("D1 fails now and then", [{ on: "d1", how: "fails", share: 0.3 }]),
  ofBindings("D1 hangs", [{ on: "d1", how: "hangs" }]),
  ofBindings("D1 writes, and its answer is lost", [{ on: "d1", how: "answer_lost", share: 0.5 }]),
  {
    name: "D1 is locked",
    async strike({ stack }) {
      const [file] = globSync(`${stack.state}/v3/d1/miniflare-D1DatabaseObject/*.sqlite`).filter(
        (path) => !path.endsWith("metadata.sqlite"),
      );
      const database = new DatabaseSync(file ?? "");
      const before = stack.lines.length;
      database.exec("BEGIN EXCLUSIVE");
      await pause(LASTS_MS);
      for (let waits = 0; waits < 50 && !stack.lines.slice(before).some(isSentBack); waits++) await pause(100);
      database.exec("ROLLBACK");
      database.close();
    },
    struck: ({ lines }) => lines.some(isSentBack),
  },
  ofBindings("the queue fails", [{ on: "queue.send", how: "fails" }]),
  ofBindings("the queue hangs", [{ on: "queue.send", how: "hangs" }]),
  ofBindings("D1 and the queue fail now and then", [
    { on: "d1", how: "fails", share: 0.3 },
    { on: "queue.send", how: "fails", share: 0.3 },
  ]),
  ofBindings("D1 and the queue fail for a moment", [
    { on: "d1", how: "fails" },
    { on: "queue.send", how: "fails" },
  ]),
  ofBindings(
    "D1 and the queue fail for longer than a block is offered again",
    [
      { on: "d1", how: "fails" },
      { on: "queue.send", how: "fails" },
    ],
    {
      lastsMs: 7_000,
      tailAlone: true,
      struck: ({ lines }) => lines.some((line) => line.includes("audit.not_stored")),
    },
  ),
  ofBindings(
    "D1 and the queue hang",
    [
      { on: "d1", how: "hangs" },
      { on: "queue.send", how: "hangs" },
    ],
    {
      tailAlone: true,
      lastsMs: 4_000,
    },
  ),
  ofBindings("the consumer dies in the middle of batches, and messages come twice", [
    { on: "queue.batch", how: "answer_lost", share: 0.5 },
    { on: "queue.send", how: "twice", share: 0.5 },
    { on: "d1", how: "fails", share: 0.2 },
  ]),
  {
    name: "the Worker is killed in the middle of streams and batches",
    async strike({ stack, behave }) {
      await behave({ kind: "stream", chunks: Array(60).fill(chunk), everyMs: 50, ending: "end", onlyIfAsked: true });
      await stack.plan({
        faults: [
          { on: "d1", how: "fails", share: 0.5, ms: 1 },
          { on: "queue.batch", how: "slow", share: 0.5, ms: 300 },
        ],
      });
      await pause(LASTS_MS);
      await stack.kill();
      await stack.start();
      await pause(LASTS_MS);
    },
    breaks: true,
    tailAlone: true,
    struck: ({ outcomes }) => outcomes.some(({ kind }) => kind === "lost"),
  },
  ofProviders("providers hang", { kind: "hang" }, { ...upstream, struck: told("upstream_timeout") }),
  ofProviders("providers reset the connection", { kind: "reset" }, upstream),
  ofProviders("providers answer garbage", { kind: "raw", text: "\u0000garbage\r\n\r\n" }, upstream),
  ofProviders(
    "providers answer with an error page",
    { kind: "status", status: 500, headers: { "content-type": "text/html" }, body: "<html>It is down.</html>" },
    upstream,
  ),
  ofProviders(
    "providers redirect",
    { kind: "status", status: 307, headers: { location: "http://127.0.0.1:9/v1/chat/completions" } },
    upstream,
  ),
  ofProviders(
    "providers break off their streams",
    { kind: "stream", chunks: [chunk, chunk], everyMs: 20, ending: "reset", onlyIfAsked: true },
    { ...upstream, breaks: true, struck: ({ outcomes }) => outcomes.some(({ kind }) => kind === "broken_off") },
  ),
  ofBindings("the clock jumps an hour ahead", [], { clockMs: HOUR_MS, struck: () => true }),
  ofBindings("the clock jumps an hour back", [], { clockMs: -HOUR_MS, struck: () => true }),
  ofBindings("the clock jumps ahead while KV fails", [{ on: "kv.read", how: "fails" }], {
    ...stale,
    clockMs: HOUR_MS,
    struck: told("policy_unavailable"),
  }),
  ofBindings("the clock jumps back while KV fails", [{ on: "kv.read", how: "fails" }], {
    ...stale,
    clockMs: -HOUR_MS,
    struck: told("policy_unavailable"),
  }),
];

export const OUTAGES: readonly Required<Outage>[] = listed.map((outage) => ({
  codes: [],
  breaks: false,
  tailAlone: false,
  saving: true,
  policyAgeMs: CONFIG_TTL_MS + SLACK_MS,
  ...outage,
}));
