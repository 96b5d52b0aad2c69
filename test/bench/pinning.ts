// Keeps the measured processes on one CPU and everything that feeds them on the others: on a small machine the scheduler
// would otherwise move both about, which shows as noise of tens of microseconds per request.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

const measuredCpu = availableParallelism() - 1;

/** Whether processes can be pinned here: Linux with `taskset` and at least two CPUs. */
export const canPin = measuredCpu > 0 && spawnSync("taskset", ["-c", `${measuredCpu}`, "true"]).status === 0;

/** The command line that runs `command` on the measured CPU, where that is possible. */
export function onMeasuredCpu(command: string, args: readonly string[]): [string, string[]] {
  return canPin ? ["taskset", ["-c", `${measuredCpu}`, command, ...args]] : [command, [...args]];
}

/** Moves this process, and what it starts from now on, off the measured CPU. */
export function leaveMeasuredCpu(): void {
  if (canPin) spawnSync("taskset", ["-a", "-c", "-p", `0-${measuredCpu - 1}`, `${process.pid}`]);
}
