// The real stack under faults: `wrangler dev` on this machine's own KV, D1 and queue, with a plan of what is broken. It can
// be killed as a power cut does, and started again on what it left.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { type AdminApi, adminApi, expectStatus } from "../../../src/cli/admin-api.ts";
import { publishCatalog } from "../../../src/cli/catalog.ts";
import { SCHEMA_FILE } from "../../../src/cli/paths.ts";
import { type Credentials, seedDemo } from "../../../src/cli/seed.ts";
import { exitOf, spawnWrangler } from "../../../src/cli/wrangler.ts";
import { Plan, Told } from "./plan.ts";

const WORKER = fileURLToPath(new URL("worker/index.ts", import.meta.url));
const START_TIMEOUT_MS = 120_000;
const Ready = z.object({ event: z.literal("DEV_SERVER_READY") });
const Events = z.array(z.object({ id: z.string(), request: z.string() }));
const NewKey = z.object({ key: z.string() });

export interface ChaosStack {
  url: string;
  /** Where KV and D1 lie. */
  state: string;
  /** Every line that the Worker and wrangler have printed. */
  lines: string[];
  credentials: Credentials;
  operator: AdminApi;
  owner: AdminApi;
  /** Puts a plan in force; returns what the Worker tells of itself. */
  plan(plan?: Partial<z.input<typeof Plan>>): Promise<Told>;
  /** Writes to KV past the Worker. */
  corrupt(key: string, value: string): Promise<void>;
  /** Ids and request ids of the events that are in D1. */
  events(): Promise<{ id: string; request: string }[]>;
  /** Fires the cron trigger. */
  cron(): Promise<void>;
  /** Ends all of its processes without a word. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Starts the stack under `directory`, with the demo organization; `variables` are the Worker's. */
export async function startChaosStack({
  port,
  directory,
  variables,
}: {
  port: number;
  directory: string;
  variables: Readonly<Record<string, string>>;
}): Promise<ChaosStack> {
  const url = `http://127.0.0.1:${port}`;
  const state = join(directory, "state");
  const envFile = join(directory, "chaos.env");
  const operatorToken = randomBytes(32).toString("base64url");
  await mkdir(state, { recursive: true });
  const secrets = { OPERATOR_TOKEN: operatorToken, AUDIT_SIGNING_KEY: newSigningKey() };
  const all = Object.entries({ ...secrets, ...variables });
  await writeFile(envFile, all.map(([name, value]) => `${name}='${value}'\n`).join(""));
  const lines: string[] = [];

  const launch = () => startWrangler({ port, state, envFile, lines });
  let running = await launch();
  const ask = async (what: string, body: unknown) => {
    const answer = await fetch(`${url}/__chaos/${what}`, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`the Worker under test answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  };
  await ask("schema", await readFile(SCHEMA_FILE, "utf8"));
  const operator = adminApi(url, operatorToken);
  await publishCatalog(operator);
  const credentials = await seedDemo(url, operator, null);
  const owner = adminApi(url, credentials.owner_token);

  return {
    url,
    state,
    lines,
    credentials,
    operator,
    owner,
    plan: async (plan = {}) => Told.parse(await ask("plan", Plan.parse(plan))),
    corrupt: async (key, value) => void (await ask("corrupt", { key, value })),
    events: async () => Events.parse(await ask("events", {})),
    async cron() {
      const answer = await fetch(`${url}/cdn-cgi/handler/scheduled`);
      if (!answer.ok) throw new Error(`cron failed: ${await answer.text()}`);
    },
    kill: () => running.kill(),
    async start() {
      running = await launch();
    },
  };
}

/** API keys of a project of an organization, made by its owner. */
export async function newKeys(
  owner: AdminApi,
  { org, project, count }: { org: string; project: string; count: number },
): Promise<string[]> {
  const keys: string[] = [];
  while (keys.length < count) {
    const answer = await owner.call("POST", `/orgs/${org}/keys`, { project, name: `${project} ${keys.length}` });
    expectStatus(answer, [200, 201], "creating a key");
    keys.push(NewKey.parse(answer.body).key);
  }
  return keys;
}

interface Running {
  kill(): Promise<void>;
}

async function startWrangler({
  port,
  state,
  envFile,
  lines,
}: {
  port: number;
  state: string;
  envFile: string;
  lines: string[];
}): Promise<Running> {
  const where = ["--ip", "127.0.0.1", "--port", String(port), "--persist-to", state, "--env-file", envFile];
  const child = spawnWrangler(["dev", WORKER, ...where, "--show-interactive-dev-session=false"], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr])
    if (stream) createInterface({ input: stream }).on("line", (line) => lines.push(line));
  const exited = exitOf(child);
  const ready = new Promise<void>((resolve, reject) => {
    child.on("message", (message) => {
      if (typeof message === "string" && Ready.safeParse(JSON.parse(message)).success) resolve();
    });
    void exited.then((code) => reject(new Error(`wrangler dev ended with ${code}:\n${lines.slice(-40).join("\n")}`)));
    setTimeout(() => reject(new Error("wrangler dev was not ready in time")), START_TIMEOUT_MS).unref();
  });
  const killGroup = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, "SIGKILL");
  };
  process.once("exit", killGroup);
  await ready;
  return {
    async kill() {
      process.off("exit", killGroup);
      const closed = once(child, "close");
      killGroup();
      await closed;
    },
  };
}

/** As AUDIT_SIGNING_KEY takes it. */
function newSigningKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
}
