// Who may call what: authentication, the same-origin rule, and what the operator may not. Roles: role-walk.test.ts.
import { beforeAll, describe, expect, it } from "vitest";
import { DISABLED_POLICY } from "../src/compliance/policy.ts";
import { memberByToken, openSession } from "../src/store/members.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { replacing } from "./world.ts";

let acme: AdminWorld;
beforeAll(async () => {
  acme = await openAdminWorld();
});

describe("signing in", () => {
  it.each([
    ["no credentials", {}],
    ["an unknown token", { authorization: "Bearer nonsense" }],
    ["another scheme", { authorization: "Basic b3duZXI6eA==" }],
    ["an empty token", { authorization: "Bearer " }],
    ["a made-up session", { cookie: "__Host-portcullis=nonsense" }],
  ])("refuses %s with a 401 problem", async (_, headers: Record<string, string>) => {
    const answer = await acme.ask("nobody", "GET", "/policy", { headers });
    expect(answer).toMatchObject({ status: 401, body: { code: "not_signed_in", status: 401 } });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  it("an unset operator token opens nothing", async () => {
    const { OPERATOR_TOKEN: _, ...closed } = acme.env;
    for (const token of ["undefined", "", acme.tokens.operator]) {
      const headers = { authorization: `Bearer ${token}` };
      expect((await acme.call("nobody", "GET", "/catalog", { headers, env: closed })).status).toBe(401);
    }
  });

  it("a short operator token keeps the operator's routes closed, and nothing else", async () => {
    const env = { ...acme.env, OPERATOR_TOKEN: "short" };
    const answer = await acme.call("nobody", "GET", "/catalog", { headers: { authorization: "Bearer short" }, env });
    expect(answer).toMatchObject({ status: 401, body: { code: "not_signed_in" } });
    expect((await acme.ask("owner", "GET", "/policy", { env })).status).toBe(200);
  });

  it("a bad Authorization header is not made good by a session", async () => {
    const headers = { cookie: await cookieOf(acme, "owner"), authorization: "Bearer nonsense" };
    expect((await acme.ask("nobody", "GET", "/policy", { headers })).status).toBe(401);
  });

  it("a session reads, and ends with its time", async () => {
    const headers = { cookie: await cookieOf(acme, "owner") };
    expect((await acme.ask("nobody", "GET", "/policy", { headers })).status).toBe(200);
    await acme.env.DB.prepare("UPDATE sessions SET expires_at = '2020-01-01T00:00:00.000Z'").run();
    expect((await acme.ask("nobody", "GET", "/policy", { headers })).status).toBe(401);
  });
});

describe("a change by cookie comes from this site", () => {
  it.each([
    ["no Origin and no Sec-Fetch-Site", {}, 403],
    ["another origin", { origin: "https://evil.test" }, 403],
    ["an opaque origin", { origin: "null" }, 403],
    ["the same host by another scheme", { origin: "http://portcullis.test" }, 403],
    ["another origin that claims same-origin", { origin: "https://evil.test", "sec-fetch-site": "same-origin" }, 403],
    ["cross-site", { "sec-fetch-site": "cross-site" }, 403],
    ["same-site", { "sec-fetch-site": "same-site" }, 403],
    ["our own origin", { origin: "https://portcullis.test" }, 200],
    ["same-origin", { "sec-fetch-site": "same-origin" }, 200],
    ["a navigation of the user's own", { "sec-fetch-site": "none" }, 200],
  ])("%s", async (_, origin: Record<string, string>, status) => {
    const headers = { cookie: await cookieOf(acme, "admin"), ...origin };
    const answer = await acme.ask("nobody", "POST", "/policy/preview", { body: DISABLED_POLICY, headers });
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.body.code).toBe("cross_origin");
  });

  it("a token needs no origin", async () => {
    const headers = { origin: "https://evil.test" };
    const answer = await acme.ask("admin", "POST", "/policy/preview", { body: DISABLED_POLICY, headers });
    expect(answer.status).toBe(200);
  });
});

describe("the operator", () => {
  it("makes the first owner and their token, and then no other member or token", async () => {
    const org = `new-${crypto.randomUUID().slice(0, 8)}`;
    const operate = (method: string, path: string, body?: unknown) =>
      acme.call("operator", method, `/orgs/${org}${path}`, { body });
    await acme.call("operator", "POST", "/orgs", { body: { id: org, name: "New", plan: "free" } });
    expect((await operate("PUT", "/members/dev@new.example", { role: "developer" })).status).toBe(403);
    expect((await operate("POST", "/members/own@new.example/tokens")).status).toBe(403);
    expect((await operate("PUT", "/members/own@new.example", { role: "owner" })).status).toBe(200);
    expect((await operate("PUT", "/members/own@new.example", { role: "owner" })).status).toBe(200);
    expect((await operate("PUT", "/members/second@new.example", { role: "owner" })).status).toBe(403);
    const issued = await operate("POST", "/members/own@new.example/tokens", {});
    expect(issued).toMatchObject({ status: 201, body: { token: expect.stringMatching(/^pcladm_/) } });
    expect((await operate("POST", "/members/own@new.example/tokens")).status).toBe(403);
    expect((await operate("PUT", "/members/own@new.example", { role: "owner" })).status).toBe(403);
  });

  it("neither reads nor changes a policy", async () => {
    expect((await acme.ask("operator", "GET", "/policy")).status).toBe(403);
    expect((await acme.savePolicy("operator", DISABLED_POLICY, 1)).status).toBe(403);
    expect((await acme.ask("operator", "GET", "/events")).status).toBe(403);
  });

  it("finds no organization that does not exist", async () => {
    expect((await acme.call("operator", "PATCH", "/orgs/no-such-org", { body: { plan: "pro" } })).status).toBe(404);
    const put = await acme.call("operator", "PUT", "/orgs/no-such-org/members/a@b.example", {
      body: { role: "owner" },
    });
    expect(put.status).toBe(404);
  });
});

it("an unknown route is a 404 problem", async () => {
  expect(await acme.call("owner", "GET", "/nonsense")).toMatchObject({ status: 404, body: { code: "not_found" } });
  expect(await acme.ask("owner", "DELETE", "/policy")).toMatchObject({ status: 404, body: { code: "not_found" } });
});

it("a database that is down is a 503 problem", async () => {
  const down = () => {
    throw new Error("D1_ERROR: the database is down");
  };
  const env = { ...acme.env, DB: replacing(acme.env.DB, { prepare: down }) };
  for (const path of ["/policy", "/events", "/keys"]) {
    const answer = await acme.ask("owner", "GET", path, { env });
    expect(answer).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.text).not.toContain("D1_ERROR");
  }
});

it("a database that goes down after signing in is a 503 problem", async () => {
  const env = {
    ...acme.env,
    DB: replacing(acme.env.DB, {
      prepare(query: string) {
        if (query.includes("revisions")) throw new Error("D1_ERROR: the database is down");
        return acme.env.DB.prepare(query);
      },
    }),
  };
  expect(await acme.ask("owner", "GET", "/policy", { env })).toMatchObject({
    status: 503,
    body: { code: "unavailable" },
  });
});

async function cookieOf(world: AdminWorld, role: "owner" | "admin"): Promise<string> {
  const member = await memberByToken(world.env, world.tokens[role]);
  if (!member) throw new Error("no such member");
  return `__Host-portcullis=${await openSession(world.env, member)}`;
}
