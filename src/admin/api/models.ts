// The models: every one of the catalog, its providers, and the verdict on each. The one list that developers see.
import { Hono } from "hono";
import * as z from "zod";
import { API_IDS } from "../../catalog/schema.ts";
import { knownPrice } from "../../routing/preferences.ts";
import { Id } from "../../store/records.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { type JudgedModel, judgedModel, matchingModels, type Offer } from "../models.ts";
import { rowsAfter } from "../rows-after.ts";
import { rulesInForce } from "../rules-in-force.ts";
import { edgeOf } from "./edge-of.ts";
import { FAILURES } from "./failures.ts";
import { PAGE_QUERY, paged, pageOf, positionOf } from "./page.ts";
import { readQuery } from "./request.ts";

const onlyTrue = z
  .literal("true", "must be true, or be left out")
  .transform(() => true)
  .optional();

export const MODEL_FILTERS = {
  /** Part of a model's id, name, alias or family. */
  q: z.string().min(1).max(256).optional(),
  provider: z.string().min(1).max(64).optional(),
  api: z.enum(API_IDS).optional(),
  allowed: onlyTrue,
  live: onlyTrue,
  /** Whose rules judge: the organization's, and the project's own with them. */
  project: Id.optional(),
};

export const ModelsQuery = z.strictObject({ ...MODEL_FILTERS, ...PAGE_QUERY });

const ModelAnswer = z.strictObject({
  id: z.string(),
  name: z.string(),
  aliases: z.array(z.string()),
  family: z.string(),
  released_at: z.iso.date(),
  output: z.array(z.string()),
  allowed: z.boolean(),
  live: z.boolean(),
  providers: z.array(
    z.strictObject({
      id: z.string(),
      name: z.string(),
      allowed: z.boolean(),
      failures: FAILURES,
      live: z.boolean(),
      /** From that day on (UTC) the provider does not serve it. */
      retires_at: z.iso.date().nullable(),
      apis: z.array(z.enum(API_IDS)),
      /** USD per million tokens; null is unknown. */
      price: z.strictObject({ input: z.number().nullable(), output: z.number().nullable() }),
      /** Tokens; null is unknown. */
      context: z.number().int().nullable(),
    }),
  ),
});
export const ModelsAnswer = pageOf(ModelAnswer).extend({
  policy_revision: z.number().int(),
  catalog_version: z.string(),
});

export const models = new Hono<AdminEnv>();

models.get("/:org/models", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "models");
  const { limit, cursor, project, ...filter } = readQuery(c, ModelsQuery);
  const after = positionOf({ list: "models", org }, cursor);
  const { record, ...judging } = await rulesInForce(edgeOf(c), org, project);
  const matching = matchingModels(filter, judging);
  const rows = rowsAfter(matching, { keyOf: ({ id }) => id, after, limit: limit + 1 });
  const { data, next_cursor } = paged(rows, { list: "models", org, limit }, ({ id }) => id);
  const answer: z.infer<typeof ModelsAnswer> = {
    data: data.map((model) => modelAnswer(judgedModel(model, judging))),
    next_cursor,
    policy_revision: record.revision,
    catalog_version: judging.catalog.version,
  };
  return c.json(answer);
});

function modelAnswer({ model, offers, allowed, live }: JudgedModel): z.infer<typeof ModelAnswer> {
  const { id, name, aliases = [], family, releasedAt, output } = model;
  return {
    id,
    name,
    aliases,
    family,
    released_at: releasedAt,
    output,
    allowed,
    live,
    providers: offers.map(offerAnswer),
  };
}

function offerAnswer({ candidate: { provider, mapping }, verdict, live }: Offer) {
  const { input, output } = knownPrice(mapping.price);
  return {
    id: provider.id,
    name: provider.name,
    allowed: verdict.allowed,
    failures: [...verdict.failures],
    live,
    retires_at: mapping.deactivatedAt ?? null,
    apis: mapping.apis,
    price: { input: finite(input), output: finite(output) },
    context: mapping.context ?? null,
  };
}

const finite = (price: number) => (Number.isFinite(price) ? price : null);
