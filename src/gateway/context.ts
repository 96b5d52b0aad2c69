// One request on its way: who calls, by which revision, and what the isolate remembers beside it.
import type { Context } from "hono";
import { type Env, readSettings } from "../env.ts";
import { refuse } from "../errors.ts";
import type { HealthBook } from "../routing/health.ts";
import type { Edge } from "../store/edge.ts";
import type { KeyRecord } from "../store/records.ts";

export interface GatewayEnv {
  Bindings: Env;
  Variables: {
    requestId: string | undefined;
    /** Known once the key is. */
    caller: KeyRecord | undefined;
    /** Of the policy that decides; known once it is read. */
    revision: number | undefined;
  };
}

/** What this isolate keeps between requests. Hints and counters only: nothing here admits or refuses a provider. */
export interface Isolate {
  readonly health: HealthBook;
  readonly held: Held;
}

/** The bytes of bodies that the isolate has in memory. */
export interface Held {
  total: number;
  readonly by: Set<HeldBytes>;
  /** From how many holders on those that left are looked for. */
  crowdedAt: number;
  /** When they were looked for, epoch milliseconds. */
  lookedAt: number;
}

/** What one request holds of the isolate's memory. */
export interface HeldBytes {
  bytes: number;
  /** Fires when the request's client goes away. */
  readonly clientGone: AbortSignal;
}

const isolates = new WeakMap<Env, Isolate>();

export function isolateOf(env: Env): Isolate {
  const known = isolates.get(env);
  if (known) return known;
  const isolate: Isolate = { health: new Map(), held: { total: 0, by: new Set(), crowdedAt: 0, lookedAt: 0 } };
  isolates.set(env, isolate);
  return isolate;
}

/** What reading the edge needs of a request. Refuses with 503 when a variable is malformed. */
export function edgeOf(c: Context<GatewayEnv>): Edge {
  const read = readSettings(c.env);
  if (!read.ok) return refuse({ code: "policy_unavailable", why: `the gateway is misconfigured: ${read.problem}` });
  return { env: c.env, settings: read.settings, waitUntil: (work) => c.executionCtx.waitUntil(work) };
}

/** The id of the request, made when it is first asked for. */
export function requestIdOf(c: Context<GatewayEnv>): string {
  const known = c.get("requestId");
  if (known !== undefined) return known;
  const id = `req_${crypto.randomUUID()}`;
  c.set("requestId", id);
  return id;
}

/** Which request and which revision an answer belongs to. `x-request-id` and `request-id` are where SDKs look. */
export function ownHeaders(c: Context<GatewayEnv>): Record<string, string> {
  const id = requestIdOf(c);
  const headers: Record<string, string> = {
    "cache-control": "no-store",
    "portcullis-request-id": id,
    "x-request-id": id,
    "request-id": id,
  };
  const revision = c.get("revision");
  if (revision !== undefined) headers["portcullis-policy-revision"] = String(revision);
  return headers;
}
