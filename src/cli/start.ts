// `npm start`: the whole of Portcullis on this machine, with a demo organization and a stand-in for the providers.
// Options: --fresh forgets the local state first; --live calls the real providers with the keys in .dev.vars.
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { adminApi } from "./admin-api.ts";
import { publishCatalog, readShippedCatalog } from "./catalog.ts";
import { Halt, runCommand } from "./command.ts";
import { applySchema } from "./database.ts";
import { type Demo, readDemo, writeDemo } from "./demo.ts";
import { type DevServer, HOST, requireFreePort, startDevServer } from "./dev-server.ts";
import {
  newAuditSigningKey,
  newCredentialsKey,
  newOperatorToken,
  readDevVars,
  writeLocalVariables,
} from "./local-variables.ts";
import { DEMO_FILE, STATE_DIRECTORY } from "./paths.ts";
import { startSandbox } from "./sandbox.ts";
import { DEMO_ORG, isAdminToken, seedDemo } from "./seed.ts";
import { welcome } from "./welcome.ts";

const DEFAULT_PORT = 8787;

interface Options {
  fresh: boolean;
  live: boolean;
  port: number;
}

interface Upstream {
  /** Null when the real providers are called. */
  url: string | null;
  note: string;
}

let server: DevServer | undefined;

await runCommand(start, async () => server?.stop());

async function start(): Promise<void> {
  const options = readOptions();
  const url = `http://${HOST}:${options.port}`;
  await requireFreePort(options.port);
  await requireSoleUse(readDemo());
  const upstream = await chooseUpstream(options);
  if (options.fresh) for (const path of [STATE_DIRECTORY, DEMO_FILE]) rmSync(path, { recursive: true, force: true });

  const earlier = readDemo();
  const devVars = readDevVars();
  const operatorToken = devVars.OPERATOR_TOKEN || (earlier?.operator_token ?? newOperatorToken());
  const credentialsKey = devVars.CREDENTIALS_KEY || (earlier?.credentials_key ?? newCredentialsKey());
  const auditSigningKey = devVars.AUDIT_SIGNING_KEY || (earlier?.audit_signing_key ?? newAuditSigningKey());
  const envFiles = writeLocalVariables({
    operatorToken,
    credentialsKey,
    auditSigningKey,
    upstream: upstream.url,
    sandboxProviders: process.env.SANDBOX_PROVIDERS ?? devVars.SANDBOX_PROVIDERS,
  });
  console.log("Starting Portcullis …");
  await applySchema("local");
  server = startDevServer(options.port, envFiles);
  await server.ready;

  const operator = adminApi(url, operatorToken);
  await publishCatalog(operator);
  const credentials = await seedDemo(url, operator, earlier);
  const kept = { operator_token: operatorToken, credentials_key: credentialsKey, audit_signing_key: auditSigningKey };
  const demo = { url, org: DEMO_ORG, ...credentials, ...kept, upstream: upstream.url };
  writeDemo(demo);
  console.log(welcome(demo, upstream.note));
  await server.ended;
}

function readOptions(): Options {
  const known = { fresh: { type: "boolean" }, live: { type: "boolean" } } as const;
  try {
    const { fresh = false, live = false } = parseArgs({ options: known }).values;
    const port = Number(process.env.PORT || DEFAULT_PORT);
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new Error(`PORT=${process.env.PORT} is no port number.`);
    return { fresh, live, port };
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new Halt(`${why}\n\nUsage:  [PORT=8787] npm start [-- --fresh] [--live]`);
  }
}

/** Ends the command when this installation runs already, on another port: both would write to one state. */
async function requireSoleUse(earlier: Demo | null): Promise<void> {
  if (!earlier || !(await isAdminToken(earlier.url, earlier.owner_token).catch(() => false))) return;
  throw new Halt(`Portcullis is running already, at ${earlier.url}. Stop it first: two would share one state.`);
}

async function chooseUpstream({ live }: Options): Promise<Upstream> {
  const given = process.env.SANDBOX_UPSTREAM;
  if (live) {
    if (given) throw new Halt("--live calls the real providers, SANDBOX_UPSTREAM a stand-in: unset one of the two.");
    return { url: null, note: `the real providers, with ${liveKeys().join(", ")} from .dev.vars` };
  }
  if (given) return { url: given, note: `${given} (SANDBOX_UPSTREAM)` };
  const url = await startSandbox();
  return { url, note: `a stand-in for all providers; what reached it: ${url}/__aimock/journal` };
}

/** The names of the provider secrets that .dev.vars sets. */
function liveKeys(): string[] {
  const devVars = readDevVars();
  const names = new Set(readShippedCatalog().providers.map(({ secret }) => secret));
  const set = [...names].filter((name) => devVars[name]);
  if (set.length > 0) return set;
  throw new Halt("--live needs a provider's key in .dev.vars. Copy .dev.vars.example and set at least one.");
}
