// A cookie, and the cookie behind an assertion of Cloudflare Access, travel with requests that other sites cause; so what
// changes something must come from our own pages.
import type { Context } from "hono";
import type { AdminEnv } from "./authorize.ts";
import { Problem } from "./problem.ts";

const SAFE_METHODS = new Set(["GET", "HEAD"]);

/** Whether it is a request that only looks. */
export function changesNothing(c: Context<AdminEnv>): boolean {
  return SAFE_METHODS.has(c.req.method);
}

/** Throws 403 for an unsafe method that was not sent by a page of this origin. */
export function requireSameOrigin(c: Context<AdminEnv>): void {
  if (changesNothing(c)) return;
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
