// Start-up CPU time, as `wrangler check startup` profiles it.
import { readFile } from "node:fs/promises";
import * as z from "zod";
import { runWrangler } from "../../src/cli/wrangler.ts";
import { median } from "./statistics.ts";

/** A V8 CPU profile, as far as it is read here. */
const CpuProfile = z.object({
  nodes: z.array(z.object({ id: z.number(), callFrame: z.object({ functionName: z.string() }) })),
  samples: z.array(z.number()),
  /** Microseconds. */
  timeDeltas: z.array(z.number()),
});

/** The median CPU milliseconds of `runs` starts of a bundle: all that was sampled and not idle. */
export async function startupMilliseconds(bundle: string, runs: number): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const outfile = `${bundle}.cpuprofile`;
    const { ok, output } = await runWrangler(["check", "startup", "--worker", bundle, "--outfile", outfile]);
    if (!ok) throw new Error(`wrangler check startup failed:\n${output}`);
    times.push(activeMilliseconds(CpuProfile.parse(JSON.parse(await readFile(outfile, "utf8")))));
  }
  return median(times);
}

function activeMilliseconds({ nodes, samples, timeDeltas }: z.infer<typeof CpuProfile>): number {
  const idle = nodes.find(({ callFrame }) => callFrame.functionName === "(idle)")?.id;
  const active = samples.reduce((sum, node, index) => (node === idle ? sum : sum + (timeDeltas[index] ?? 0)), 0);
  return active / 1000;
}
