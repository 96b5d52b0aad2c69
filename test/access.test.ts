// Signing in through Cloudflare Access: real RS256 tokens, checked against keys that a stand-in for the team's endpoint
// serves. Whatever is not exactly right lets nobody in.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { Hono } from "hono";
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { pages } from "../src/admin/pages/index.tsx";
import { type Env, readSettings } from "../src/env.ts";
import { gateway } from "../src/gateway/index.ts";
import { memberByToken, openSession } from "../src/store/members.ts";
import { newId } from "../src/store/secrets.ts";
import { type AdminWorld, openAdminWorld, send } from "./admin-world.ts";

const ISSUER = "https://acme.cloudflareaccess.com";
const CERTS = `${ISSUER}/cdn-cgi/access/certs`;
const AUDIENCE = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";
const ORIGIN = "https://portcullis.test";
const EMAIL = `owner-${crypto.randomUUID()}@acme.example`;

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;
let current: Keys;
let next: Keys;
/** Not the team's. */
let foreign: Keys;
let acme: AdminWorld;
let other: AdminWorld;
beforeAll(async () => {
  const options = { extractable: true };
  [current, next, foreign] = await Promise.all([
    generateKeyPair("RS256", options),
    generateKeyPair("RS256", options),
    generateKeyPair("RS256", options),
  ]);
  acme = await openAdminWorld();
  other = await openAdminWorld();
  await acme.ask("owner", "PUT", `/members/${EMAIL}`, { body: { role: "owner" } });
});

/** What the team's endpoint serves, and how often it was asked. */
let served: { keys: unknown[] } | Response | Error;
let asked: number;
let env: Env;
beforeEach(async () => {
  served = { keys: [await published(current, "current")] };
  asked = 0;
  env = { ...acme.env, ACCESS_TEAM_DOMAIN: "acme.cloudflareaccess.com", ACCESS_AUD: AUDIENCE };
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    expect(String(input)).toBe(CERTS);
    asked++;
    if (served instanceof Error) throw served;
    return served instanceof Response ? served : Response.json(served);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const published = async ({ publicKey }: Keys, kid: string): Promise<JWK> => ({
  ...(await exportJWK(publicKey)),
  kid,
  alg: "RS256",
  use: "sig",
});

const CLAIMS = { email: EMAIL, type: "app", sub: "7335d417", country: "US" };
interface Token {
  claims?: Record<string, unknown>;
  header?: { alg?: string; kid?: string };
  keys?: Keys;
  issuer?: string;
  audience?: string;
  expires?: number | string;
  from?: number | string;
}

function signed({ claims, header, keys = current, issuer, audience, expires, from }: Token = {}): Promise<string> {
  return new SignJWT({ ...CLAIMS, ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "current", ...header })
    .setIssuer(issuer ?? ISSUER)
    .setAudience([audience ?? AUDIENCE])
    .setIssuedAt()
    .setNotBefore(from ?? "-1s")
    .setExpirationTime(expires ?? "5m")
    .sign(keys.privateKey);
}

const assertion = (token: string) => ({ "cf-access-jwt-assertion": token });
const ask = (token: string, path = `/orgs/${acme.org}/policy`, init: RequestInit = {}) =>
  send(env, path, { ...init, headers: { ...assertion(token), ...(init.headers as Record<string, string>) } });

const app = new Hono<{ Bindings: Env }>().route("/settings", pages);
async function visit(path: string, headers: Record<string, string>, form?: Record<string, string>) {
  const context = createExecutionContext();
  const init = form && { method: "POST", body: new URLSearchParams(form) };
  const request = new Request(`${ORIGIN}/settings${path}`, { ...init, headers: { origin: ORIGIN, ...headers } });
  const response = await app.fetch(request, env, context);
  const html = await response.text();
  await waitOnExecutionContext(context);
  return { status: response.status, headers: response.headers, html };
}

describe("an assertion that holds", () => {
  it("is the member with its address, whatever its case, by API and on pages", async () => {
    const token = await signed({ claims: { email: EMAIL.toUpperCase() } });
    expect((await ask(token)).status).toBe(200);
    const page = await visit("/members", assertion(token));
    expect(page.status).toBe(200);
    expect(page.html).toContain(EMAIL);
    expect((await ask(token, `/orgs/${acme.org}/members`)).text).toContain(
      `"signed_in_on":"${new Date().toISOString().slice(0, 10)}"`,
    );
  });

  it("gives the role that the member has now", async () => {
    const email = `changing-${crypto.randomUUID()}@acme.example`;
    const token = await signed({ claims: { email } });
    await acme.ask("owner", "PUT", `/members/${email}`, { body: { role: "admin" } });
    expect((await ask(token)).status).toBe(200);
    await acme.ask("owner", "PUT", `/members/${email}`, { body: { role: "developer" } });
    expect(await ask(token)).toMatchObject({ status: 403, body: { code: "role_required" } });
    await acme.ask("owner", "DELETE", `/members/${email}`);
    expect(await ask(token)).toMatchObject({ status: 403, body: { code: "not_a_member" } });
  });

  it("does not open another organization", async () => {
    expect((await ask(await signed(), `/orgs/${other.org}/policy`)).status).toBe(404);
    expect((await ask(await signed(), "/catalog")).status).toBe(403);
  });

  it("changes something only from this site's own pages", async () => {
    const token = await signed();
    const put = (headers: Record<string, string>) =>
      ask(token, `/orgs/${acme.org}/members/x@acme.example`, {
        method: "PUT",
        body: '{"role":"owner"}',
        headers: { "content-type": "application/json", ...headers },
      });
    expect(await put({ origin: "https://evil.test" })).toMatchObject({ status: 403, body: { code: "cross_origin" } });
    expect((await put({})).status).toBe(403);
    const posted = await visit(
      "/members",
      { ...assertion(token), origin: "https://evil.test" },
      { email: "x@y.zz", role: "owner" },
    );
    expect(posted.status).toBe(403);
    expect((await put({ origin: ORIGIN })).status).toBe(200);
  });

  it("keeps the operator from issuing tokens to the owner that has signed in with it, while Access is on", async () => {
    const org = `new-${crypto.randomUUID().slice(0, 8)}`;
    const email = `first-${crypto.randomUUID()}@new.example`;
    const operate = (method: string, path: string, body?: unknown) =>
      acme.call("operator", method, `/orgs${path}`, { body, env });
    await operate("POST", "", { id: org, name: "New", plan: "free" });
    await operate("PUT", `/${org}/members/${email}`, { role: "owner" });
    expect((await ask(await signed({ claims: { email } }), `/orgs/${org}/policy`)).status).toBe(200);
    expect((await operate("POST", `/${org}/members/${email}/tokens`)).status).toBe(403);
    // Switched off, it lets nobody in any more, and no owner holds a token.
    env = acme.env;
    expect((await operate("POST", `/${org}/members/${email}/tokens`)).status).toBe(201);
    expect((await operate("POST", `/${org}/members/${email}/tokens`)).status).toBe(403);
  });
});

describe("an assertion that does not hold is 401", () => {
  const refused: [string, () => Promise<string>, string][] = [
    ["expired", () => signed({ expires: "-10s" }), "expired"],
    ["not valid yet", () => signed({ from: "1m" }), "not yet valid"],
    ["for another audience", () => signed({ audience: AUDIENCE.replace("3", "4") }), "audience"],
    ["of another team", () => signed({ issuer: "https://evil.cloudflareaccess.com" }), "issuer"],
    ["of a domain that begins with the team's", () => signed({ issuer: `${ISSUER}.evil.test` }), "issuer"],
    ["by another key under the id of the team's", () => signed({ keys: foreign }), "signature"],
    ["by a key that the team does not have", () => signed({ keys: foreign, header: { kid: "x" } }), "unknown key"],
    [
      "alg: none",
      async () => new UnsecuredJWT(CLAIMS).setIssuer(ISSUER).setAudience(AUDIENCE).setExpirationTime("5m").encode(),
      "malformed",
    ],
    [
      "alg: none with a key id",
      async () => `${part({ alg: "none", kid: "current" })}.${part(await claimsNow())}.`,
      "algorithm",
    ],
    ["HS256 with the public key as its secret", () => hmac("HS256"), "algorithm"],
    ["RS256 by its header, HS256 by its signature", () => hmac("RS256"), "signature"],
    ["of which the claims were changed", tampered, "signature"],
    ["without an end", () => endless(), "malformed"],
    ["no token at all", async () => "nonsense", "malformed"],
    ["empty", async () => "", "malformed"],
  ];

  it.each(refused)("%s", async (_, make, reason) => {
    const token = await make();
    const answer = await ask(token);
    expect(answer).toMatchObject({ status: 401, body: { code: "access_refused" } });
    expect(answer.body.detail).toContain(reason);
    if (token !== "") expect(answer.text).not.toContain(token);
    const page = await visit("/compliance", assertion(token));
    expect(page.status).toBe(401);
    expect(page.html).toContain("/cdn-cgi/access/logout");
  });

  it("and is not made good by a session", async () => {
    const cookie = await cookieOf(acme);
    expect((await visit("/compliance", { cookie })).status).toBe(200);
    expect((await visit("/compliance", { cookie, ...assertion("nonsense") })).status).toBe(401);
  });

  it("an admin token decides alone, beside the assertion of a service", async () => {
    const headers = { authorization: `Bearer ${acme.tokens.admin}` };
    expect((await ask("nonsense", undefined, { headers })).status).toBe(200);
    expect((await ask(await signed(), undefined, { headers: { authorization: "Bearer nonsense" } })).status).toBe(401);
  });

  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claimsNow = async () => JSON.parse(Buffer.from((await signed()).split(".")[1] ?? "", "base64url").toString());
  async function hmac(alg: string): Promise<string> {
    const input = `${part({ alg, kid: "current" })}.${part(await claimsNow())}`;
    const secret = new TextEncoder().encode(await exportSPKI(current.publicKey));
    const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(input));
    return `${input}.${Buffer.from(signature).toString("base64url")}`;
  }
  async function tampered(): Promise<string> {
    const [header, , signature] = (await signed()).split(".");
    return `${header}.${part({ ...(await claimsNow()), email: "owner@acme.example" })}.${signature}`;
  }
  function endless(): Promise<string> {
    return new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: "RS256", kid: "current" })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .sign(current.privateKey);
  }
});

describe("somebody whom Access knows and we do not", () => {
  it("is told so, with the address, and nothing else", async () => {
    const token = await signed({ claims: { email: "stranger@acme.example" } });
    expect(await ask(token)).toMatchObject({ status: 403, body: { code: "not_a_member" } });
    const page = await visit("/compliance", assertion(token));
    expect(page.status).toBe(403);
    expect(page.html).toContain("stranger@acme.example");
    expect(page.html).not.toContain("soc2");
  });

  it.each([
    ["a service token", { email: undefined, common_name: "ci.access", sub: "" }],
    ["an empty address", { email: "" }],
    ["an address that is none", { email: '"><script>alert(1)</script>' }],
    ["two addresses", { email: [EMAIL, "b@acme.example"] }],
  ])("%s is nobody", async (_, claims) => {
    const token = await signed({ claims });
    expect(await ask(token)).toMatchObject({ status: 403, body: { code: "not_a_member" } });
    expect((await visit("/compliance", assertion(token))).html).not.toContain("<script>alert");
  });
});

describe("the team's keys", () => {
  it("are fetched once for many requests", async () => {
    for (let i = 0; i < 5; i++) expect((await ask(await signed())).status).toBe(200);
    expect(asked).toBe(1);
  });

  it("an endpoint that is down is 503 and nobody comes in, also by page", async () => {
    served = new TypeError("network");
    const token = await signed();
    const answer = await ask(token);
    expect(answer).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect(answer.headers.get("retry-after")).toBe("5");
    expect((await visit("/compliance", assertion(token))).status).toBe(503);
  });

  it.each([
    ["an error", () => new Response("no", { status: 500 })],
    ["a redirect", () => new Response(null, { status: 302, headers: { location: "https://evil.test/certs" } })],
    ["a page", () => new Response("<html>")],
    ["no keys", () => Response.json({ keys: [] })],
    ["something else", () => Response.json([])],
  ])("an endpoint that answers with %s is 503", async (_, answer) => {
    served = answer();
    expect((await ask(await signed())).status).toBe(503);
  });

  it("a key of another kind is passed over, and never verifies anything", async () => {
    const { alg: _, ...unnamed } = await published(current, "unnamed");
    const secret = { kty: "oct", kid: "secret", alg: "HS256", k: "c2VjcmV0" };
    served = { keys: [unnamed, secret, "junk", await published(next, "next")] };
    expect((await ask(await signed({ header: { kid: "unnamed" } }))).status).toBe(401);
    expect((await ask(await signed({ keys: next, header: { kid: "next" } }))).status).toBe(200);
  });

  it("a new key is fetched when it first appears; made-up ids have them fetched once a minute at most", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    expect((await ask(await signed())).status).toBe(200);
    served = { keys: [await published(current, "current"), await published(next, "next")] };
    const rotated = () => signed({ keys: next, header: { kid: "next" } });
    expect((await ask(await rotated())).status).toBe(401);
    expect(asked).toBe(1);

    vi.setSystemTime(Date.now() + 61_000);
    const madeUp = await Promise.all(["a", "b", "c", "d"].map((kid) => signed({ keys: foreign, header: { kid } })));
    const statuses = (await Promise.all(madeUp.map((token) => ask(token)))).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401]));
    expect(asked).toBe(2);
    expect((await ask(await rotated())).status).toBe(200);
    expect((await ask(await signed())).status).toBe(200);
  });

  it("a key that was withdrawn is not honoured longer than an hour, also while the endpoint is down", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    expect((await ask(await signed())).status).toBe(200);
    served = { keys: [await published(next, "next")] };
    vi.setSystemTime(Date.now() + 3_600_001);
    expect((await ask(await signed())).status).toBe(401);
    served = new TypeError("network");
    vi.setSystemTime(Date.now() + 3_600_001);
    expect((await ask(await signed({ keys: next, header: { kid: "next" } }))).status).toBe(503);
  });
});

describe("a member of several organizations", () => {
  let email: string;
  let token: string;
  beforeEach(async () => {
    email = `both-${crypto.randomUUID()}@acme.example`;
    token = await signed({ claims: { email } });
    await acme.ask("owner", "PUT", `/members/${email}`, { body: { role: "admin" } });
    await other.ask("owner", "PUT", `/members/${email}`, { body: { role: "developer" } });
  });

  it("has in each the role of that one: the path says which", async () => {
    expect((await ask(token)).status).toBe(200);
    expect(await ask(token, `/orgs/${other.org}/policy`)).toMatchObject({ status: 403 });
    expect((await ask(token, "/orgs/no-such-org/policy")).status).toBe(404);
  });

  it("chooses before a page is shown, and only among their own", async () => {
    const asked = await visit("/compliance", assertion(token));
    expect(asked.headers.get("location")).toBe("/settings/organization?next=%2Fsettings%2Fcompliance");
    expect((await visit("/compliance/preview", assertion(token), { base: "1" })).status).toBe(409);
    const choice = await visit("/organization?next=/settings/events", assertion(token));
    expect(choice.html).toContain(`value="${acme.org}"`);
    const chosen = await visit("/organization", assertion(token), { org: acme.org, next: "/settings/events" });
    expect(chosen.headers.get("location")).toBe("/settings/events");
    expect(chosen.headers.get("set-cookie")).toMatch(
      /^__Host-portcullis-organization=.*HttpOnly; Secure; SameSite=Lax$/,
    );
    expect((await visit("/organization", assertion(token), { org: "no-such-org" })).status).toBe(404);

    const choosing = (org: string) => ({ ...assertion(token), cookie: `__Host-portcullis-organization=${org}` });
    expect((await visit("/compliance", choosing(acme.org))).status).toBe(200);
    expect((await visit("/compliance", choosing(other.org))).status).toBe(403);
    expect((await visit("/compliance", choosing("no-such-org"))).status).toBe(302);
  });

  it("who goes over to another one does not save there what a page of the first one sends", async () => {
    await other.ask("owner", "PUT", `/members/${email}`, { body: { role: "owner" } });
    await other.call("operator", "PATCH", `/orgs/${other.org}`, { body: { name: "Globex" } });
    const choosing = { ...assertion(token), cookie: `__Host-portcullis-organization=${other.org}` };
    const form = { project: "web", name: "CI", organization: acme.org, new_id: newId("key") };
    const refused = await visit("/keys", choosing, form);
    expect(refused.status).toBe(409);
    expect(refused.html).toContain("This page was opened for Acme; you are in Globex now. Nothing was changed.");
    expect(refused.html).toContain('href="/settings/organization" target="_blank"');
    for (const { org, ask } of [acme, other]) expect((await ask("owner", "GET", "/keys")).body.data, org).toEqual([]);
    expect((await visit("/keys", choosing, { ...form, organization: other.org })).status).toBe(200);
  });
});

describe("switching it on", () => {
  it("off, an assertion means nothing and asks nobody for keys", async () => {
    env = acme.env;
    expect(await ask(await signed())).toMatchObject({ status: 401, body: { code: "not_signed_in" } });
    expect((await visit("/compliance", assertion(await signed()))).status).toBe(302);
    expect(asked).toBe(0);
  });

  it.each([
    ["only the team", { ACCESS_TEAM_DOMAIN: "acme.cloudflareaccess.com" }],
    ["only the audience", { ACCESS_AUD: AUDIENCE }],
    ["an empty audience", { ACCESS_TEAM_DOMAIN: "acme.cloudflareaccess.com", ACCESS_AUD: "" }],
    ["another domain", { ACCESS_TEAM_DOMAIN: "acme.evil.test", ACCESS_AUD: AUDIENCE }],
    ["a domain in front of another", { ACCESS_TEAM_DOMAIN: "x.cloudflareaccess.com.evil.test", ACCESS_AUD: AUDIENCE }],
    ["a path", { ACCESS_TEAM_DOMAIN: "https://evil.test/acme.cloudflareaccess.com", ACCESS_AUD: AUDIENCE }],
    ["plain http", { ACCESS_TEAM_DOMAIN: "http://acme.cloudflareaccess.com", ACCESS_AUD: AUDIENCE }],
  ])("%s shuts the gateway, the admin API and the pages", async (_, variables) => {
    env = { ...acme.env, ...variables };
    const headers = { authorization: `Bearer ${acme.tokens.owner}` };
    const answer = await send(env, `/orgs/${acme.org}/policy`, { headers });
    expect(answer).toMatchObject({ status: 503, body: { code: "misconfigured" } });
    expect(answer.text).not.toContain(AUDIENCE);
    expect((await visit("/sign-in", {})).status).toBe(503);
    const request = new Request("https://gateway/v1/models", { headers: { authorization: "Bearer pcl_x" } });
    expect((await gateway.fetch(request, env, createExecutionContext())).status).toBe(503);
  });

  it.each(["acme.cloudflareaccess.com", "https://acme.cloudflareaccess.com", "https://acme.cloudflareaccess.com/"])(
    "%s is the team",
    (ACCESS_TEAM_DOMAIN) => {
      expect(readSettings({ ...acme.env, ACCESS_TEAM_DOMAIN, ACCESS_AUD: AUDIENCE })).toMatchObject({
        ok: true,
        settings: { ACCESS_TEAM_DOMAIN: ISSUER },
      });
    },
  );
});

it("the page to sign in leads on, and signing out ends the session of Access too", async () => {
  const headers = assertion(await signed());
  expect((await visit("/sign-in?next=/settings/events", headers)).headers.get("location")).toBe("/settings/events");
  const cookie = await cookieOf(acme);
  const out = await visit("/sign-out", { ...headers, cookie }, {});
  expect(out.headers.get("refresh")).toBe("0; url=/cdn-cgi/access/logout");
  expect(out.headers.get("set-cookie")).toContain("__Host-portcullis=;");
  expect((await visit("/compliance", { cookie })).status).toBe(302);
});

async function cookieOf(world: AdminWorld): Promise<string> {
  const member = await memberByToken(world.env, world.tokens.owner);
  if (!member) throw new Error("no such member");
  return `__Host-portcullis=${await openSession(world.env, member)}`;
}
