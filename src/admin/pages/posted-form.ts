// A form as a browser posts it, urlencoded. Read as bytes: the runtime warns when such a body is read as text.
import type { Context } from "hono";
import type { AdminEnv } from "../authorize.ts";

export async function postedForm(c: Context<AdminEnv>): Promise<URLSearchParams> {
  return new URLSearchParams(new TextDecoder().decode(await c.req.arrayBuffer()));
}
