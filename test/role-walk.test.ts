// Who gets past the check of every route of the admin API and of the pages: each with every role, on every plan, in their
// own organization and in another. The routes are the ones that are registered; one without a line here fails.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { Hono } from "hono";
import { beforeAll, describe, expect, it } from "vitest";
import { adminApi } from "../src/admin/index.ts";
import { pages } from "../src/admin/pages/index.tsx";
import { DISABLED_POLICY } from "../src/compliance/policy.ts";
import type { Env } from "../src/env.ts";
import { memberByToken, openSession } from "../src/store/members.ts";
import { type AdminWorld, type Caller, openAdminWorld, type Plan } from "./admin-world.ts";

const ROLES = ["owner", "admin", "developer"] as const;
const CALLERS: readonly Caller[] = [...ROLES, "operator", "nobody"];
const PLANS: readonly Plan[] = ["free", "pro", "enterprise"];

interface Walked {
  /** Who gets past the check. */
  open: readonly Caller[];
  /** Of those, who does on the enterprise plan alone. Such a route needs what is sent to be valid up to there. */
  enterprise?: readonly Caller[];
  body?: unknown;
  headers?: Record<string, string>;
}

const EVERYBODY: Walked = { open: CALLERS };
const OWNER: Walked = { open: ["owner"] };
const MANAGERS: Walked = { open: ["owner", "admin"] };
const MEMBERS: Walked = { open: ["owner", "admin", "developer"] };
const OPERATOR: Walked = { open: ["operator"] };
/** Nothing is sent that could be done, so that the walk changes nothing: whoever gets past the check gets a 4xx after it. */
const API: Record<string, Walked> = {
  "GET /openapi.json": EVERYBODY,
  "GET /docs": EVERYBODY,

  "POST /orgs": OPERATOR,
  "PATCH /orgs/:org": OPERATOR,
  "GET /catalog": OPERATOR,
  "PUT /catalog": OPERATOR,
  "GET /audit-log": OPERATOR,
  "GET /dead-letters": OPERATOR,
  "POST /dead-letters/:id/replay": OPERATOR,

  "GET /orgs/:org/members": OWNER,
  "PUT /orgs/:org/members/:email": OWNER,
  "DELETE /orgs/:org/members/:email": OWNER,
  "POST /orgs/:org/members/:email/tokens": OWNER,
  // Of somebody else; their own are for everybody, which admin-tokens.test.ts shows.
  "GET /orgs/:org/members/:email/tokens": OWNER,
  "DELETE /orgs/:org/members/:email/tokens/:id": OWNER,

  "POST /orgs/:org/keys": MANAGERS,
  "GET /orgs/:org/keys": MANAGERS,
  "PATCH /orgs/:org/keys/:id": MANAGERS,
  "DELETE /orgs/:org/keys/:id": MANAGERS,

  "POST /orgs/:org/projects": MANAGERS,
  "GET /orgs/:org/projects": MANAGERS,
  "PATCH /orgs/:org/projects/:project": MANAGERS,
  "DELETE /orgs/:org/projects/:project": MANAGERS,
  "GET /orgs/:org/projects/:project/policy": MANAGERS,
  "PUT /orgs/:org/projects/:project/policy": MANAGERS,
  "DELETE /orgs/:org/projects/:project/policy": MANAGERS,
  "POST /orgs/:org/projects/:project/policy/preview": MANAGERS,

  "GET /orgs/:org/credentials": MANAGERS,
  "PUT /orgs/:org/credentials/:provider": MANAGERS,
  "DELETE /orgs/:org/credentials/:provider": MANAGERS,

  "GET /orgs/:org/policy": MANAGERS,
  "PUT /orgs/:org/policy": {
    ...MANAGERS,
    enterprise: ["admin"],
    body: DISABLED_POLICY,
    headers: { "if-match": '"999"' },
  },
  "POST /orgs/:org/policy/preview": MANAGERS,
  "PUT /orgs/:org/routing": MANAGERS,
  "GET /orgs/:org/policy/revisions": MANAGERS,
  "GET /orgs/:org/policy/revisions/:revision": MANAGERS,
  "GET /orgs/:org/policy/revisions/:from/compare/:to": MANAGERS,
  "POST /orgs/:org/policy/revisions/:revision/restore": MANAGERS,

  "GET /orgs/:org/audit-log": MANAGERS,
  "GET /orgs/:org/audit-log/export": MANAGERS,
  "GET /orgs/:org/models": MEMBERS,
  "GET /orgs/:org/providers": MANAGERS,
  "GET /orgs/:org/providers/:id": MANAGERS,
  "GET /orgs/:org/events": MANAGERS,
  "GET /orgs/:org/events/export": MANAGERS,
  "GET /orgs/:org/events/verify": MANAGERS,
  "GET /orgs/:org/events/chain": MANAGERS,
  "GET /orgs/:org/events/stats": MANAGERS,
  "GET /orgs/:org/events/:id": MANAGERS,
  "GET /orgs/:org/health": MANAGERS,
  "GET /orgs/:org/retention": MANAGERS,
  "PUT /orgs/:org/retention": OWNER,

  "POST /orgs/:org/webhooks": MANAGERS,
  "GET /orgs/:org/webhooks": MANAGERS,
  "GET /orgs/:org/webhooks/:id": MANAGERS,
  "PATCH /orgs/:org/webhooks/:id": MANAGERS,
  "DELETE /orgs/:org/webhooks/:id": MANAGERS,
  "POST /orgs/:org/webhooks/:id/resume": MANAGERS,
  "POST /orgs/:org/webhooks/:id/rotate-secret": MANAGERS,
  "POST /orgs/:org/webhooks/:id/test": MANAGERS,
};

const PAGES: Record<string, Walked> = {
  "GET /": MEMBERS,
  "GET /sign-in": EVERYBODY,
  "POST /sign-in": EVERYBODY,
  "POST /sign-out": EVERYBODY,
  "GET /assets/*": EVERYBODY,
  "GET /organization": MEMBERS,
  "POST /organization": MEMBERS,

  "GET /overview": MANAGERS,
  "GET /compliance/history": MANAGERS,
  "GET /compliance/history/compare": MANAGERS,
  "GET /compliance/history/:revision/restore": MANAGERS,
  "POST /compliance/history/:revision/restore": MANAGERS,
  "GET /compliance": MANAGERS,
  "POST /compliance": MANAGERS,
  "POST /compliance/preview": MANAGERS,
  "POST /compliance/switch-off": { ...MANAGERS, enterprise: ["admin"] },

  "GET /models": MEMBERS,
  "GET /providers": MANAGERS,
  "GET /providers/:id": MANAGERS,
  "GET /audit-log": MANAGERS,

  "GET /events": MANAGERS,
  "GET /events/:id": MANAGERS,
  "GET /events/retention": MANAGERS,
  "POST /events/retention": OWNER,

  "GET /projects": MANAGERS,
  "POST /projects": MANAGERS,
  "GET /projects/:project": MANAGERS,
  "POST /projects/:project": MANAGERS,
  "POST /projects/:project/preview": MANAGERS,
  "POST /projects/:project/switch-off": MANAGERS,
  "GET /projects/:project/remove-policy": MANAGERS,
  "POST /projects/:project/remove-policy": MANAGERS,
  "POST /projects/:project/name": MANAGERS,
  "GET /projects/:project/remove": MANAGERS,
  "POST /projects/:project/remove": MANAGERS,
  "GET /keys": EVERYBODY,
  "POST /keys": MANAGERS,
  "GET /keys/:id": MANAGERS,
  "POST /keys/:id/name": MANAGERS,
  "POST /keys/:id/expiry": MANAGERS,
  "GET /keys/:id/revoke": MANAGERS,
  "POST /keys/:id/revoke": MANAGERS,

  "GET /webhooks": MANAGERS,
  "POST /webhooks": MANAGERS,
  "GET /webhooks/:id": MANAGERS,
  "POST /webhooks/:id": MANAGERS,
  "POST /webhooks/:id/test": MANAGERS,
  "POST /webhooks/:id/pause": MANAGERS,
  "POST /webhooks/:id/resume": MANAGERS,
  "GET /webhooks/:id/rotate-secret": MANAGERS,
  "POST /webhooks/:id/rotate-secret": MANAGERS,
  "GET /webhooks/:id/remove": MANAGERS,
  "POST /webhooks/:id/remove": MANAGERS,

  "GET /members": OWNER,
  "POST /members": OWNER,
  "GET /members/:email": OWNER,
  "POST /members/:email/role": OWNER,
  "POST /members/:email/tokens": OWNER,
  "GET /members/:email/remove": OWNER,
  "POST /members/:email/remove": OWNER,
  "GET /members/:email/tokens/:id/revoke": OWNER,
  "POST /members/:email/tokens/:id/revoke": OWNER,
};

/** Names that no organization has, so that nothing is found behind the check. */
const PARAMETERS: Record<string, string> = { email: "nobody@acme.example", "*": "x" };
const pathOf = (pattern: string, org: string) =>
  pattern.replace(/:(\w+)|\*/g, (whole, name) => (name === "org" ? org : (PARAMETERS[name ?? whole] ?? `${name}_0`)));

/** Middleware, and what answers when nothing else does, are no routes: they are for every method of a path with a star. */
const registered = (app: { routes: { method: string; path: string }[] }) => [
  ...new Set(
    app.routes
      .filter(({ method, path }) => method !== "ALL" || !path.endsWith("*"))
      .map(({ method, path }) => `${method} ${path.replace(/(?<=.)\/$/, "")}`),
  ),
];

let own: AdminWorld;
let other: AdminWorld;
const cookies: Partial<Record<Caller, string>> = {};
beforeAll(async () => {
  own = await openAdminWorld();
  other = await openAdminWorld();
  for (const role of ROLES) {
    const member = await memberByToken(own.env, own.tokens[role]);
    if (member) cookies[role] = `__Host-portcullis=${await openSession(own.env, member)}`;
  }
});

describe.each([
  ["API", "src/admin/api", registered(adminApi), API],
  ["PAGES", "src/admin/pages", registered(pages), PAGES],
] as const)("the table %s", (table, directory, routes, walked) => {
  it("has a line for every route", () => {
    for (const route of routes)
      expect(
        Object.hasOwn(walked, route),
        `${directory} serves ${route}, and nobody has said who may call it. Add to ${table} in test/role-walk.test.ts a line such as\n  "${route}": MANAGERS,\nnaming those who may (and check the route with requireMember, requireOperator or enter).`,
      ).toBe(true);
  });

  it("has no line for a route that is gone", () => {
    expect(Object.keys(walked).filter((route) => !routes.includes(route))).toEqual([]);
  });

  it("reads the routes", () => {
    expect(routes.length).toBeGreaterThan(15);
  });
});

describe.each(PLANS)("on the %s plan", (plan) => {
  beforeAll(() => own.setPlan(plan));

  it.each(Object.entries(API))("%s", async (route, { open, enterprise = [], body, headers = {} }) => {
    const [method = "", pattern = ""] = route.split(" ");
    for (const caller of CALLERS) {
      const asked = { headers, ...(body !== undefined && { body }) };
      const answer = await own.call(caller, method, pathOf(pattern, own.org), asked);
      const { status } = answer;
      const code = status < 400 ? null : answer.body.code;
      const why = `${caller}: ${status} ${code}`;
      if (!open.includes(caller)) {
        expect(status, why).toBe(caller === "nobody" ? 401 : 403);
        expect(code, why).toMatch(/^(not_signed_in|role_required|forbidden)$/);
      } else if (enterprise.includes(caller) && plan !== "enterprise") expect(code, why).toBe("plan_required");
      else {
        expect([401, 403, 500, 503], why).not.toContain(status);
        if (status === 404) expect(answer.body.detail, why).not.toBe("There is no such organization.");
      }
    }
  });

  it.each(Object.entries(API).filter(([route]) => route.includes("/:org")))(
    "%s of another organization is not found, and neither is one that does not exist",
    async (route, { body, headers = {} }) => {
      const [method = "", pattern = ""] = route.split(" ");
      for (const role of ROLES) {
        const asked = { headers, ...(body !== undefined && { body }) };
        const theirs = await own.call(role, method, pathOf(pattern, other.org), asked);
        const nobodys = await own.call(role, method, pathOf(pattern, "no-such-org"), asked);
        expect(theirs, role).toMatchObject({ status: 404, body: { code: "not_found" } });
        expect(theirs.text, role).toBe(nobodys.text);
      }
    },
  );

  it.each(Object.entries(PAGES))("page %s", async (route, { open, enterprise = [] }) => {
    const [method = "", pattern = ""] = route.split(" ");
    for (const caller of CALLERS) {
      const { status, location, html } = await visit(caller, method, pathOf(pattern, own.org));
      const leadsToSignIn = location.startsWith("/settings/sign-in?");
      const why = `${caller}: ${status} ${location}`;
      if (enterprise.includes(caller) && plan !== "enterprise") {
        expect(status, why).toBe(403);
        expect(html, why).not.toContain(NOT_THEIR_ROLE);
      } else if (open.includes(caller)) {
        expect(route === "POST /sign-in" ? [403, 500, 503] : [401, 403, 500, 503], why).not.toContain(status);
        expect(leadsToSignIn, why).toBe(false);
      } else if (cookies[caller]) {
        expect(status, why).toBe(403);
        expect(html, why).toContain(NOT_THEIR_ROLE);
      } else if (method === "GET") expect(leadsToSignIn, why).toBe(true);
      else expect(status, why).toBe(401);
    }
  });
});

const NOT_THEIR_ROLE = "Not part of your role";
const app = new Hono<{ Bindings: Env }>().route("/settings", pages);

/** As a browser sends it from this site; the organization cookie names the other one, which nobody here is a member of. */
async function visit(
  caller: Caller,
  method: string,
  path: string,
): Promise<{ status: number; location: string; html: string }> {
  const context = createExecutionContext();
  const cookie = [cookies[caller], `__Host-portcullis-organization=${other.org}`].filter(Boolean).join("; ");
  const signsOut = path === "/sign-out";
  const request = new Request(`https://portcullis.test/settings${path === "/" ? "" : path}`, {
    method,
    headers: { origin: "https://portcullis.test", ...(!signsOut && { cookie }) },
    ...(method === "POST" && { body: new URLSearchParams({ organization: own.org }) }),
  });
  const response = await app.fetch(request, own.env, context);
  const html = new TextDecoder().decode(await response.arrayBuffer());
  await waitOnExecutionContext(context);
  return { status: response.status, location: response.headers.get("location") ?? "", html };
}
