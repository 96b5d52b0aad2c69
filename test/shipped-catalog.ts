// The catalog that ships, as tests use it.
import models from "../src/catalog/models.json" with { type: "json" };
import providers from "../src/catalog/providers.json" with { type: "json" };
import { Catalog } from "../src/catalog/schema.ts";

export const shippedCatalog: Catalog = Catalog.parse({ version: "shipped", providers, models });
