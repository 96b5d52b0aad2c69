// Running wrangler: the one of this repository, on the Node that runs us, and never longer than we live.
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ROOT, WRANGLER_BIN } from "./paths.ts";

const END_WITH_PARENT = fileURLToPath(new URL("end-with-parent.ts", import.meta.url));

const QUIET = { WRANGLER_HIDE_BANNER: "true", WRANGLER_WRITE_LOGS: "false", WRANGLER_SEND_METRICS: "false" };

export interface WranglerRun {
  ok: boolean;
  stdout: string;
  /** Everything it said, for when it failed. */
  output: string;
}

/** Starts wrangler. `stdio` is that of its input, output and errors. */
export function spawnWrangler(
  args: readonly string[],
  { stdio, ...options }: Omit<SpawnOptions, "stdio"> & { stdio: ("ignore" | "inherit" | "pipe")[] },
): ChildProcess {
  return spawn(process.execPath, ["--import", END_WITH_PARENT, WRANGLER_BIN, ...args], {
    cwd: ROOT,
    ...options,
    env: { ...process.env, ...QUIET, ...options.env },
    stdio: [...stdio, "ipc"],
  });
}

/** Runs wrangler to its end and keeps what it says. `input` goes to its standard input, so that it shows in no process list. */
export async function runWrangler(args: readonly string[], input?: string): Promise<WranglerRun> {
  const child = spawnWrangler(args, { stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
  let stdout = "";
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stdin?.end(input);
  return { ok: (await exitOf(child)) === 0, stdout, output: output.trim() };
}

/** The child's exit code, 1 when a signal ended it. */
export function exitOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode ?? 1);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
