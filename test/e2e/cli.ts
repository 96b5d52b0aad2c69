// The command line as a person and a pipeline call it, in a directory of its own.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { demo, type StoredPolicy } from "./client.ts";

export const ROOT = new URL("../..", import.meta.url).pathname;
const NODE = join(ROOT, "node_modules/.bin/node");
export const CLI = join(ROOT, "src/cli/portcullis.ts");

export const POLICY: StoredPolicy = {
  enabled: true,
  requirements: ["soc2_type2", "no_training"],
  headquarters: [],
  providers: { allow: [], block: [] },
  models: { allow: [], block: [] },
};
const SECRETS = [demo.owner_token, demo.admin_token, demo.operator_token];

let directory: string;
/** Where a file of that name is, in the directory that commands run in. */
export const at = (name: string) => join(directory, name);

/** Makes the directory, with what `npm start` leaves in it, and takes it away in the end. */
export function useDirectory(): void {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "portcullis-cli-"));
    await writeFile(at("demo.json"), JSON.stringify(demo));
  });
  afterAll(() => rm(directory, { recursive: true }));
}

export interface Ended {
  code: number;
  out: string;
  err: string;
}

/** An environment that says where and on whose behalf, or `demo`: the file that `npm start` left. */
export type Environment = Record<string, string> | "demo";
export const asAdmin = () => ({
  PORTCULLIS_URL: demo.url,
  PORTCULLIS_TOKEN: demo.admin_token,
  PORTCULLIS_ORG: demo.org,
});

function environmentOf(environment: Environment): NodeJS.ProcessEnv {
  const given = environment === "demo" ? { PORTCULLIS_LOCAL_DIRECTORY: directory } : environment;
  return { PATH: process.env.PATH, PORTCULLIS_LOCAL_DIRECTORY: at("nothing-here"), ...given };
}

/** Runs a command to its end. Whatever it prints, it is no token. */
export async function run(
  args: string[],
  { env = asAdmin(), stdin = "" }: { env?: Environment; stdin?: string } = {},
): Promise<Ended> {
  const ended = await new Promise<Ended>((resolve) => {
    const child = execFile(NODE, [CLI, ...args], { env: environmentOf(env), cwd: directory }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
    child.stdin?.end(stdin);
  });
  for (const secret of SECRETS) expect(ended.out + ended.err).not.toContain(secret);
  return ended;
}

/** Starts a command that does not end by itself; what it printed so far is in `out` and `err`. */
export function follow(args: string[], env: Environment): { child: ChildProcess; out: string; err: string } {
  const child = spawn(NODE, [CLI, ...args], { env: environmentOf(env), cwd: directory });
  const followed = { child, out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (piece: string) => (followed.out += piece));
  child.stderr.setEncoding("utf8").on("data", (piece: string) => (followed.err += piece));
  return followed;
}

/** Listens on this machine, on a free port for 0; returns the port. */
export async function listening(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}
