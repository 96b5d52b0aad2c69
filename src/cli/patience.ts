// Waiting for what was deployed to be in force: a new Worker's address, certificate and secrets take a while to be known
// wherever Cloudflare may answer us from.
import { setTimeout } from "node:timers/promises";
import * as z from "zod";
import type { AdminApi, Answer } from "./admin-api.ts";
import { Halt } from "./command.ts";

const PATIENCE_MS = 90_000;
const PAUSE_MS = 2_000;

/** Ours, and not a page of the platform that also says 404. */
const Problem = z.object({ code: z.string() });

/** Resolves when the gateway takes the operator's token. */
export async function untilOperatorIsKnown(operator: AdminApi): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await operator.call("GET", "/catalog").catch((error: unknown) => String(error));
    if (typeof answer !== "string" && isKnown(answer)) return;
    if (Date.now() > deadline) throw notKnown(answer);
    await setTimeout(PAUSE_MS);
  }
}

function isKnown({ status, body }: Answer): boolean {
  return status === 200 || (status === 404 && Problem.safeParse(body).success);
}

function notKnown(answer: Answer | string): Halt {
  if (typeof answer !== "string" && answer.status === 401)
    return new Halt(
      `The Worker does not take this OPERATOR_TOKEN: its secret has another value. Run again with the right one in the
environment, or set the secret anew:  npx wrangler secret put OPERATOR_TOKEN`,
    );
  const what = typeof answer === "string" ? `cannot be reached (${answer})` : `answers ${answer.status}`;
  return new Halt(`The Worker is deployed, but its admin API ${what}. If that passes with time, run this again.`);
}
