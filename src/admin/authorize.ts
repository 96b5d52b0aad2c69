// Who calls the admin API: the operator, or a member by admin token or as the person at a browser; and whether they may.
import { createHash, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { type Env, type Settings, settingsOf } from "../env.ts";
import { type Member, memberByToken } from "../store/members.ts";
import { ADMIN_TOKEN_PREFIX, looksIssued } from "../store/secrets.ts";
import { personAt } from "./person.ts";
import { forbidden, noSuchOrg, Problem } from "./problem.ts";
import { beyondLimit, recordRefusedToken } from "./refused-sign-in.ts";
import { may, type Permission } from "./roles.ts";

export type Principal = { kind: "operator" } | { kind: "member"; member: Member; via: "token" | "session" | "access" };

export interface AdminEnv {
  Bindings: Env;
  Variables: { principal: Principal; settings: Settings };
}

const ORG_IN_PATH = /\/orgs\/([^/]+)/;

/** Sets `principal` and `settings`. 401 for nobody; an Authorization header is never made good by anything else. */
export const authenticate = createMiddleware<AdminEnv>(async (c, next) => {
  const settings = settingsOf(c.env);
  c.set("settings", settings);
  c.set("principal", await identify(c, settings));
  await next();
});

/** The member asking. 404 when it is not their organization, 403 when their role lacks the permission. */
export function requireMember(c: Context<AdminEnv>, org: string, permission: Permission): Member {
  const principal = c.get("principal");
  if (principal.kind === "operator") throw forbidden("The operator has no part in what an organization decides.");
  const { member } = principal;
  if (member.org !== org) throw noSuchOrg();
  if (!may(member.role, permission))
    throw new Problem({
      status: 403,
      code: "role_required",
      detail: `This is not open to the role ${member.role}.`,
    });
  return member;
}

/** Lets only the operator pass. A member gets 403, or 404 for an organization that is not theirs. */
export function requireOperator(c: Context<AdminEnv>, org?: string): void {
  const principal = c.get("principal");
  if (principal.kind === "operator") return;
  if (org !== undefined && principal.member.org !== org) throw noSuchOrg();
  throw forbidden("Only the operator may do this.");
}

async function identify(c: Context<AdminEnv>, settings: Settings): Promise<Principal> {
  const authorization = c.req.header("authorization");
  if (authorization === undefined) {
    const person = await personAt(c, settings);
    if (!person) throw notSignedIn("Send an admin token as Authorization: Bearer, or sign in at /settings.");
    // Whoever is a member of several organizations is asked about the one in the path.
    const asked = ORG_IN_PATH.exec(c.req.path)?.[1];
    const member = person.memberships.find(({ org }) => org === asked) ?? person.memberships[0];
    return { kind: "member", member, via: person.via };
  }
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? null;
  if (token !== null && settings.OPERATOR_TOKEN !== undefined && sameSecret(token, settings.OPERATOR_TOKEN))
    return { kind: "operator" };
  const issued = token !== null && looksIssued(token, ADMIN_TOKEN_PREFIX) ? token : null;
  const member = issued && (await memberByToken(c.env, issued));
  if (member) return { kind: "member", member, via: "token" };
  // Only what failed is counted: automation may call as often as it likes, and nobody at the same address can stop it.
  const limited = await beyondLimit(c, "bearer");
  if (limited) throw limited;
  await recordRefusedToken(c, "bearer", issued);
  throw notSignedIn("This is not an admin token of this installation, or it is no longer valid.");
}

function notSignedIn(detail: string): Problem {
  return new Problem({ status: 401, code: "not_signed_in", detail });
}

/** Compared by digest, so that the time taken tells nothing of content or length. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
