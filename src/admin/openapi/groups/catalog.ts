// The catalog.
import { Catalog } from "../../../catalog/schema.ts";
import { CatalogSavedAnswer } from "../../api/catalog.ts";
import type { Group } from "../operation.ts";

const CATALOG = {
  version: "2026-11-23",
  providers: [
    {
      id: "example",
      name: "Example AI",
      legalEntity: "Example AI SAS",
      headquarters: "FR",
      dataPolicy: {
        soc2: "type2",
        iso27001: true,
        gdpr: true,
        trainsOnPrompts: false,
        logsPrompts: null,
        retentionDays: null,
      },
      evidence: {
        soc2: {
          source: "https://trust.example.com",
          publisher: "provider",
          checkedAt: "2026-11-22",
          validUntil: "2027-03-31",
          confidence: "high",
        },
      },
      links: { website: "https://example.com", terms: null, privacy: null, usage: null, status: null },
      trustLinks: ["https://trust.example.com"],
      secret: "EXAMPLE_API_KEY",
      apis: { chat_completions: { url: "https://api.example.com/v1", auth: "bearer" } },
    },
  ],
  models: [
    {
      id: "example-large",
      name: "Example Large",
      family: "example",
      releasedAt: "2026-06-01",
      output: ["text"],
      providers: [
        {
          provider: "example",
          model: "example-large-2026-06",
          apis: ["chat_completions"],
          price: { input: 0.5, output: 1.5 },
          streaming: true,
        },
      ],
    },
  ],
};

export const catalog: Group = {
  title: "Catalog",
  description: "Providers with their published facts, and the models they serve. One catalog for all organizations.",
  operations: [
    {
      id: "publishCatalog",
      method: "put",
      path: "/admin/api/catalog",
      summary: "Put a catalog in force",
      details:
        "Checked whole before it is, up to 1.99 MB as JSON without spaces. A version never changes: the same one with other content is refused. `null` is unknown, and unknown satisfies nothing.",
      who: "operator",
      body: { schema: { Catalog }, example: CATALOG },
      answer: { schema: { CatalogSavedAnswer }, example: { version: "2026-11-23", providers: 1, models: 1 } },
      problems: { 409: ["conflict"] },
    },
    {
      id: "readCatalog",
      method: "get",
      path: "/admin/api/catalog",
      summary: "Read the catalog in force",
      who: "operator",
      answer: { schema: { Catalog }, example: CATALOG },
      problems: { 404: ["not_found"] },
    },
  ],
};
