// What an attempt to sign in meets besides its answer: a limit by address, and a row in the audit log when it fails.
//
// Where the limiter does not answer, the attempt goes on. A token has 256 random bits and an assertion a signature: the
// limit spares the database, it does not protect a secret; and a policy that nobody can reach to tighten is the worse
// outage. Of the record it is the other way round: no answer, no row, so that nobody can fill the log from outside; the
// line on the console remains. An unknown address is not counted: one count for all would let anybody lock everybody out.
import type { Context } from "hono";
import { countAttempt, countRecord, LIMIT_PERIOD_SECONDS } from "../store/rate-limits.ts";
import { recordRefusedSignIn } from "../store/sign-in-records.ts";
import { refusedToken } from "../store/tokens.ts";
import type { AdminEnv } from "./authorize.ts";
import { networkOf } from "./caller-address.ts";
import { Problem } from "./problem.ts";

export type SignInWay = "page" | "bearer" | "access";

/** Counts an attempt by this address: the 429 to answer with when it is beyond the limit, else null. */
export async function beyondLimit(c: Context<AdminEnv>, way: SignInWay): Promise<Problem | null> {
  const network = networkOf(c.req.raw.headers);
  if (network === null || (await countAttempt(c.env, `${way} ${network}`)) !== "beyond") return null;
  return new Problem({
    status: 429,
    code: "too_many_attempts",
    detail: `Too many attempts to sign in from your address. Wait ${LIMIT_PERIOD_SECONDS} seconds, then try again.`,
  });
}

/** Records that a token was refused: under its organization where it once was one's, under none where it is junk. */
export async function recordRefusedToken(c: Context<AdminEnv>, way: SignInWay, token: string | null): Promise<void> {
  await record(c, way, async () => {
    const known = token === null ? null : await refusedToken(c.env, token);
    return known
      ? { org: known.org, target: known.email, detail: { token: known.id, reason: known.reason } }
      : { org: null, target: "unknown", detail: { reason: "unknown_token" } };
  });
}

/** Records that an assertion was refused; `email` where Access vouched for one. */
export async function recordRefusedAssertion(
  c: Context<AdminEnv>,
  { reason, email }: { reason: string; email?: string },
): Promise<void> {
  await record(c, "access", async () => ({ org: null, target: email ?? "unknown", detail: { reason } }));
}

/** Never throws: that an attempt cannot be recorded does not change its answer. */
async function record(
  c: Context<AdminEnv>,
  way: SignInWay,
  about: () => Promise<{ org: string | null; target: string; detail: Record<string, unknown> }>,
): Promise<void> {
  const address = networkOf(c.req.raw.headers);
  try {
    const limit = address === null ? "within" : await countRecord(c.env, address);
    if (limit === "beyond") return;
    if (limit === "unknown") return notRecorded(way);
    const { detail, ...entry } = await about();
    await recordRefusedSignIn(c.env, { ...entry, actor: "anonymous", detail: { ...detail, way, address } });
  } catch {
    notRecorded(way);
  }
}

function notRecorded(way: SignInWay): void {
  console.error(JSON.stringify({ message: "admin.sign_in_not_recorded", way }));
}
