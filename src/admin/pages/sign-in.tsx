// Signing in with an admin token, and out again. A session is new at every sign-in, and the one before it ends.
import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { closeSession, memberByToken, openSession, SESSION_SECONDS } from "../../store/members.ts";
import { ADMIN_TOKEN_PREFIX, API_KEY_PREFIX, looksIssued } from "../../store/secrets.ts";
import { ACCESS_SIGN_OUT } from "../access-jwt.ts";
import type { AdminEnv } from "../authorize.ts";
import { hasAssertion, SESSION_COOKIE } from "../person.ts";
import { retryAfterSeconds } from "../problem.ts";
import { beyondLimit, recordRefusedToken } from "../refused-sign-in.ts";
import { requireSameOrigin } from "../same-origin.ts";
import { COOKIE_RULES, ORGANIZATION_COOKIE, personHere } from "./access.ts";
import { nextPage } from "./next-page.ts";
import { postedForm } from "./posted-form.ts";
import { SignedOutOfAccessPage, SignInPage } from "./sign-in-page.tsx";

export const signIn = new Hono<AdminEnv>();

signIn.get("/sign-in", async (c) => {
  const next = nextPage(c.req.query("next"));
  if (!hasAssertion(c, c.get("settings"))) return c.html(<SignInPage next={next} />);
  // Access has signed them in, or it says why it has not.
  await personHere(c);
  return c.redirect(next);
});

signIn.post("/sign-in", async (c) => {
  requireSameOrigin(c);
  const form = await postedForm(c);
  const token = (form.get("token") ?? "").trim();
  const next = nextPage(form.get("next"));
  // Every attempt counts here, and before any look-up: people sign in rarely.
  const limited = await beyondLimit(c, "page");
  if (limited) {
    c.header("retry-after", String(retryAfterSeconds(limited.code)));
    return c.html(<SignInPage error={limited.detail} next={next} />, limited.status);
  }
  const issued = looksIssued(token, ADMIN_TOKEN_PREFIX) ? token : null;
  const member = issued && (await memberByToken(c.env, issued));
  if (!member) {
    if (token !== "") await recordRefusedToken(c, "page", issued);
    return c.html(<SignInPage error={refusalOf(token)} next={next} />, 401);
  }
  await endSession(c);
  setCookie(c, SESSION_COOKIE, await openSession(c.env, member), { ...COOKIE_RULES, maxAge: SESSION_SECONDS });
  return c.redirect(next, 303);
});

signIn.post("/sign-out", async (c) => {
  requireSameOrigin(c);
  await endSession(c);
  deleteCookie(c, SESSION_COOKIE, COOKIE_RULES);
  deleteCookie(c, ORGANIZATION_COOKIE, COOKIE_RULES);
  if (!hasAssertion(c, c.get("settings"))) return c.redirect("/settings/sign-in", 303);
  // Not by redirect: Access goes on to its own domain, and our form-action would stop a form that ends there.
  c.header("refresh", `0; url=${ACCESS_SIGN_OUT}`);
  return c.html(<SignedOutOfAccessPage />);
});

async function endSession(c: Context<AdminEnv>): Promise<void> {
  const session = getCookie(c, SESSION_COOKIE);
  if (session) await closeSession(c.env, session);
}

function refusalOf(token: string): string {
  if (token === "") return "Enter your admin token.";
  if (token.startsWith(API_KEY_PREFIX))
    return "This is an API key, for requests to /v1. Signing in takes an admin token.";
  return "This is not a valid admin token. It may be mistyped, expired, or no longer in use.";
}
