// Catalog versions: kept whole in D1, published to KV under their own name, then pointed to.
import { CATALOG_SCHEMA, type Catalog } from "../catalog/schema.ts";
import type { Env } from "../env.ts";
import { auditStatement } from "./audit-log.ts";
import { forget } from "./edge.ts";
import { kvKeys } from "./records.ts";
import { timestamp } from "./secrets.ts";

/** As JSON without spaces. D1 takes rows of 2,000,000 bytes, and a version has its name and its time beside. */
export const MAX_CATALOG_BYTES = 1_990_000;

export interface StoredCatalog {
  version: string;
  /** The catalog as JSON. */
  document: string;
  created_at: string;
}

/** The catalog in force, or null before the first. */
export async function newestCatalog(env: Env): Promise<StoredCatalog | null> {
  return env.DB.prepare(
    "SELECT version, document, created_at FROM catalogs ORDER BY sequence DESC LIMIT 1",
  ).first<StoredCatalog>();
}

/**
 * Puts a catalog in force: D1, then KV. A version is immutable: "conflict" when it is known with other content; an
 * identical one comes into force again. Throws when D1 or KV fails; then it can simply be repeated.
 */
export async function putCatalog(env: Env, catalog: Catalog): Promise<"ok" | "conflict" | "too_large"> {
  const { version } = catalog;
  const document = JSON.stringify(catalog);
  if (Buffer.byteLength(document) > MAX_CATALOG_BYTES) return "too_large";
  const known = await env.DB.prepare("SELECT document FROM catalogs WHERE version = ?")
    .bind(version)
    .first<{ document: string }>();
  if (known && known.document !== document) return "conflict";
  const store = known
    ? env.DB.prepare("UPDATE catalogs SET sequence = (SELECT MAX(sequence) + 1 FROM catalogs) WHERE version = ?").bind(
        version,
      )
    : env.DB.prepare("INSERT INTO catalogs (version, document, created_at) VALUES (?, ?, ?)").bind(
        version,
        document,
        timestamp(),
      );
  await env.DB.batch([
    store,
    auditStatement(env, { org: null, actor: "operator", action: "catalog.publish", target: version, detail: {} }),
  ]);
  await publishCatalog(env, { version, document });
  return "ok";
}

/** Puts a stored catalog at the edge: first itself, then the pointer. Throws when KV fails. */
export async function publishCatalog(
  env: Env,
  { version, document }: Pick<StoredCatalog, "version" | "document">,
): Promise<void> {
  await env.CONFIG.put(kvKeys.catalogVersion(version), recordOf(document));
  await env.CONFIG.put(kvKeys.catalog, JSON.stringify({ version }));
  forget(env, "catalog");
}

function recordOf(document: string): string {
  return JSON.stringify({ schema: CATALOG_SCHEMA, ...(JSON.parse(document) as Catalog) });
}

/** Whether the edge points to that version and holds it as D1 does. Throws when KV fails. */
export async function edgeHoldsCatalog(
  env: Env,
  { version, document }: Pick<StoredCatalog, "version" | "document">,
): Promise<boolean> {
  const pointer = await env.CONFIG.get(kvKeys.catalog, "text");
  if (pointer !== JSON.stringify({ version })) return false;
  return (await env.CONFIG.get(kvKeys.catalogVersion(version), "text")) === recordOf(document);
}
