// The catalog: the operator publishes a version, which is checked whole before it is put in force for everyone.
import { Hono } from "hono";
import * as z from "zod";
import { Catalog } from "../../catalog/schema.ts";
import { MAX_CATALOG_BYTES, newestCatalog, putCatalog } from "../../store/catalogs.ts";
import { type AdminEnv, requireOperator } from "../authorize.ts";
import { Problem } from "../problem.ts";
import { readJson } from "./request.ts";

/** More than is stored: indented, a catalog has several times the bytes. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

export const CatalogSavedAnswer = z.strictObject({
  version: z.string(),
  providers: z.number().int(),
  models: z.number().int(),
});

export const catalog = new Hono<AdminEnv>();

catalog.put("/", async (c) => {
  requireOperator(c);
  const asked = await readJson(c, Catalog, { maxBytes: MAX_BODY_BYTES });
  const { version, providers, models } = asked;
  switch (await putCatalog(c.env, asked)) {
    case "ok": {
      const saved: z.infer<typeof CatalogSavedAnswer> = { version, providers: providers.length, models: models.length };
      return c.json(saved);
    }
    case "conflict":
      throw new Problem({
        status: 409,
        code: "conflict",
        detail: `Version ${version} exists with other content. A version never changes: choose another name.`,
        extras: { errors: [{ path: "version", message: "is taken" }] },
      });
    case "too_large":
      throw new Problem({
        status: 413,
        code: "request_too_large",
        detail: `A catalog may have at most ${MAX_CATALOG_BYTES.toLocaleString("en")} bytes, as JSON without spaces. Nothing was changed.`,
      });
  }
});

catalog.get("/", async (c) => {
  requireOperator(c);
  const newest = await newestCatalog(c.env);
  if (newest) return c.body(newest.document, 200, { "content-type": "application/json" });
  throw new Problem({ status: 404, code: "not_found", detail: "No catalog has been published yet." });
});
