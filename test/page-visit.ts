// The settings pages as a browser visits them: forms are posted from this site, unless a header says otherwise.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { Hono } from "hono";
import { pages } from "../src/admin/pages/index.tsx";
import type { Env } from "../src/env.ts";
import { hiddenFields } from "./hidden-fields.ts";

const ORIGIN = "https://portcullis.test";
const app = new Hono<{ Bindings: Env }>().route("/settings", pages);

export interface Page {
  status: number;
  headers: Headers;
  html: string;
  /** Where it leads, below /settings. */
  location: string;
}

export interface Visit {
  cookie?: string | undefined;
  form?: Record<string, string>;
  headers?: Record<string, string>;
}

/** Visits a path below /settings; with a form, posts it, out of a page that it opened with its cookie. */
export async function visitPage(env: Env, path: string, { cookie, form, headers = {} }: Visit = {}): Promise<Page> {
  const context = createExecutionContext();
  const sent = { ...(cookie && { cookie }), ...(form && { origin: ORIGIN }), ...headers };
  const body = new URLSearchParams({ ...(await hiddenFields(path, cookie)), ...form });
  const init: RequestInit = { headers: sent, ...(form && { method: "POST", body }) };
  const response = await app.fetch(new Request(`${ORIGIN}/settings${path}`, init), env, context);
  const html = new TextDecoder().decode(await response.arrayBuffer());
  await waitOnExecutionContext(context);
  const location = (response.headers.get("location") ?? "").replace(/^\/settings/, "");
  return { status: response.status, headers: response.headers, html, location };
}

/** The cookie that signing in with the token sets, beside one that came with it. */
export async function signInWith(env: Env, token: string, before?: string): Promise<string> {
  const page = await visitPage(env, "/sign-in", { form: { token }, cookie: before });
  return page.headers.get("set-cookie")?.split(";")[0] ?? "";
}
