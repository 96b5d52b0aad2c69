// The data plane, below /v1: one line per route. An app of its own, not a part of another: one handler per route and no
// middleware, since this is the path that every prompt takes.
import { type Context, Hono } from "hono";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { refuse } from "../errors.ts";
import { loadRules } from "../store/edge.ts";
import { authenticate } from "./authenticate.ts";
import { edgeOf, type GatewayEnv, ownHeaders } from "./context.ts";
import { listedModel } from "./models.ts";
import { answerError } from "./refusals.ts";
import { rulesFor } from "./rules.ts";
import { serve } from "./serve.ts";
import { SURFACES } from "./surfaces.ts";

export const gateway = new Hono<GatewayEnv>({ router: new RegExpRouter() }).basePath("/v1");

for (const surface of SURFACES) gateway.post(surface.path, (c) => serve(c, surface));

gateway.get("/models", async (c) => {
  const { judge, catalog, now } = await readerOf(c);
  const withBlocked = c.req.query("include") === "blocked";
  const listed = [...catalog.models.values()].map((model) => listedModel(model, { catalog, judge, withBlocked, now }));
  const data = withBlocked ? listed : listed.filter(({ allowed }) => allowed);
  const page = { has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  return c.json({ object: "list", data, ...page }, 200, ownHeaders(c));
});

gateway.get("/models/:id", async (c) => {
  const { judge, catalog, now } = await readerOf(c);
  const id = c.req.param("id");
  const model = catalog.models.get(catalog.aliases.get(id) ?? id);
  const withBlocked = c.req.query("include") === "blocked";
  const listed = model && listedModel(model, { catalog, judge, withBlocked, now });
  if (!listed || !(listed.allowed || withBlocked))
    return refuse({
      code: "model_not_found",
      model: id,
      why: "The catalog has no such model with a provider that your organization allows. GET /v1/models?include=blocked lists all, with reasons.",
    });
  return c.json(listed, 200, ownHeaders(c));
});

gateway.notFound((c) => refuse({ code: "not_found", path: `${c.req.method} ${c.req.path}` }));

gateway.onError(answerError);

async function readerOf(c: Context<GatewayEnv>) {
  const edge = edgeOf(c);
  const caller = await authenticate(c.req.raw.headers, edge);
  c.set("caller", caller);
  const { org, catalog } = await loadRules(edge, caller.org);
  c.set("revision", org.revision);
  return {
    judge: rulesFor(org, caller.project, []).judge,
    catalog,
    now: Date.now(),
  };
}
