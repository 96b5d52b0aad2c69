// The local Worker: `wrangler dev` as a child whose end we wait for, so that nothing is left behind.
import type { ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import * as z from "zod";
import { Halt } from "./command.ts";
import { shownLine } from "./dev-output.ts";
import { STATE_DIRECTORY } from "./paths.ts";
import { exitOf, spawnWrangler } from "./wrangler.ts";

export const HOST = "127.0.0.1";

const READY_TIMEOUT_MS = 120_000;
/** Time for wrangler to end workerd; then both are killed. */
const STOP_TIMEOUT_MS = 5_000;

const Ready = z.object({ event: z.literal("DEV_SERVER_READY") });

export interface DevServer {
  /** Resolves when the Worker answers; rejects when it ends before, or takes too long. */
  ready: Promise<void>;
  /** Rejects when the Worker ends without having been stopped. */
  ended: Promise<never>;
  stop(): Promise<void>;
}

/** Starts the Worker on `port`. */
export function startDevServer(port: number, envFiles: readonly string[]): DevServer {
  const args = ["dev", "--ip", HOST, "--port", String(port), "--persist-to", STATE_DIRECTORY];
  const child = spawnWrangler(
    [...args, "--show-interactive-dev-session=false", ...envFiles.flatMap((file) => ["--env-file", file])],
    // In a group of its own: Ctrl-C reaches us alone, and the group can be ended as a whole.
    { stdio: ["ignore", "pipe", "pipe"], detached: process.platform !== "win32" },
  );
  for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream }).on("line", show);
  const exited = exitOf(child);
  const ended = exited.then((code): never => {
    throw new Halt(`The Worker ended: wrangler dev stopped with code ${code}.`);
  });
  // Whoever waits for it hears of it; until somebody does, it is no unhandled rejection.
  ended.catch(() => undefined);
  return { ready: Promise.race([readyMessage(child), ended, tooLate()]), ended, stop: () => stop(child, exited) };
}

/** Ends the command when the port is taken: wrangler itself would move on to another one. */
export async function requireFreePort(port: number): Promise<void> {
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once("error", reject).listen({ host: HOST, port, exclusive: true }, resolve);
    });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : String(error);
    if (code !== "EADDRINUSE")
      throw new Halt(`Port ${port} cannot be used (${code}). Choose another: PORT=8788 npm start`);
    throw new Halt(
      `Port ${port} is in use, perhaps by another npm start. Stop what runs there, or choose another port:

  PORT=${port + 1} npm start`,
    );
  }
  await new Promise((resolve) => probe.close(resolve));
}

function show(line: string): void {
  const shown = shownLine(line);
  if (shown !== null) console.log(shown);
}

/** wrangler tells its parent when the server listens. */
function readyMessage(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on("message", (message) => {
      if (typeof message === "string" && Ready.safeParse(JSON.parse(message)).success) resolve();
    });
  });
}

async function tooLate(): Promise<never> {
  await setTimeout(READY_TIMEOUT_MS, undefined, { ref: false });
  throw new Halt(`The Worker was not ready after ${READY_TIMEOUT_MS / 1000} seconds.`);
}

async function stop(child: ChildProcess, exited: Promise<number>): Promise<void> {
  child.kill("SIGTERM");
  await Promise.race([exited, setTimeout(STOP_TIMEOUT_MS)]);
  // Whatever of the group is left.
  signal(child, "SIGKILL");
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, name);
  } catch {
    // Nothing is left of it.
  }
}
