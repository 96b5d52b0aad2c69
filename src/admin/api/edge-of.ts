// The Worker's side of one request, as the store wants it.
import type { Context } from "hono";
import type { Edge } from "../../store/edge.ts";
import type { AdminEnv } from "../authorize.ts";

export function edgeOf(c: Context<AdminEnv>): Edge {
  return { env: c.env, settings: c.get("settings"), waitUntil: (work) => c.executionCtx.waitUntil(work) };
}
