// The settings pages: rendered here, usable without JavaScript, live with htmx. Mounted at /settings.
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { settingsOf } from "../../env.ts";
import type { AdminEnv } from "../authorize.ts";
import { Problem } from "../problem.ts";
import { memberHere } from "./access.ts";
import { assetResponse } from "./assets.ts";
import { auditLog } from "./audit-log.tsx";
import { compliance } from "./compliance.tsx";
import { events } from "./events.tsx";
import { history } from "./history.tsx";
import { keys } from "./keys.tsx";
import { landingOf } from "./layout.tsx";
import { members } from "./members.tsx";
import { models } from "./models.tsx";
import { organization } from "./organization.tsx";
import { overview } from "./overview.tsx";
import { pageHeaders } from "./page-headers.ts";
import { project } from "./project.tsx";
import { projects } from "./projects.tsx";
import { providers } from "./providers.tsx";
import { refusalPage } from "./refusals.tsx";
import { retention } from "./retention.tsx";
import { signIn } from "./sign-in.tsx";
import { webhooks } from "./webhooks.tsx";

/** Far more than a policy whose lists are all full. */
const MAX_FORM_BYTES = 2 * 1024 * 1024;

export const pages = new Hono<AdminEnv>();

pages.use(pageHeaders);
pages.use(async (c, next) => {
  c.header("cache-control", "no-store");
  await next();
});
pages.use(bodyLimit({ maxSize: MAX_FORM_BYTES, onError: tooLarge }));
pages.use(async (c, next) => {
  c.set("settings", settingsOf(c.env));
  await next();
});

pages.get("/", async (c) => c.redirect(landingOf((await memberHere(c)).role)));
pages.route("/", signIn);
pages.route("/organization", organization);
pages.route("/overview", overview);
pages.route("/compliance/history", history);
pages.route("/compliance", compliance);
pages.route("/models", models);
pages.route("/providers", providers);
pages.route("/events/retention", retention);
pages.route("/events", events);
pages.route("/projects", projects);
pages.route("/projects", project);
pages.route("/keys", keys);
pages.route("/members", members);
pages.route("/audit-log", auditLog);
pages.route("/webhooks", webhooks);
pages.get("/assets/*", (c) => assetResponse(c.req.path) ?? nothingHere());
pages.all("*", nothingHere);
pages.onError(refusalPage);

function nothingHere(): never {
  throw new Problem({ status: 404, code: "not_found", detail: "There is no such page." });
}

function tooLarge(): never {
  throw new Problem({ status: 413, code: "request_too_large", detail: "This form is too large." });
}
