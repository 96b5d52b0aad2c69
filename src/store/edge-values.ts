// What KV holds at the moment, for the jobs that compare it with D1. The request path reads by edge.ts.
import type { Env } from "../env.ts";

/** As many values as KV reads at once; it counts as one call. */
const KV_BULK_READ = 100;

/** What KV holds under these names; null where it holds nothing. Throws when KV fails. */
export async function edgeValues(env: Env, names: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
  const values = new Map<string, string | null>();
  for (let at = 0; at < names.length; at += KV_BULK_READ)
    for (const [name, value] of await env.CONFIG.get(names.slice(at, at + KV_BULK_READ), "text"))
      values.set(name, value);
  return values;
}
