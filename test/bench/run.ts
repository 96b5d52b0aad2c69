// `npm run bench`: what Portcullis costs, measured on the built Worker in bare workerd beside two bare passthrough Workers.
// `--quick` measures fewer rounds; `--only TEXT` just the prompts named so; `--assert` exits 1 when a target is missed;
// `--profile` shows where the time goes.
// `npm run bench -- flood` is the soak of the paper trail instead: what a flood of blocks leaves on record.
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seedOf } from "../random.ts";
import { buildWorker } from "./build.ts";
import { measureEvaluation, measurePreview } from "./control-plane.ts";
import { countSteadyReads, firstRequestMilliseconds, measurePrompt, PROMPTS } from "./data-plane.ts";
import { soak } from "./flood.ts";
import { canPin, leaveMeasuredCpu } from "./pinning.ts";
import { profilePrompts } from "./profile.ts";
import { promptTable, promptTargets, type Target, table, target, targetTable } from "./report.ts";
import { startStack } from "./stack.ts";
import { startupMilliseconds } from "./startup.ts";
import { median } from "./statistics.ts";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean" },
    only: { type: "string" },
    assert: { type: "boolean" },
    profile: { type: "boolean" },
  },
});
const ROUNDS = flags.quick ? 15 : 75;
const FEW_ROUNDS = flags.quick ? 3 : 9;
const KIB = 1024;
const prompts = PROMPTS.filter(({ name }) => name.includes(flags.only ?? ""));

if (process.platform !== "linux") {
  console.error("The bench reads the CPU time of workerd from /proc, so it runs on Linux only.");
  process.exit(1);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

if (positionals.includes("flood")) {
  const isWhole = await soak({ requests: flags.quick ? 2_000 : 20_000, seed: seedOf(process.env.CHAOS_SEED) });
  process.exit(isWhole ? 0 : 1);
}

const directory = mkdtempSync(join(tmpdir(), "portcullis-bench-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
const targets: Target[] = [];
const say = (text: string) => console.log(text);

leaveMeasuredCpu();
const built = await buildWorker(join(directory, "worker"));
const floor = await buildWorker(join(directory, "floor"), "test/bench/floor.ts");
const stack = await startStack(directory, { built, floor }, flags.profile);
const pinned = canPin ? ", workerd pinned to the last" : "";
say(
  `${cpus().length} CPUs${pinned}; load average ${loadavg()
    .map((load) => load.toFixed(1))
    .join(" ")}; ${ROUNDS} rounds, medians.`,
);
say("CPU is that of the whole workerd process; × is against the bare Worker that reads the body.\n");

if (flags.profile) say(await profilePrompts(stack, built.modules[0]?.path ?? "", prompts));
else {
  await measurePrompts();
  if (flags.only === undefined) await measureTheRest();
  say(targetTable(targets));
  if (flags.assert && targets.some(({ met }) => !met)) process.exitCode = 1;
}

await stack.stop();

async function measurePrompts(): Promise<void> {
  for (const prompt of prompts) {
    const results = await measurePrompt(stack, prompt, ROUNDS);
    targets.push(...promptTargets(results));
    say(`${promptTable(results)}\n`);
  }
}

async function measureTheRest(): Promise<void> {
  const steady = await countSteadyReads(stack, flags.quick ? 1_000 : 5_000);
  targets.push(
    target(`KV reads in ${steady.requests} requests`, { measured: steady.kvReads, atMost: 0, unit: "", digits: 0 }),
  );
  const preview = await measurePreview(stack, FEW_ROUNDS);
  targets.push(target("preview over the admin API", { measured: preview, atMost: 50, unit: " ms", digits: 1 }));
  const first: number[] = [];
  for (let round = 0; round < FEW_ROUNDS; round++) first.push(await firstRequestMilliseconds(stack));

  const evaluation = await buildWorker(join(directory, "evaluation"), "test/bench/evaluation.ts");
  const cost = await measureEvaluation(directory, evaluation, FEW_ROUNDS);
  const underTwo = { atMost: 2, unit: " ms" };
  targets.push(
    target("evaluation of the whole catalog, new rules", { measured: cost.newRules, ...underTwo }),
    target("evaluation of the whole catalog, first in an isolate", { measured: cost.first, ...underTwo }),
    target("bundle, gzip", { measured: built.gzipBytes / KIB, atMost: 250, unit: " KB", digits: 0 }),
    target("start-up CPU", {
      measured: await startupMilliseconds(built.bundle, FEW_ROUNDS),
      atMost: 50,
      unit: " ms",
      digits: 0,
    }),
  );

  say(
    `${table([
      ["Besides", ""],
      ["  first request of a fresh isolate (reads key, policy, catalog)", `${median(first).toFixed(1)} ms`],
      ["  reading a new catalog: parse, check, index", `${cost.catalog.toFixed(1)} ms`],
      ["  preview alone, code compiled", `${cost.preview.toFixed(2)} ms`],
      ["  D1 calls in the steady state", `${steady.d1Calls}`],
      [`  bundle (wrangler: ${built.wranglerSays})`, `${(built.bytes / KIB).toFixed(0)} KB`],
    ])}\n`,
  );
}
