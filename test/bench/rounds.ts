// Measures several Workers against each other: in each round every one gets the same request, in turning order, so that
// whatever else happens on the machine happens to all of them. Many short rounds even that out better than few long ones.
import { type Call, measure, type Sample } from "./load.ts";
import { median, quantile } from "./statistics.ts";
import type { Workerd } from "./workerd.ts";

export interface Contender {
  name: string;
  workerd: Workerd;
  call: Call;
}

export interface Result {
  name: string;
  cpuMicroseconds: number;
  requestsPerSecond: number;
  /** Times the yardstick's CPU: median by median, and lower by lower and upper by upper quartile. */
  ratio: number;
  ratioOfQuartiles: [number, number];
}

/** The medians of `rounds` rounds of `count` requests each; ratios are against the contender named `yardstick`. */
export async function compare(
  contenders: readonly Contender[],
  { yardstick, rounds, count }: { yardstick: string; rounds: number; count: number },
): Promise<Result[]> {
  for (const { workerd, call } of contenders) await measure(workerd, call, count * WARM_UP_ROUNDS);
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const first = round % contenders.length;
    for (const { name, workerd, call } of [...contenders.slice(first), ...contenders.slice(0, first)])
      samples.get(name)?.push(await measure(workerd, call, count));
  }
  const cpuOf = (name: string) => samples.get(name)?.map(({ cpuMicroseconds }) => cpuMicroseconds) ?? [];
  const ratioAt = (name: string, share: number) => quantile(cpuOf(name), share) / quantile(cpuOf(yardstick), share);
  return [...samples].map(([name, own]) => ({
    name,
    cpuMicroseconds: median(cpuOf(name)),
    requestsPerSecond: median(own.map(({ requestsPerSecond }) => requestsPerSecond)),
    ratio: ratioAt(name, 0.5),
    ratioOfQuartiles: [ratioAt(name, 0.25), ratioAt(name, 0.75)],
  }));
}

const WARM_UP_ROUNDS = 10;
