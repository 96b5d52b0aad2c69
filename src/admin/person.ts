// The person at a browser: whom Cloudflare Access vouches for, or whose session cookie came with the request.
import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import type { Settings } from "../env.ts";
import { type Member, memberBySession, membershipsOf } from "../store/members.ts";
import { looksIssued } from "../store/secrets.ts";
import { ACCESS_HEADER, type Access, accessOf, checkAssertion } from "./access-jwt.ts";
import type { AdminEnv } from "./authorize.ts";
import { Problem, unavailable } from "./problem.ts";
import { beyondLimit, recordRefusedAssertion } from "./refused-sign-in.ts";
import { requireSameOrigin } from "./same-origin.ts";

export const SESSION_COOKIE = "__Host-portcullis";

export interface Person {
  /** At least one. A session is for one organization; an address may be a member of several. */
  memberships: readonly [Member, ...Member[]];
  via: "session" | "access";
}

/** Whether Cloudflare Access put an assertion on the request; false while Access is off. */
export function hasAssertion(c: Context<AdminEnv>, settings: Settings): boolean {
  return accessOf(settings) !== null && c.req.header(ACCESS_HEADER) !== undefined;
}

/**
 * Who is at the browser, or null. An assertion decides alone: one that does not hold is never made good by a cookie.
 * Throws 401 for that, 403 for a stranger or a request of another site's, 503 when it cannot be known.
 */
export async function personAt(c: Context<AdminEnv>, settings: Settings): Promise<Person | null> {
  const access = accessOf(settings);
  const assertion = c.req.header(ACCESS_HEADER);
  if (access && assertion !== undefined) return personByAccess(c, access, assertion);
  const session = getCookie(c, SESSION_COOKIE);
  if (session === undefined || !looksIssued(session, "")) return null;
  requireSameOrigin(c);
  const member = await memberBySession(c.env, session);
  return member && { memberships: [member], via: "session" };
}

async function personByAccess(c: Context<AdminEnv>, access: Access, given: string): Promise<Person> {
  requireSameOrigin(c);
  const assertion = await checkAssertion(c.env, access, given);
  switch (assertion.kind) {
    case "keys_unreachable":
      throw unavailable(
        "The keys of Cloudflare Access cannot be read, so nobody can be recognized. Try again shortly.",
      );
    case "refused":
      await refused(c, { reason: assertion.reason });
      throw new Problem({
        status: 401,
        code: "access_refused",
        detail: `The assertion on this request does not hold: ${assertion.reason.replaceAll("_", " ")}. Sign in to Cloudflare Access again.`,
      });
    case "no_email":
      await refused(c, { reason: "no_email" });
      throw new Problem({
        status: 403,
        code: "not_a_member",
        detail:
          "Cloudflare Access vouches for a service, not for a person with an address. Send an admin token as Authorization: Bearer beside the service token.",
      });
    case "person": {
      const [first, ...others] = await membershipsOf(c.env, assertion.email);
      if (first) return { memberships: [first, ...others], via: "access" };
      await refused(c, { reason: "not_a_member", email: assertion.email });
      throw new Problem({
        status: 403,
        code: "not_a_member",
        detail: `You are ${assertion.email} to Cloudflare Access, and a member of no organization here. Ask an owner of yours to add this address.`,
      });
    }
  }
}

async function refused(c: Context<AdminEnv>, why: { reason: string; email?: string }): Promise<void> {
  const limited = await beyondLimit(c, "access");
  if (limited) throw limited;
  await recordRefusedAssertion(c, why);
}
