// Starts the whole stack with a newcomer's command, `npm start`, and stops it as Ctrl-C does.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

/** What `npm start` writes to `demo.json`. */
export interface Demo {
  url: string;
  org: string;
  api_keys: { web: string; batch: string };
  owner_token: string;
  admin_token: string;
  developer_token: string;
  operator_token: string;
  upstream: string;
}

declare module "vitest" {
  interface ProvidedContext {
    demo: Demo;
  }
}

const PORT = Number(process.env.PORT ?? 8797);
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 10_000;
const ROOT = new URL("../..", import.meta.url).pathname;

/** The stack that most files share. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { demo, stop } = await startStack(PORT);
  project.provide("demo", demo);
  return stop;
}

/** A stack of its own, in a directory of its own, so that a developer's demo is left alone. */
export async function startStack(
  port: number,
  variables: Record<string, string> = {},
): Promise<{ demo: Demo; stop: () => Promise<void> }> {
  const started = Date.now();
  const directory = await mkdtemp(join(tmpdir(), "portcullis-e2e-"));
  const child = spawn("npm", ["start", "--", "--fresh"], {
    cwd: ROOT,
    env: { ...process.env, ...variables, PORT: String(port), PORTCULLIS_LOCAL_DIRECTORY: directory },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (piece: Buffer) => {
      printed += piece;
    });

  const demo = await waitUntil(START_TIMEOUT_MS, async () => {
    if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}:\n${printed}`);
    const answer = await fetch(`http://127.0.0.1:${port}/settings`).catch(() => null);
    if (!answer || !printed.includes("/settings")) return null;
    return JSON.parse(await readFile(join(directory, "demo.json"), "utf8")) as Demo;
  }).catch((error: unknown) => {
    signal(child, "SIGKILL");
    throw new Error(`npm start did not come up: ${error}\n${printed}`);
  });
  console.log(`npm start was ready after ${((Date.now() - started) / 1000).toFixed(1)} s`);
  const stop = async () => {
    signal(child, "SIGINT");
    await waitUntil(STOP_TIMEOUT_MS, async () => child.exitCode !== null || child.signalCode !== null || null);
    await rm(directory, { recursive: true });
  };
  return { demo, stop };
}

/** Signals the whole process group, as a terminal does. */
function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, name);
}

/** Asks again until there is an answer other than null; throws when there is none in time. */
export async function waitUntil<T>(milliseconds: number, ask: () => Promise<T | null>): Promise<T> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > end) throw new Error(`nothing within ${milliseconds} ms`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
