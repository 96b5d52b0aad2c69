// Signing in with an admin token, and out again. A session is new at every sign-in, and the one before it ends.
import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { closeSession, memberByToken, openSession, SESSION_SECONDS } from "../../store/members.ts";
import { ADMIN_TOKEN_PREFIX, API_KEY_PREFIX, looksIssued } from "../../store/secrets.ts";
import { type AdminEnv, requireSameOrigin, SESSION_COOKIE } from "../authorize.ts";
import { postedForm } from "./posted-form.ts";
import { SignInPage } from "./sign-in-page.tsx";

const COOKIE_RULES = { path: "/", secure: true, httpOnly: true, sameSite: "Lax" } as const;
/** From here everybody is led to the first page that their role may see. */
const HOME = "/settings";

export const signIn = new Hono<AdminEnv>();

signIn.get("/sign-in", (c) => c.html(<SignInPage next={nextPage(c.req.query("next"))} />));

signIn.post("/sign-in", async (c) => {
  requireSameOrigin(c);
  const form = await postedForm(c);
  const token = (form.get("token") ?? "").trim();
  const next = nextPage(form.get("next"));
  const member = looksIssued(token, ADMIN_TOKEN_PREFIX) ? await memberByToken(c.env, token) : null;
  if (!member) return c.html(<SignInPage error={refusalOf(token)} next={next} />, 401);
  await endSession(c);
  setCookie(c, SESSION_COOKIE, await openSession(c.env, member), { ...COOKIE_RULES, maxAge: SESSION_SECONDS });
  return c.redirect(next, 303);
});

signIn.post("/sign-out", async (c) => {
  requireSameOrigin(c);
  await endSession(c);
  deleteCookie(c, SESSION_COOKIE, COOKIE_RULES);
  return c.redirect("/settings/sign-in", 303);
});

async function endSession(c: Context<AdminEnv>): Promise<void> {
  const session = getCookie(c, SESSION_COOKIE);
  if (session) await closeSession(c.env, session);
}

/** Only a settings page of this site: an address from outside must not choose where a sign-in ends. */
function nextPage(asked: string | null | undefined): string {
  const here = "https://here.invalid";
  const url = asked ? URL.parse(asked, here) : null;
  return url && url.origin === here && url.pathname.startsWith("/settings/") ? url.pathname + url.search : HOME;
}

function refusalOf(token: string): string {
  if (token === "") return "Enter your admin token.";
  if (token.startsWith(API_KEY_PREFIX))
    return "This is an API key, for requests to /v1. Signing in takes an admin token.";
  return "This is not a valid admin token. It may be mistyped, or no longer in use.";
}
