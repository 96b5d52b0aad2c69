/// <reference path="./assets.d.ts" />
// What the pages load beside their HTML: one stylesheet, htmx, and a few lines of our own. From this Worker, no CDN.
import { createHash } from "node:crypto";
import htmx from "htmx.org/dist/htmx.min.js";
import { BROWSER_SCRIPT } from "./browser-script.ts";
import base from "./styles/base.css";
import catalog from "./styles/catalog.css";
import controls from "./styles/controls.css";
import events from "./styles/events.css";
import frame from "./styles/frame.css";
import health from "./styles/health.css";
import history from "./styles/history.css";
import impact from "./styles/impact.css";
import listing from "./styles/listing.css";
import members from "./styles/members.css";
import overview from "./styles/overview.css";
import policy from "./styles/policy.css";
import projects from "./styles/projects.css";
import reference from "./styles/reference.css";
import statistics from "./styles/statistics.css";
import webhooks from "./styles/webhooks.css";

const CACHE_SECONDS = 31_536_000;

interface Asset {
  /** Changes with the content, so that it may be cached for as long as a browser likes. */
  readonly url: string;
  readonly type: string;
  readonly content: string;
}

function asset(name: string, type: string, content: string): Asset {
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 12);
  return { url: `/settings/assets/${digest}/${name}`, type: `${type}; charset=utf-8`, content };
}

export const ASSETS = {
  "app.css": asset(
    "app.css",
    "text/css",
    [
      base,
      frame,
      controls,
      policy,
      impact,
      listing,
      events,
      catalog,
      history,
      members,
      overview,
      projects,
      health,
      statistics,
      reference,
      webhooks,
    ].join("\n"),
  ),
  "htmx.js": asset("htmx.js", "text/javascript", htmx),
  "app.js": asset("app.js", "text/javascript", BROWSER_SCRIPT),
};

/** The asset at that path of a page, or null. One asked for by an older page's address is not to be kept. */
export function assetResponse(path: string): Response | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!Object.hasOwn(ASSETS, name)) return null;
  const { url, type, content } = ASSETS[name as keyof typeof ASSETS];
  const cacheControl = url === path ? `public, max-age=${CACHE_SECONDS}, immutable` : "no-cache";
  return new Response(content, { headers: { "content-type": type, "cache-control": cacheControl } });
}
