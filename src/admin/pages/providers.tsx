// Settings → Providers: the list with its filters in the address, and the page of one provider.
import { Hono } from "hono";
import * as z from "zod";
import { edgeOf } from "../api/edge-of.ts";
import { PROVIDER_FILTERS } from "../api/providers.ts";
import type { AdminEnv } from "../authorize.ts";
import { Problem } from "../problem.ts";
import { judgedProviders, matches, orderKey } from "../providers.ts";
import { rowsAfter } from "../rows-after.ts";
import { rulesInForce } from "../rules-in-force.ts";
import { enter } from "./access.ts";
import { readFilters } from "./filters.ts";
import { ProviderPage } from "./provider-page.tsx";
import { ProvidersPage } from "./providers-page.tsx";

const PER_PAGE = 100;

const Query = z.strictObject({ ...PROVIDER_FILTERS, after: z.string().max(80).optional() });

export const providers = new Hono<AdminEnv>();

providers.get("/", async (c) => {
  const member = await enter(c, "providers");
  const { after, ...filters } = readFilters(c, Query);
  const edge = edgeOf(c);
  const inForce = await rulesInForce(edge, member.org);
  const matching = judgedProviders(inForce).filter((judged) => matches(filters, judged));
  const rows = rowsAfter(matching, { keyOf: (judged) => orderKey(judged, filters), after, limit: PER_PAGE + 1 });
  const shown = rows.slice(0, PER_PAGE);
  const last = shown.at(-1);
  const next = last && rows.length > PER_PAGE ? orderKey(last, filters) : undefined;
  return c.html(
    ProvidersPage({
      member,
      settings: edge.settings,
      inForce,
      filters,
      after,
      next,
      matching: matching.length,
      providers: shown,
    }),
  );
});

providers.get("/:id", async (c) => {
  const member = await enter(c, "providers");
  const edge = edgeOf(c);
  const inForce = await rulesInForce(edge, member.org);
  const judged = judgedProviders(inForce).find(({ provider }) => provider.id === c.req.param("id"));
  if (!judged) throw new Problem({ status: 404, code: "not_found", detail: "The catalog has no such provider." });
  return c.html(ProviderPage({ member, settings: edge.settings, judged, inForce }));
});
