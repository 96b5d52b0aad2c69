// The providers: what the catalog knows of each, what that rests on and until when, and what the policy makes of it.
import { Hono } from "hono";
import * as z from "zod";
import { API_IDS } from "../../catalog/schema.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { Problem } from "../problem.ts";
import {
  ATTRIBUTES,
  apisOf,
  type JudgedProvider,
  judgedProviders,
  matches,
  orderKey,
  PROVIDER_VIEWS,
} from "../providers.ts";
import { rowsAfter } from "../rows-after.ts";
import { rulesInForce } from "../rules-in-force.ts";
import { edgeOf } from "./edge-of.ts";
import { FAILURES } from "./failures.ts";
import { PAGE_QUERY, paged, pageOf, positionOf } from "./page.ts";
import { readQuery } from "./request.ts";

export const PROVIDER_FILTERS = {
  /** Part of a provider's id, name or legal entity. */
  q: z.string().min(1).max(256).optional(),
  /** `expiring` is those with facts that expire, the soonest first. */
  show: z.enum(PROVIDER_VIEWS).optional(),
};

export const ProvidersQuery = z.strictObject({ ...PROVIDER_FILTERS, ...PAGE_QUERY });

export const ProviderAnswer = z.strictObject({
  id: z.string(),
  name: z.string(),
  /** It passes prompts on to companies it chooses, so its own facts count as unknown. */
  aggregator: z.boolean(),
  allowed: z.boolean(),
  failures: FAILURES,
  models: z.strictObject({ allowed: z.number().int(), total: z.number().int() }),
  apis: z.array(z.enum(API_IDS)),
  facts: z.array(
    z.strictObject({
      attribute: z.enum(ATTRIBUTES),
      /** What counts now; null is unknown. */
      value: z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.null()]),
      /** The last day of what was published, where it is past. */
      expired: z.iso.date().nullable(),
      /** Null: no source. */
      evidence: z
        .strictObject({
          source: z.url(),
          publisher: z.enum(["provider", "third party"]),
          checked_at: z.iso.date(),
          updated_at: z.iso.date().nullable(),
          valid_until: z.iso.date().nullable(),
          confidence: z.enum(["high", "medium", "low"]),
          conditions: z.array(z.string()),
        })
        .nullable(),
    }),
  ),
});
export const ProvidersAnswer = pageOf(ProviderAnswer).extend({
  policy_revision: z.number().int(),
  catalog_version: z.string(),
});

export const providers = new Hono<AdminEnv>();

providers.get("/:org/providers", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "providers");
  const { limit, cursor, ...filter } = readQuery(c, ProvidersQuery);
  const after = positionOf({ list: "providers", org }, cursor);
  const { record, ...judging } = await rulesInForce(edgeOf(c), org);
  const keyOf = (judged: JudgedProvider) => orderKey(judged, filter);
  const matching = judgedProviders(judging).filter((judged) => matches(filter, judged));
  const rows = rowsAfter(matching, { keyOf, after, limit: limit + 1 });
  const { data, next_cursor } = paged(rows, { list: "providers", org, limit }, keyOf);
  const answer: z.infer<typeof ProvidersAnswer> = {
    data: data.map(providerAnswer),
    next_cursor,
    policy_revision: record.revision,
    catalog_version: judging.catalog.version,
  };
  return c.json(answer);
});

providers.get("/:org/providers/:id", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "providers");
  const judging = await rulesInForce(edgeOf(c), org);
  const found = judgedProviders(judging).find(({ provider }) => provider.id === c.req.param("id"));
  if (found) return c.json(providerAnswer(found));
  throw new Problem({ status: 404, code: "not_found", detail: "The catalog has no such provider." });
});

function providerAnswer({ provider, facts, verdict, models }: JudgedProvider): z.infer<typeof ProviderAnswer> {
  const { id, name, aggregator = false, evidence } = provider;
  return {
    id,
    name,
    aggregator,
    allowed: verdict.allowed,
    failures: [...verdict.failures],
    models,
    apis: apisOf(provider),
    facts: ATTRIBUTES.map((attribute) => ({
      attribute,
      value: factAnswer(facts, attribute),
      expired: facts.expired[attribute] ?? null,
      evidence: evidenceAnswer(evidence[attribute]),
    })),
  };
}

function factAnswer(facts: JudgedProvider["facts"], attribute: (typeof ATTRIBUTES)[number]) {
  const value = facts[attribute];
  return typeof value === "object" && value !== null ? [...value] : value;
}

function evidenceAnswer(evidence: JudgedProvider["provider"]["evidence"][(typeof ATTRIBUTES)[number]]) {
  if (!evidence) return null;
  const { source, publisher, checkedAt, updatedAt, validUntil, confidence, conditions } = evidence;
  return {
    source,
    publisher,
    checked_at: checkedAt,
    updated_at: updatedAt ?? null,
    valid_until: validUntil ?? null,
    confidence,
    conditions: conditions ?? [],
  };
}
