// Settings → Models: the list, by model id, with its filters in the address.
import { Hono } from "hono";
import * as z from "zod";
import { edgeOf } from "../api/edge-of.ts";
import { MODEL_FILTERS } from "../api/models.ts";
import type { AdminEnv } from "../authorize.ts";
import { judgedModel, matchingModels } from "../models.ts";
import { rowsAfter } from "../rows-after.ts";
import { rulesInForce } from "../rules-in-force.ts";
import { enter } from "./access.ts";
import { readFilters } from "./filters.ts";
import { ModelsPage } from "./models-page.tsx";

const PER_PAGE = 50;

const Query = z.strictObject({ ...MODEL_FILTERS, after: z.string().max(256).optional() });

export const models = new Hono<AdminEnv>();

models.get("/", async (c) => {
  const member = await enter(c, "models");
  const { after, ...filters } = readFilters(c, Query);
  const edge = edgeOf(c);
  const { project, ...filter } = filters;
  const inForce = await rulesInForce(edge, member.org, project);
  const matching = matchingModels(filter, inForce);
  const rows = rowsAfter(matching, { keyOf: ({ id }) => id, after, limit: PER_PAGE + 1 });
  const shown = rows.slice(0, PER_PAGE).map((model) => judgedModel(model, inForce));
  const next = rows.length > PER_PAGE ? shown.at(-1)?.model.id : undefined;
  return c.html(
    ModelsPage({
      member,
      settings: edge.settings,
      inForce,
      filters,
      after,
      next,
      matching: matching.length,
      models: shown,
    }),
  );
});
