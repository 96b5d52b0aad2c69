// The models and providers of the catalog, with the policy's verdicts.
import { ModelsAnswer, ModelsQuery } from "../../api/models.ts";
import { ProviderAnswer, ProvidersAnswer, ProvidersQuery } from "../../api/providers.ts";
import { FAILURES } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

const JUDGED_BY = { policy_revision: 7, catalog_version: "2026-11-22-1f0e8d7c" };
const PROVIDER = {
  id: "deepseek",
  name: "DeepSeek",
  aggregator: false,
  allowed: false,
  failures: FAILURES,
  models: { allowed: 0, total: 6 },
  apis: ["chat_completions"],
  facts: [
    { attribute: "soc2", value: null, expired: null, evidence: null },
    {
      attribute: "headquarters",
      value: "CN",
      expired: null,
      evidence: {
        source: "https://example.com/terms",
        publisher: "provider",
        checked_at: "2026-11-22",
        updated_at: null,
        valid_until: null,
        confidence: "high",
        conditions: [],
      },
    },
  ],
};

export const models: Group = {
  title: "Models and providers",
  description: "What the catalog has, and what the policy in force makes of it.",
  operations: [
    {
      id: "listModels",
      method: "get",
      path: `${ORG_PATH}/models`,
      summary: "List the models with the verdict on each provider",
      who: "models",
      query: ModelsQuery,
      answer: {
        schema: { ModelsAnswer },
        example: {
          data: [
            {
              id: "deepseek-v3.2",
              name: "DeepSeek V3.2",
              aliases: [],
              family: "deepseek",
              released_at: "2025-12-01",
              output: ["text"],
              allowed: false,
              live: true,
              providers: [
                {
                  id: "deepseek",
                  name: "DeepSeek",
                  allowed: false,
                  failures: FAILURES,
                  live: true,
                  retires_at: null,
                  apis: ["chat_completions"],
                  price: { input: 0.28, output: 0.42 },
                  context: 163840,
                },
              ],
            },
          ],
          next_cursor: null,
          ...JUDGED_BY,
        },
      },
    },
    {
      id: "listProviders",
      method: "get",
      path: `${ORG_PATH}/providers`,
      summary: "List the providers with their facts, evidence and verdict",
      who: "providers",
      query: ProvidersQuery,
      answer: { schema: { ProvidersAnswer }, example: { data: [PROVIDER], next_cursor: null, ...JUDGED_BY } },
    },
    {
      id: "readProvider",
      method: "get",
      path: `${ORG_PATH}/providers/{id}`,
      summary: "Read one provider",
      who: "providers",
      parameters: { id: { description: "The provider's id.", example: "deepseek" } },
      answer: { schema: { ProviderAnswer }, example: PROVIDER },
    },
  ],
};
