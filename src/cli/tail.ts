// `npm run tail`: the blocks of the deployed gateway as they happen, one readable line each. The platform samples a
// busy tail, so this is for watching; the record is in D1 (Settings → Security events).
import * as z from "zod";
import { Halt, runCommand } from "./command.ts";
import { eventLineOf } from "./event-line.ts";
import { createObjectCutter } from "./json-values.ts";
import { plainText } from "./plain-text.ts";
import { exitOf, spawnWrangler } from "./wrangler.ts";

/**
 * Cloudflare matches one text against what the Worker printed. Every event, of whichever type, carries its id, and the
 * id begins with this.
 */
const SEARCH = "evt_";

/** What is read of a tail message: prints of the Worker, or a notice of the platform's own. */
const TailMessage = z.object({
  logs: z.array(z.object({ message: z.array(z.unknown()) })).default([]),
  event: z.object({ type: z.string().optional(), message: z.string().optional() }).nullish().catch(null),
});

const wrangler = spawnWrangler(["tail", "--format", "json", "--search", SEARCH, ...process.argv.slice(2)], {
  stdio: ["ignore", "pipe", "inherit"],
});

await runCommand(tail, async () => {
  // wrangler takes the tail off the account before it ends.
  wrangler.kill("SIGTERM");
  await exitOf(wrangler);
});

async function tail(): Promise<void> {
  // Whoever reads our lines has left, as in `npm run tail | head`.
  process.stdout.on("error", () => wrangler.kill("SIGTERM"));
  console.error("Waiting for blocks. Ctrl-C ends this.");
  const cut = createObjectCutter();
  wrangler.stdout?.setEncoding("utf8").on("data", (piece: string) => {
    for (const text of cut(piece)) for (const line of linesOf(text)) console.log(line);
  });
  const code = await exitOf(wrangler);
  if (code !== 0) throw new Halt("The tail ended. What wrangler says about it stands above.");
}

function linesOf(text: string): string[] {
  const parsed = TailMessage.safeParse(JSON.parse(text));
  if (!parsed.success) return [];
  const { logs, event } = parsed.data;
  const printed = logs.flatMap(({ message }) => message.filter((part) => typeof part === "string"));
  const lines = printed.map(eventLineOf).filter((line) => line !== null);
  // The platform says when it starts and stops to drop messages.
  if (event?.type?.startsWith("overload")) lines.push(plainText(`! ${event.message ?? event.type}`));
  return lines;
}
