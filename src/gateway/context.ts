// One request on its way: who calls, by which revision, and what the isolate remembers beside it.
import type { Context } from "hono";
import type { Env, Settings } from "../env.ts";
import type { HealthBook } from "../routing/health.ts";
import type { Edge } from "../store/edge.ts";
import type { KeyRecord } from "../store/records.ts";

export interface GatewayEnv {
  Bindings: Env;
  Variables: {
    requestId: string;
    settings: Settings;
    /** Known once the key is. */
    caller: KeyRecord | undefined;
    /** Of the policy that decides; known once it is read. */
    revision: number | undefined;
  };
}

/** What this isolate keeps between requests. Hints and counters only: nothing here admits or refuses a provider. */
export interface Isolate {
  health: HealthBook;
  bodyBytesInFlight: number;
}

const isolates = new WeakMap<Env, Isolate>();

export function isolateOf(env: Env): Isolate {
  const known = isolates.get(env);
  if (known) return known;
  const isolate: Isolate = { health: new Map(), bodyBytesInFlight: 0 };
  isolates.set(env, isolate);
  return isolate;
}

/** What reading the edge needs of a request. */
export function edgeOf(c: Context<GatewayEnv>): Edge {
  return { env: c.env, settings: c.get("settings"), waitUntil: (work) => c.executionCtx.waitUntil(work) };
}

/** Says which request and which revision an answer belongs to. `x-request-id` and `request-id` are where SDKs look. */
export function signResponse(c: Context<GatewayEnv>, { headers }: Response): void {
  const requestId = c.get("requestId");
  for (const name of ["portcullis-request-id", "x-request-id", "request-id"]) headers.set(name, requestId);
  const revision = c.get("revision");
  if (revision !== undefined) headers.set("portcullis-policy-revision", String(revision));
}
