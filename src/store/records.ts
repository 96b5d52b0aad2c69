// What KV holds, read at the edge on every request. Strict on read as well as on write: an unknown field, or a schema
// number above this build's, shuts the door instead of being dropped.
import * as z from "zod";
import { CATALOG_SCHEMA, CATALOG_SHAPE, checkReferences } from "../catalog/schema.ts";
import { StoredPolicy } from "../compliance/policy.ts";
import { SealedCredential } from "./provider-credentials.ts";

/** The number of this build's record shapes. */
export const RECORD_SCHEMA = 1;

export const ID_PATTERN = /^[a-z0-9][a-z0-9-]{0,38}$/;
export const Id = z.string().regex(ID_PATTERN, "must be 1 to 39 lower-case letters, digits or dashes");

const schema = z.literal(RECORD_SCHEMA);

/** `org:<id>`: everything that decides an organization's requests, in one value, so that no part can be read alone. */
export const OrgRecord = z.strictObject({
  schema,
  org: Id,
  revision: z.number().int().positive(),
  policy: StoredPolicy,
  /** Projects that carry a narrower policy of their own. */
  projects: z.record(Id, z.strictObject({ policy: StoredPolicy })),
  routing: z.strictObject({ auto: z.array(z.string().min(1).max(256)).max(100) }),
  /** The organization's own provider keys, sealed, by provider. */
  credentials: z.record(z.string().max(64), SealedCredential),
});
export type OrgRecord = z.infer<typeof OrgRecord>;

/** `key:<sha256 hex>`: whose an API key is. */
export const KeyRecord = z.strictObject({
  schema,
  org: Id,
  project: Id,
  key_id: z.string().min(1).max(64),
  expires_at: z.iso.datetime().nullable(),
});
export type KeyRecord = z.infer<typeof KeyRecord>;

/** `catalog`: which version is in force. */
export const CatalogPointer = z.strictObject({ version: z.string().min(1).max(64) });

/** `catalog:<version>`: immutable. */
export const CatalogRecord = z
  .strictObject({ schema: z.literal(CATALOG_SCHEMA), ...CATALOG_SHAPE })
  .superRefine(checkReferences);

export const kvKeys = {
  org: (id: string) => `org:${id}`,
  key: (hash: string) => `key:${hash}`,
  catalog: "catalog",
  catalogVersion: (version: string) => `catalog:${version}`,
};
