// The shipped catalog, and publishing it. Its version is the date of its newest fact and a hash of its content, so that
// changed data is always published and unchanged data never twice.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as z from "zod";
import type { Catalog } from "../catalog/schema.ts";
import { type AdminApi, expectStatus } from "./admin-api.ts";
import { MODELS_FILE, PROVIDERS_FILE } from "./paths.ts";

const Published = z.object({ version: z.string() });

/** The catalog of this repository. The Worker checks it when it is published. */
export function readShippedCatalog(): Catalog {
  const providersText = readFileSync(PROVIDERS_FILE, "utf8");
  const modelsText = readFileSync(MODELS_FILE, "utf8");
  const providers: Catalog["providers"] = JSON.parse(providersText);
  const models: Catalog["models"] = JSON.parse(modelsText);
  const checkedAt = providers.flatMap(({ evidence }) => Object.values(evidence).map((fact) => fact?.checkedAt ?? ""));
  const hash = createHash("sha256").update(providersText).update(modelsText).digest("hex").slice(0, 8);
  return { version: [checkedAt.sort().at(-1), hash].filter(Boolean).join("-"), providers, models };
}

/** Publishes the shipped catalog unless it is the one in force; says which. */
export async function publishCatalog(operator: AdminApi): Promise<{ version: string; changed: boolean }> {
  const catalog = readShippedCatalog();
  if ((await publishedVersion(operator)) === catalog.version) return { version: catalog.version, changed: false };
  expectStatus(await operator.call("PUT", "/catalog", catalog), [200, 201], "publishing the catalog");
  return { version: catalog.version, changed: true };
}

/** The version in force, or null when there is none. */
export async function publishedVersion(operator: AdminApi): Promise<string | null> {
  const answer = await operator.call("GET", "/catalog");
  if (answer.status === 404) return null;
  expectStatus(answer, [200], "reading the catalog in force");
  return Published.parse(answer.body).version;
}
