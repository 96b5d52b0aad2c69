// Portcullis: the Worker's entry, a table of contents. Routes stand in the order a request meets them.
import { Hono } from "hono";
import { consumeBatch } from "./audit/consumer.ts";
import { runCron } from "./audit/cron.ts";
import type { Env } from "./env.ts";
import { crossOriginGateway } from "./gateway/cross-origin.ts";
import { gateway } from "./gateway/index.ts";

const DATA_PLANE = /^https?:\/\/[^/]+\/v1(?:[/?]|$)/;

/** The control plane, loaded with its first request: an isolate that only serves prompts starts sooner without it. */
let controlPlane: Hono<{ Bindings: Env }> | undefined;

async function loadControlPlane(): Promise<Hono<{ Bindings: Env }>> {
  const { adminApi } = await import("./admin/index.ts");
  const { pages } = await import("./admin/pages/index.tsx");
  const { auditKeys } = await import("./admin/api/chain.ts");
  const { problemResponse } = await import("./admin/problem.ts");
  const app = new Hono<{ Bindings: Env }>();

  app.route("/admin/api", adminApi);
  app.route("/settings", pages);
  app.get("/.well-known/portcullis-audit-keys", auditKeys);
  app.get("/", (c) => c.redirect("/settings"));
  app.onError(problemResponse);
  return app;
}

export default {
  fetch: async (request, env, context) => {
    if (DATA_PLANE.test(request.url)) {
      const dataPlane = env.ALLOWED_ORIGINS ? crossOriginGateway : gateway;
      return dataPlane.fetch(request, env, context);
    }
    controlPlane ??= await loadControlPlane();
    return controlPlane.fetch(request, env, context);
  },
  queue: (batch, env, context) => consumeBatch(batch, env, context),
  scheduled: ({ cron }, env) => runCron(cron, env),
} satisfies ExportedHandler<Env>;
