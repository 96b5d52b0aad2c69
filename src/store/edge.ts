// What the edge knows: KV values, kept in the isolate for a few seconds. A copy is used while it is fresh, refreshed in
// the background shortly before it is not, and kept a while longer only when KV itself fails. What is absent or
// malformed shuts the door at once. No promise is shared between requests: its I/O belongs to the one that began it.
import type * as z from "zod";
import { type CatalogIndex, indexCatalog } from "../catalog/lookup.ts";
import type { Env, Settings } from "../env.ts";
import { refuse } from "../errors.ts";
import { inTime } from "./in-time.ts";
import { CatalogPointer, CatalogRecord, KeyRecord, kvKeys, OrgRecord } from "./records.ts";

/** The Worker's side of one request, as far as reading the edge needs it. */
export interface Edge {
  readonly env: Env;
  readonly settings: Settings;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** From this share of its time to live on, one request refreshes the copy in the background. */
const REFRESH_AT = 0.7;
/** A background refresh that has not ended by then was lost with its request; another may begin. */
const REFRESH_LOST_AFTER_MS = 5_000;
/** A read that hangs longer counts as failed: sooner where an older copy can serve instead. */
const KV_TIMEOUT_MS = 3_000;
const KV_TIMEOUT_WITH_COPY_MS = 1_000;
/** How long KV's own cache at each location may answer: the least that it takes; its default is twice as long. */
const KV_CACHE_TTL_SECONDS = 30;
/** While KV fails, a copy serves this long before KV is asked again, so that not every request waits for it. */
const KV_REST_MS = 2_000;
/** While another request of a fresh isolate reads the catalog, this one looks again after so long, so often. */
const CATALOG_LOOK_MS = 10;
const CATALOG_LOOKS = 100;
const MAX_KEYS_KEPT = 10_000;
const MAX_ORGS_KEPT = 1_000;

interface Copy<T> {
  raw: string;
  value: T;
  /** When KV last confirmed it, and when it last failed to, epoch milliseconds. */
  confirmedAt: number;
  failedAt: number;
  refreshingSince: number;
}

interface Memory {
  keys: Map<string, Copy<KeyRecord>>;
  orgs: Map<string, Copy<OrgRecord>>;
  catalogs: Map<string, Copy<CatalogIndex>>;
  /** Since when a request has been reading a catalog whole, epoch milliseconds; 0 when none does. */
  catalogReadSince: number;
}

const memories = new WeakMap<Env, Memory>();

function memoryOf(env: Env): Memory {
  const known = memories.get(env);
  if (known) return known;
  const memory: Memory = { keys: new Map(), orgs: new Map(), catalogs: new Map(), catalogReadSince: 0 };
  memories.set(env, memory);
  return memory;
}

/** Whose the API key with that hash is; null when there is no such key. Throws 503 when that cannot be known. */
export async function loadKey(edge: Edge, hash: string): Promise<KeyRecord | null> {
  const { keys } = memoryOf(edge.env);
  const known = freshValue(edge, keys, hash);
  if (known) return known;
  return readThrough(edge, keys, hash, { what: "the key", keep: MAX_KEYS_KEPT }, async (previous) => {
    const raw = await read(edge.env, kvKeys.key(hash), previous);
    return raw === null ? null : (unchanged(previous, raw) ?? { raw, value: parse(KeyRecord, raw, "the key record") });
  });
}

/** The organization's record. Throws 503 when it is absent, malformed, or cannot be read. */
async function loadOrg(edge: Edge, org: string): Promise<OrgRecord> {
  const { orgs } = memoryOf(edge.env);
  const record = await readThrough(edge, orgs, org, { what: "the policy", keep: MAX_ORGS_KEPT }, async (previous) => {
    const raw = await read(edge.env, kvKeys.org(org), previous);
    if (raw === null) return null;
    const same = unchanged(previous, raw);
    if (same) return same;
    const value = parse(OrgRecord, raw, "the organization's record");
    if (value.org !== org) throw new Malformed("the organization's record names another organization");
    // KV may answer with an older revision than this isolate has seen; it never goes back.
    const newest = orgs.get(org);
    return newest && newest.value.revision > value.revision ? newest : { raw, value };
  });
  return record ?? refuse({ code: "policy_unavailable", why: "the organization's record is not at the edge yet" });
}

/** The catalog in force. Throws 503 when it is absent, malformed, or cannot be read; there is no bundled one. */
export async function loadCatalog(edge: Edge): Promise<CatalogIndex> {
  const memory = memoryOf(edge.env);
  const { catalogs } = memory;
  const index = await readThrough(edge, catalogs, "", { what: "the catalog", keep: 1 }, async (previous) => {
    const raw = await read(edge.env, kvKeys.catalog, previous);
    if (raw === null) return null;
    // Or what another request has read meanwhile. In a fresh isolate many want it at once, and its text in the hands of
    // each would not fit into memory: so one reads, and the others look again, by timers of their own.
    const same = () => unchanged(previous, raw) ?? unchanged(catalogs.get(""), raw);
    for (let looks = 0; looks < CATALOG_LOOKS; looks++) {
      const known = same();
      if (known) return known;
      if (Date.now() - memory.catalogReadSince >= CATALOG_LOOKS * CATALOG_LOOK_MS) break;
      await new Promise((resolve) => setTimeout(resolve, CATALOG_LOOK_MS));
    }
    memory.catalogReadSince = Date.now();
    try {
      return { raw, value: await readCatalog(edge.env, raw, previous) };
    } finally {
      memory.catalogReadSince = 0;
    }
  });
  return index ?? refuse({ code: "policy_unavailable", why: "no catalog is published" });
}

async function readCatalog(env: Env, pointer: string, previous: unknown): Promise<CatalogIndex> {
  const { version } = parse(CatalogPointer, pointer, "the catalog pointer");
  const text = await read(env, kvKeys.catalogVersion(version), previous);
  // Not there yet although the pointer is: as if KV had failed, so that the previous version serves meanwhile.
  if (text === null) throw new Error(`catalog ${version} is not at the edge yet`);
  const catalog = parse(CatalogRecord, text, "the catalog");
  if (catalog.version !== version) throw new Malformed("the catalog names another version");
  return indexCatalog(catalog);
}

/** All that decides a request of the organization. Throws 503 when any of it cannot be read. */
export async function loadRules(edge: Edge, org: string): Promise<{ org: OrgRecord; catalog: CatalogIndex }> {
  const { orgs, catalogs } = memoryOf(edge.env);
  const knownOrg = freshValue(edge, orgs, org);
  const knownCatalog = freshValue(edge, catalogs, "");
  if (knownOrg && knownCatalog) return { org: knownOrg, catalog: knownCatalog };
  const [record, catalog] = await Promise.all([loadOrg(edge, org), loadCatalog(edge)]);
  return { org: record, catalog };
}

/** Makes a record that this isolate has just published its own copy, unless it has a newer one. */
export function adoptOrg(env: Env, record: OrgRecord): void {
  const { orgs } = memoryOf(env);
  const known = orgs.get(record.org);
  if (known && known.value.revision >= record.revision) return;
  orgs.set(record.org, {
    raw: JSON.stringify(record),
    value: record,
    confirmedAt: Date.now(),
    failedAt: 0,
    refreshingSince: 0,
  });
}

/** Forgets this isolate's copy of a key (revoked) or of the catalog (just published). */
export function forget(env: Env, what: { key: string } | "catalog"): void {
  const memory = memoryOf(env);
  if (what === "catalog") memory.catalogs.clear();
  else memory.keys.delete(what.key);
}

/** What was read is not what this build can trust: never covered up by an older copy. */
class Malformed extends Error {}

type Loaded<T> = Pick<Copy<T>, "raw" | "value">;

/** Whether KV confirmed the copy less than so long ago; one from the future is as good as none. */
function isYounger({ confirmedAt }: Copy<unknown>, milliseconds: number): boolean {
  const age = Date.now() - confirmedAt;
  return age >= 0 && age < milliseconds;
}

/** What nearly every request finds: a copy that is fresh and need not be refreshed yet. */
function freshValue<T>({ settings }: Edge, copies: Map<string, Copy<T>>, name: string): T | undefined {
  const copy = copies.get(name);
  return copy && isYounger(copy, settings.CONFIG_TTL_SECONDS * 1000 * REFRESH_AT) ? copy.value : undefined;
}

async function readThrough<T>(
  { settings, waitUntil }: Edge,
  copies: Map<string, Copy<T>>,
  name: string,
  { what, keep }: { what: string; keep: number },
  load: (previous: Copy<T> | undefined) => Promise<Loaded<T> | null>,
): Promise<T | null> {
  const ttl = settings.CONFIG_TTL_SECONDS * 1000;
  const copy = copies.get(name);

  const refresh = async (): Promise<T | null> => {
    let loaded: Loaded<T> | null;
    try {
      loaded = await load(copy);
    } catch (error) {
      if (error instanceof Malformed) copies.delete(name);
      throw error;
    }
    // What another request has found or lost meanwhile stands; what is gone stays gone.
    const overtaken = copies.get(name) !== copy;
    if (loaded === null) copies.delete(name);
    if (loaded === null || overtaken) return loaded?.value ?? null;
    copies.delete(name);
    for (const oldest of copies.keys()) {
      if (copies.size < keep) break;
      copies.delete(oldest);
    }
    copies.set(name, {
      raw: loaded.raw,
      value: loaded.value,
      confirmedAt: Date.now(),
      failedAt: 0,
      refreshingSince: 0,
    });
    return loaded.value;
  };

  if (copy && isYounger(copy, ttl)) {
    if (!isYounger(copy, ttl * REFRESH_AT) && Date.now() - copy.refreshingSince > REFRESH_LOST_AFTER_MS) {
      copy.refreshingSince = Date.now();
      // A failed background refresh leaves the copy as it is; the request that finds it past its time answers for it.
      waitUntil(refresh().catch(() => undefined));
    }
    return copy.value;
  }
  const mayServe = (older: Copy<T>) => isYounger(older, settings.CONFIG_MAX_STALE_SECONDS * 1000);
  if (copy && Date.now() - copy.failedAt < KV_REST_MS && mayServe(copy)) return copy.value;
  try {
    return await refresh();
  } catch (error) {
    if (error instanceof Malformed) return refuse({ code: "policy_unavailable", why: error.message });
    if (copy) copy.failedAt = Date.now();
    if (copy && mayServe(copy)) return copy.value;
    return refuse({ code: "policy_unavailable", why: `${what} cannot be read` });
  }
}

function unchanged<T>(previous: Copy<T> | undefined, raw: string): Copy<T> | undefined {
  return previous?.raw === raw ? previous : undefined;
}

async function read(env: Env, key: string, previous: unknown): Promise<string | null> {
  return inTime(
    env.CONFIG.get(key, { type: "text", cacheTtl: KV_CACHE_TTL_SECONDS }),
    previous ? KV_TIMEOUT_WITH_COPY_MS : KV_TIMEOUT_MS,
    "KV did not answer in time",
  );
}

function parse<T extends z.ZodType>(schema: T, raw: string, what: string): z.infer<T> {
  let json: unknown;
  try {
    json = JSON.parse(raw);
  } catch {
    throw new Malformed(`${what} is not valid JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Malformed(`${what} does not have the shape that this version of the gateway knows`);
}
