// The admin API, mounted at /admin/api: JSON in, JSON or problem details out, and nothing before it is known who asks.
import { Hono } from "hono";
import { auditLog } from "./api/audit-log.ts";
import { catalog } from "./api/catalog.ts";
import { chain } from "./api/chain.ts";
import { credentials } from "./api/credentials.ts";
import { deadLetters } from "./api/dead-letters.ts";
import { events } from "./api/events.ts";
import { health } from "./api/health.ts";
import { installationLog } from "./api/installation-log.ts";
import { keys } from "./api/keys.ts";
import { members } from "./api/members.ts";
import { models } from "./api/models.ts";
import { orgs } from "./api/orgs.ts";
import { policy } from "./api/policy.ts";
import { projectPolicy } from "./api/project-policy.ts";
import { projects } from "./api/projects.ts";
import { providers } from "./api/providers.ts";
import { reference } from "./api/reference.ts";
import { retention } from "./api/retention.ts";
import { revisions } from "./api/revisions.ts";
import { statistics } from "./api/statistics.ts";
import { tokens } from "./api/tokens.ts";
import { webhooks } from "./api/webhooks.ts";
import { type AdminEnv, authenticate } from "./authorize.ts";
import { Problem, problemResponse } from "./problem.ts";

export const adminApi = new Hono<AdminEnv>();

adminApi.use(async (c, next) => {
  await next();
  c.res.headers.set("cache-control", "no-store");
  c.res.headers.set("x-content-type-options", "nosniff");
});
// Before anybody is asked who they are: it says nothing that the source does not.
adminApi.route("/", reference);
adminApi.use(authenticate);

adminApi.route("/orgs", orgs);
adminApi.route("/orgs", members);
adminApi.route("/orgs", tokens);
adminApi.route("/orgs", projects);
adminApi.route("/orgs", projectPolicy);
adminApi.route("/orgs", keys);
adminApi.route("/orgs", credentials);
adminApi.route("/orgs", policy);
adminApi.route("/orgs", revisions);
adminApi.route("/orgs", auditLog);
// Before the events, one of which could else be called `verify`.
adminApi.route("/orgs", chain);
adminApi.route("/orgs", statistics);
adminApi.route("/orgs", events);
adminApi.route("/orgs", retention);
adminApi.route("/orgs", health);
adminApi.route("/orgs", models);
adminApi.route("/orgs", providers);
adminApi.route("/orgs", webhooks);
adminApi.route("/catalog", catalog);
adminApi.route("/dead-letters", deadLetters);
adminApi.route("/audit-log", installationLog);

adminApi.all("*", (c) => {
  throw new Problem({
    status: 404,
    code: "not_found",
    detail: `The admin API does not offer ${c.req.method} on this path.`,
  });
});

adminApi.onError(problemResponse);
