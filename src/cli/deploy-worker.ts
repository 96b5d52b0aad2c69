// Deploying the Worker itself, and finding out where it then answers.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { Halt } from "./command.ts";
import { exitOf, spawnWrangler } from "./wrangler.ts";

/** One line of the report that wrangler writes about what it did. */
const Deployed = z.object({ type: z.literal("deploy"), targets: z.array(z.string()) });

/** Deploys, showing what wrangler says and letting it ask; returns the Worker's address. */
export async function deployWorker(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "portcullis-"));
  const report = join(directory, "report.ndjson");
  try {
    const wrangler = spawnWrangler(["deploy"], {
      stdio: ["inherit", "inherit", "inherit"],
      env: { WRANGLER_OUTPUT_FILE_PATH: report },
    });
    if ((await exitOf(wrangler)) !== 0)
      throw new Halt("The Worker was not deployed. What wrangler says about it stands above.");
    return addressOf(readFileSync(report, "utf8"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The address in wrangler's report; PORTCULLIS_URL says it where the report cannot, as for a route with a pattern. */
export function addressOf(report: string): string {
  if (process.env.PORTCULLIS_URL) return process.env.PORTCULLIS_URL.replace(/\/+$/, "");
  for (const line of report.split("\n").filter(Boolean)) {
    const deployed = Deployed.safeParse(JSON.parse(line));
    const address = deployed.data?.targets.map(addressOfTarget).find((found) => found !== null);
    if (address) return address;
  }
  throw new Halt(
    "The Worker is deployed, but wrangler names no address to reach it at. Say it:  PORTCULLIS_URL=https://… npm run deploy",
  );
}

/** `https://name.account.workers.dev`, or `llm.example.com (custom domain)`. */
function addressOfTarget(target: string): string | null {
  if (target.startsWith("https://")) return target;
  const domain = /^([a-z0-9.-]+) \(custom domain/.exec(target)?.[1];
  return domain ? `https://${domain}` : null;
}
