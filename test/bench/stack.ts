// What is measured, ready to be called: the built Worker with its catalog, a demo organization and its policy, made through
// the admin API as `npm start` does; two bare Workers; one that judges nothing; and the upstream of them all.
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { adminApi } from "../../src/cli/admin-api.ts";
import { publishCatalog } from "../../src/cli/catalog.ts";
import { SCHEMA_FILE } from "../../src/cli/paths.ts";
import { type Credentials, seedDemo } from "../../src/cli/seed.ts";
import { type Built, readCompatibility } from "./build.ts";
import { type Stores, startStores } from "./stores.ts";
import { startWorkerd, type Workerd, type WorkerdOptions } from "./workerd.ts";

const FIRST_PORT = Number(process.env.BENCH_PORT ?? 18100);
const PORTS = {
  upstream: 0,
  stores: 1,
  streams: 2,
  reads: 3,
  gateway: 4,
  another: 5,
  evaluation: 6,
  inspector: 7,
  floor: 8,
};

export const portOf = (name: keyof typeof PORTS): number => FIRST_PORT + PORTS[name];

export interface Stack {
  /** Streams the body on. */
  streams: Workerd;
  /** Reads the body first. */
  reads: Workerd;
  /** Does what a gateway must, and judges nothing. */
  floor: Workerd;
  gateway: Workerd;
  stores: Stores;
  credentials: Credentials;
  /** One more process of the Worker, on the same stores: a fresh isolate. */
  startAnother(): Promise<Workerd>;
  stop(): Promise<void>;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Starts everything under `directory`; `inspect` opens the gateway's inspector. */
export async function startStack(
  directory: string,
  { built, floor: builtFloor }: { built: Built; floor: Built },
  inspect = false,
): Promise<Stack> {
  const upstream = await startUpstream();
  const stores = await startStores(portOf("stores"), SCHEMA_FILE);
  const operatorToken = randomBytes(32).toString("base64url");
  const sandbox = { SANDBOX_UPSTREAM: `http://127.0.0.1:${portOf("upstream")}` };
  const compatibility = await readCompatibility();
  const start = (name: keyof typeof PORTS, options: Pick<WorkerdOptions, "modules"> & Partial<WorkerdOptions>) =>
    startWorkerd(directory, { name, port: portOf(name), compatibility, text: sandbox, ...options });
  const bare = (name: "streams" | "reads", file: string) =>
    start(name, { modules: [{ name: "bare.js", path: here(file), type: "esModule" }] });
  const worker = {
    modules: built.modules,
    storesPort: stores.port,
    text: { ...sandbox, OPERATOR_TOKEN: operatorToken },
    ...(inspect && { inspectorPort: portOf("inspector") }),
  };

  const streams = await bare("streams", "bare-stream.js");
  const reads = await bare("reads", "bare-text.js");
  const floor = await start("floor", { modules: builtFloor.modules });
  const gateway = await start("gateway", worker);
  const url = `http://127.0.0.1:${gateway.port}`;
  const operator = adminApi(url, operatorToken);
  await publishCatalog(operator);
  const credentials = await seedDemo(url, operator, null);
  return {
    streams,
    reads,
    floor,
    gateway,
    stores,
    credentials,
    startAnother: () => start("another", { ...worker, modules: built.modules }),
    async stop() {
      await Promise.all([streams, reads, floor, gateway].map((each) => each.stop()));
      stores.close();
      upstream.disconnect();
    },
  };
}

function startUpstream(): Promise<ChildProcess> {
  const child = fork(here("upstream.ts"), [`${portOf("upstream")}`]);
  return new Promise((resolve, reject) => {
    child.once("message", () => resolve(child));
    child.once("exit", () =>
      reject(new Error(`port ${portOf("upstream")} is in use; set BENCH_PORT to the first of ten free ones`)),
    );
  });
}
