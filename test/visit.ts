// The settings pages as a browser visits them, over the real routes.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { Hono } from "hono";
import { pages } from "../src/admin/pages/index.tsx";
import type { Env } from "../src/env.ts";
import type { AdminWorld } from "./admin-world.ts";
import { hiddenFields } from "./hidden-fields.ts";

const ORIGIN = "https://portcullis.test";
const app = new Hono<{ Bindings: Env }>().route("/settings", pages);
const ownEnv: Env = { ...(bindings as unknown as Env) };

export interface Page {
  status: number;
  headers: Headers;
  html: string;
}

export interface Visit {
  cookie?: string;
  form?: Record<string, string | readonly string[]>;
  headers?: Record<string, string>;
  /** Bindings in place of the Worker's own. */
  env?: Env;
}

/** Visits a page; with a form, posts it as a browser does from this site, out of a page that it opened with its cookie. */
export async function visit(path: string, { cookie, form, headers = {}, env = ownEnv }: Visit = {}): Promise<Page> {
  const context = createExecutionContext();
  const sent = new Headers({ ...(cookie && { cookie }), ...(form && { origin: ORIGIN }), ...headers });
  const body = new URLSearchParams(
    Object.entries({ ...(await hiddenFields(path, cookie)), ...form }).flatMap(([name, value]) =>
      [value].flat().map((each) => [name, each]),
    ),
  );
  const init: RequestInit = form ? { method: "POST", body, headers: sent } : { headers: sent };
  const response = await app.fetch(new Request(`${ORIGIN}/settings${path}`, init), env, context);
  const html = await response.text();
  await waitOnExecutionContext(context);
  return { status: response.status, headers: response.headers, html };
}

/** Signs in; the cookie to send from then on. */
export async function signIn(
  world: AdminWorld,
  role: "owner" | "admin" | "developer",
  cookie?: string,
): Promise<string> {
  const page = await visit("/sign-in", { form: { token: world.tokens[role] }, ...(cookie && { cookie }) });
  return page.headers.get("set-cookie")?.split(";")[0] ?? "";
}
