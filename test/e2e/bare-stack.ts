// The built Worker in bare workerd, on stores of its own: nothing stands between a client's connection and the Worker,
// which `wrangler dev` does, and its process holds nothing else, so that its memory can be measured.
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adminApi } from "../../src/cli/admin-api.ts";
import { publishCatalog } from "../../src/cli/catalog.ts";
import { SCHEMA_FILE } from "../../src/cli/paths.ts";
import { seedDemo } from "../../src/cli/seed.ts";
import { buildWorker, readCompatibility } from "../bench/build.ts";
import { startStores } from "../bench/stores.ts";
import { startWorkerd } from "../bench/workerd.ts";

export interface BareWorker {
  port: number;
  /** Mebibytes of memory that its process holds, and the most that it ever held. */
  memory(): Promise<{ now: number; peak: number }>;
}

export interface BareStack {
  key: string;
  /** One more process of the Worker, with these variables. */
  start(variables: Record<string, string>): Promise<BareWorker>;
  stop(): Promise<void>;
}

/** Builds the Worker and seeds a demo organization, whose providers all are at `upstream`. */
export async function startBareStack(upstream: string): Promise<BareStack> {
  const directory = await mkdtemp(join(tmpdir(), "portcullis-bare-"));
  const { modules } = await buildWorker(join(directory, "worker"));
  const stores = await startStores(0, SCHEMA_FILE);
  const compatibility = await readCompatibility();
  const running: { stop(): Promise<void> }[] = [];
  const operatorToken = randomBytes(32).toString("base64url");

  const start = async (variables: Record<string, string>): Promise<BareWorker> => {
    const port = await freePort();
    const text = { SANDBOX_UPSTREAM: upstream, OPERATOR_TOKEN: operatorToken, ...variables };
    const options = { name: `worker-${port}`, port, modules, compatibility, text, storesPort: stores.port };
    const workerd = await startWorkerd(directory, options);
    running.push(workerd);
    return { port, memory: () => memoryOf(workerd.pid) };
  };

  const { port } = await start({});
  const url = `http://127.0.0.1:${port}`;
  const operator = adminApi(url, operatorToken);
  await publishCatalog(operator);
  const { api_keys } = await seedDemo(url, operator, null);
  return {
    key: api_keys.web,
    start,
    async stop() {
      await Promise.all(running.map((each) => each.stop()));
      stores.close();
      await rm(directory, { recursive: true });
    },
  };
}

async function memoryOf(pid: number): Promise<{ now: number; peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const mebibytes = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  return { now: mebibytes("VmRSS"), peak: mebibytes("VmHWM") };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no free port");
  return address.port;
}
