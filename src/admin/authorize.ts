// Who is asking: the operator, or a member by admin token or browser session; and whether they may.
import { createHash, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";
import { type Env, readSettings, type Settings } from "../env.ts";
import { type Member, memberBySession, memberByToken } from "../store/members.ts";
import { ADMIN_TOKEN_PREFIX, looksIssued } from "../store/secrets.ts";
import { forbidden, noSuchOrg, Problem } from "./problem.ts";
import { may, type Permission } from "./roles.ts";

export type Principal = { kind: "operator" } | { kind: "member"; member: Member; via: "token" | "session" };

export interface AdminEnv {
  Bindings: Env;
  Variables: { principal: Principal; settings: Settings };
}

export const SESSION_COOKIE = "__Host-portcullis";

const SAFE_METHODS = new Set(["GET", "HEAD"]);

/** Sets `principal` and `settings`. 401 for nobody; an Authorization header is never made good by a cookie. */
export const authenticate = createMiddleware<AdminEnv>(async (c, next) => {
  const settings = settingsOf(c.env);
  c.set("settings", settings);
  c.set("principal", await identify(c, settings));
  await next();
});

/** The checked variables. Throws 503 when one is malformed. */
export function settingsOf(env: Env): Settings {
  const read = readSettings(env);
  if (read.ok) return read.settings;
  throw new Problem({ status: 503, code: "misconfigured", detail: `A variable is malformed: ${read.problem}.` });
}

/** The member whose session cookie came with the request, or null. Throws 403 when another site sent the request. */
export async function signedInMember(c: Context<AdminEnv>): Promise<Member | null> {
  const session = getCookie(c, SESSION_COOKIE);
  if (session === undefined || !looksIssued(session, "")) return null;
  requireSameOrigin(c);
  return memberBySession(c.env, session);
}

/** A cookie travels with requests that other sites cause; so what changes something must come from ours. */
export function requireSameOrigin(c: Context<AdminEnv>): void {
  if (SAFE_METHODS.has(c.req.method)) return;
  const origin = c.req.header("origin");
  const site = c.req.header("sec-fetch-site");
  const ours = origin === undefined ? site === "same-origin" || site === "none" : origin === new URL(c.req.url).origin;
  if (ours) return;
  throw new Problem({
    status: 403,
    code: "cross_origin",
    detail: "A browser session may change something only from this site's own pages. Nothing was changed.",
  });
}

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
    const member = await signedInMember(c);
    if (member) return { kind: "member", member, via: "session" };
    throw notSignedIn("Send an admin token as Authorization: Bearer, or sign in at /settings.");
  }
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (token !== undefined && settings.OPERATOR_TOKEN !== undefined && sameSecret(token, settings.OPERATOR_TOKEN))
    return { kind: "operator" };
  const member =
    token !== undefined && looksIssued(token, ADMIN_TOKEN_PREFIX) ? await memberByToken(c.env, token) : null;
  if (member) return { kind: "member", member, via: "token" };
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
