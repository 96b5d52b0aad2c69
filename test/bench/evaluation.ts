// A Worker for the bench alone: the evaluator and the preview on the shipped catalog, without anything around them. A
// Worker's clock stands still while it computes, so its time is taken from outside.

import { type CatalogIndex, indexCatalog } from "../../src/catalog/lookup.ts";
import models from "../../src/catalog/models.json";
import providers from "../../src/catalog/providers.json";
import { Catalog } from "../../src/catalog/schema.ts";
import { evaluate, type Rules } from "../../src/compliance/evaluate.ts";
import { createEvaluator } from "../../src/compliance/evaluator.ts";
import { preview } from "../../src/compliance/preview.ts";
import { REQUIREMENT_IDS } from "../../src/compliance/requirements.ts";

/** Asks for everything there is to ask for. New objects each time, so that nothing can be remembered for them. */
const strictRules = (): Rules => ({
  policies: [
    {
      enabled: true,
      requirements: [...REQUIREMENT_IDS],
      headquarters: ["US", "FR", "DE"],
      providers: { allow: [], block: ["xai"] },
      models: { allow: [], block: ["gpt-4"] },
    },
  ],
  requirements: [],
});

/** Text, as KV would hand it over. */
const text = JSON.stringify({ version: "bench", providers, models });

const readCatalog = (): CatalogIndex => indexCatalog(Catalog.parse(JSON.parse(text)));

const catalog = readCatalog();

/** Every provider, and every model at every provider that serves it; answers how many were judged. */
function judgeAll({ providers: all, candidates }: CatalogIndex, now: number): number {
  const rules = strictRules();
  const evaluator = createEvaluator(rules);
  let judged = 0;
  for (const provider of all.values()) judged += evaluate(rules, { provider, now }).failures.length >= 0 ? 1 : 0;
  for (const each of candidates.values())
    for (const candidate of each) judged += evaluator(candidate, now).failures.length >= 0 ? 1 : 0;
  return judged;
}

function previewAll({ providers: all, models: each }: CatalogIndex, now: number): number {
  const rules = { draft: strictRules(), inForce: { policies: [], requirements: [] } };
  return preview(rules, { providers: all.values(), models: each.values() }, now).models.length;
}

export default {
  fetch(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    const now = Date.now();
    let done = 0;
    for (let left = Number(searchParams.get("times")); left > 0; left--) {
      if (pathname === "/evaluate") done += judgeAll(catalog, now);
      else if (pathname === "/preview") done += previewAll(catalog, now);
      else if (pathname === "/catalog") done += readCatalog().models.size;
    }
    return Response.json({ done });
  },
};
