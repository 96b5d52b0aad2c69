// Runs one Worker in a bare workerd process of its own, and reads how much CPU time that process has used.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { join, relative } from "node:path";
import { onMeasuredCpu } from "./pinning.ts";

export interface WorkerdModule {
  name: string;
  path: string;
  type: "esModule" | "text";
}

export interface WorkerdOptions {
  name: string;
  port: number;
  /** The first is the main module. */
  modules: readonly WorkerdModule[];
  compatibility: { date: string; flags: readonly string[] };
  text: Readonly<Record<string, string>>;
  /** Port of the server that stands in for KV, D1 and Queues, when the Worker has such bindings. */
  storesPort?: number;
  inspectorPort?: number;
}

export interface Workerd {
  port: number;
  pid: number;
  /** CPU time of all its threads so far, in nanoseconds. */
  cpuNanoseconds(): Promise<number>;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 15_000;
/** The binary that miniflare and wrangler run, too. */
const { default: workerd } = createRequire(import.meta.url)("workerd") as { default: string };

/** Starts workerd under `directory` and waits until it listens. */
export async function startWorkerd(directory: string, options: WorkerdOptions): Promise<Workerd> {
  const { name, port, inspectorPort } = options;
  await mkdir(directory, { recursive: true });
  const config = join(directory, `${name}.capnp`);
  await writeFile(config, capnp(directory, options));
  const inspector = inspectorPort === undefined ? [] : [`--inspector-addr=127.0.0.1:${inspectorPort}`];
  const [command, args] = onMeasuredCpu(workerd, ["serve", ...inspector, config]);
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  const killWithUs = () => child.kill("SIGKILL");
  process.on("exit", killWithUs);
  child.once("exit", () => process.off("exit", killWithUs));
  let complaints = "";
  child.stderr.on("data", (bytes: Buffer) => {
    complaints = (complaints + bytes).slice(-4_000);
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`workerd did not start for ${name}`);
  for (const deadline = Date.now() + START_TIMEOUT_MS; !(await listens(port)); ) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill();
      throw new Error(`workerd did not serve ${name} on port ${port}:\n${complaints}`);
    }
  }
  return { port, pid, cpuNanoseconds: () => cpuNanoseconds(pid), stop: () => stop(child) };
}

function capnp(directory: string, { name, port, modules, compatibility, text, storesPort }: WorkerdOptions): string {
  const q = (value: string) => JSON.stringify(value);
  const bindings = Object.entries(text).map(([key, value]) => `(name = ${q(key)}, text = ${q(value)})`);
  const services = [`(name = "internet", network = (allow = ["local"]))`];
  if (storesPort !== undefined) {
    for (const store of ["kv", "d1", "queue"])
      services.push(
        `(name = ${q(store)}, external = (address = "127.0.0.1:${storesPort}", http = (injectRequestHeaders = [(name = "x-store", value = ${q(store)})])))`,
      );
    bindings.push(
      `(name = "CONFIG", kvNamespace = "kv")`,
      `(name = "AUDIT", queue = "queue")`,
      `(name = "DB", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = "d1")]))`,
    );
  }
  const moduleList = modules.map(
    (module) => `(name = ${q(module.name)}, ${module.type} = embed ${q(relative(directory, module.path))})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.join(",\n    ")},
    (name = ${q(name)}, worker = (
      modules = [${moduleList.join(", ")}],
      compatibilityDate = ${q(compatibility.date)},
      compatibilityFlags = [${compatibility.flags.map(q).join(", ")}],
      bindings = [${bindings.join(", ")}],
    )),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = ${q(name)})],
);
`;
}

async function cpuNanoseconds(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8")));
  return times.reduce((sum, time) => sum + Number(time.split(" ", 1)[0]), 0);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (answer: boolean) => {
      socket.destroy();
      if (answer) resolve(true);
      else setTimeout(resolve, 20, false);
    };
    socket.on("connect", () => settle(true));
    socket.on("error", () => settle(false));
  });
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}
