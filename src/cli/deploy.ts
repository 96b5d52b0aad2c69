// `npm run deploy`: from a fresh Cloudflare account to a gateway that answers. Every step looks first and does only what
// is missing, so a second run is harmless and a run that failed is simply repeated.
import { adminApi } from "./admin-api.ts";
import { publishCatalog, readShippedCatalog } from "./catalog.ts";
import { Halt, runCommand } from "./command.ts";
import { applySchema } from "./database.ts";
import { deployWorker } from "./deploy-worker.ts";
import { ensureOperatorToken } from "./operator-token.ts";
import { untilOperatorIsKnown } from "./patience.ts";
import { ensureQueues } from "./queues.ts";
import { smokeTest } from "./smoke-test.ts";
import { listSecrets } from "./worker-secrets.ts";
import { runWrangler } from "./wrangler.ts";

await runCommand(deploy);

async function deploy(): Promise<void> {
  await requireAccount();
  for (const { name, created } of await ensureQueues())
    say("Queue", `${name} ${created ? "created" : "exists already"}`);

  const url = await deployWorker();
  say("Worker", `deployed at ${url}`);
  // After the Worker, since deploying it makes the database. Until then an old schema serves new code for some seconds:
  // requests need only KV, and an event that D1 does not take comes again through the queue.
  say("Database", await applySchema("remote"));

  const secrets = await listSecrets();
  const { token, note } = await ensureOperatorToken(secrets);
  say("Operator", note);
  const operator = adminApi(url, token);
  await untilOperatorIsKnown(operator);
  const catalog = await publishCatalog(operator);
  say("Catalog", `${catalog.version} ${catalog.changed ? "published" : "is in force already"}`);

  for (const passed of await smokeTest(url, operator, catalog.version)) say("Check", passed);
  say("Done", `settings at ${url}/settings`);
  const missing = [providerSecretsNote(secrets), auditSigningKeyNote(secrets), credentialsKeyNote(secrets)];
  for (const note of missing) if (note) say("Next", note);
}

async function requireAccount(): Promise<void> {
  const { ok } = await runWrangler(["whoami", "--json"]);
  if (ok) return;
  throw new Halt(
    `No Cloudflare account is signed in. Either sign in:  npx wrangler login
or set CLOUDFLARE_API_TOKEN (it needs to edit Workers Scripts, Workers KV Storage, D1 and Queues).`,
  );
}

function providerSecretsNote(secrets: readonly string[]): string | null {
  const named = readShippedCatalog().providers.map(({ secret }) => secret);
  if (named.some((secret) => secrets.includes(secret))) return null;
  return "no provider can be called yet: npx wrangler secret put OPENAI_API_KEY (names in .dev.vars.example)";
}

function auditSigningKeyNote(secrets: readonly string[]): string | null {
  if (secrets.includes("AUDIT_SIGNING_KEY")) return null;
  return `the event chains are not signed yet, and retention removes nothing. Make a key, keep a copy, and set it:
          openssl genpkey -algorithm ed25519 -outform DER | base64 -w0, then npx wrangler secret put AUDIT_SIGNING_KEY`;
}

function credentialsKeyNote(secrets: readonly string[]): string | null {
  if (secrets.includes("CREDENTIALS_KEY")) return null;
  return `organizations cannot store provider keys of their own yet. Make a key, keep a copy (replacing it needs it), and
          set it: openssl rand -base64 32, then npx wrangler secret put CREDENTIALS_KEY`;
}

function say(step: string, what: string): void {
  console.log(`${step.padEnd(10)}${what}`);
}
