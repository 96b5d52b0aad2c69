// Portcullis: the Worker's entry, a table of contents. Routes stand in the order a request meets them.
import { Hono } from "hono";
import { auditKeys } from "./admin/api/chain.ts";
import { adminApi } from "./admin/index.ts";
import { pages } from "./admin/pages/index.tsx";
import { problemResponse } from "./admin/problem.ts";
import { consumeBatch } from "./audit/consumer.ts";
import { runCron } from "./audit/cron.ts";
import type { Env } from "./env.ts";
import { crossOriginGateway } from "./gateway/cross-origin.ts";
import { gateway } from "./gateway/index.ts";

const DATA_PLANE = /^https?:\/\/[^/]+\/v1(?:[/?]|$)/;

const controlPlane = new Hono<{ Bindings: Env }>();

controlPlane.route("/admin/api", adminApi);
controlPlane.route("/settings", pages);
controlPlane.get("/.well-known/portcullis-audit-keys", auditKeys);
controlPlane.get("/", (c) => c.redirect("/settings"));
controlPlane.onError(problemResponse);

export default {
  fetch: (request, env, context) => {
    if (!DATA_PLANE.test(request.url)) return controlPlane.fetch(request, env, context);
    const dataPlane = env.ALLOWED_ORIGINS ? crossOriginGateway : gateway;
    return dataPlane.fetch(request, env, context);
  },
  queue: (batch, env, context) => consumeBatch(batch, env, context),
  scheduled: ({ cron }, env) => runCron(cron, env),
} satisfies ExportedHandler<Env>;
