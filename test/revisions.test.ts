// Revisions: what each keeps, how they are listed, the difference and the comparison of two, and whose they are.
import { beforeAll, describe, expect, it } from "vitest";
import { ComparisonAnswer, RevisionAnswer, RevisionsAnswer } from "../src/admin/api/revisions.ts";
import { differenceBetween } from "../src/admin/difference.ts";
import { DISABLED_POLICY, type StoredPolicy } from "../src/compliance/policy.ts";
import { preview } from "../src/compliance/preview.ts";
import { firstRecord } from "../src/store/revisions.ts";
import { type AdminWorld, openAdminWorld, send } from "./admin-world.ts";
import { ifMatch, looser, openWithRevisions, strict, withoutCatalog } from "./revised-world.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { policyOf } from "./world.ts";

describe("what a revision keeps", () => {
  it("is who, when, from where, why, and the change in words and as data", async () => {
    const world = await openAdminWorld();
    const reason = "  Prüfung A-12: <b>keine</b> Protokolle  ";
    await world.ask("admin", "PUT", `/policy?reason=${encodeURIComponent(reason)}`, {
      body: strict,
      headers: ifMatch(1),
    });
    const { body } = await world.ask("owner", "GET", "/policy/revisions/2");
    expect(RevisionAnswer.parse(body)).toEqual({
      revision: 2,
      policy: strict,
      routing: { auto: [] },
      change: "Switched on. Now requires SOC 2 Type 2 and No training on prompts.",
      difference: [
        { path: "policy.enabled", before: false, after: true },
        { path: "policy.requirements", added: ["soc2_type2", "no_training"], removed: [] },
      ],
      reason: "Prüfung A-12: <b>keine</b> Protokolle",
      restores: null,
      via: "api",
      country: null,
      created_at: expect.any(String),
      created_by: "admin@acme.example",
    });
    const { data } = (await world.ask("owner", "GET", "/audit-log")).body;
    expect(data[0]).toMatchObject({ action: "policy.save", detail: { reason: body.reason, via: "api" } });
  });

  it.each([
    ["of our command line", { "user-agent": "portcullis-cli" }, "cli"],
    ["of our command line with a version", { "user-agent": "portcullis-cli/1.2 node" }, "cli"],
    ["that only looks like it", { "user-agent": "x portcullis-cli" }, "api"],
    ["of a browser", { "user-agent": "Mozilla/5.0" }, "api"],
  ])("a user agent %s is kept as a word, and never whole", async (_, headers: Record<string, string>, via) => {
    const world = await openAdminWorld();
    await world.savePolicy("admin", strict, 1, { headers });
    expect((await world.ask("admin", "GET", "/policy/revisions/2")).body.via).toBe(via);
    const { results } = await world.env.DB.prepare("SELECT * FROM revisions WHERE org = ?").bind(world.org).all();
    expect(JSON.stringify(results)).not.toContain("Mozilla");
  });

  it.each([
    ["FR", "FR"],
    ["T1", "T1"],
    ["<script>", null],
    [7, null],
  ])("the country is what Cloudflare says, %s, where that is one", async (country, kept) => {
    const world = await openAdminWorld();
    await send(world.env, `/orgs/${world.org}/policy`, {
      method: "PUT",
      body: JSON.stringify(strict),
      headers: { authorization: `Bearer ${world.tokens.admin}`, "content-type": "application/json", ...ifMatch(1) },
      cf: { country } as never,
    });
    expect((await world.ask("admin", "GET", "/policy/revisions/2")).body.country).toBe(kept);
  });

  it.each([
    ["too long", `reason=${"x".repeat(501)}`, "reason"],
    ["of two lines", "reason=a%0Ab", "reason"],
    ["empty", "reason=%20", "reason"],
    ["given twice", "reason=a&reason=b", "reason"],
    ["misspelt", "raeson=a", "raeson"],
    ["beside a confirmation of something else", "reason=a&confirm=yes", "confirm"],
  ])("refuses a reason %s, and saves nothing", async (_, query, path) => {
    const world = await openAdminWorld();
    const answer = await world.ask("admin", "PUT", `/policy?${query}`, { body: strict, headers: ifMatch(1) });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
    expect((await world.ask("admin", "GET", "/policy")).body.revision).toBe(1);
  });

  it("routing is saved with a reason too", async () => {
    const world = await openAdminWorld();
    await world.ask("admin", "PUT", "/routing?reason=cheaper", { body: { auto: ["gpt-4o-mini"] } });
    expect((await world.ask("admin", "GET", "/policy/revisions/2")).body).toMatchObject({
      reason: "cheaper",
      difference: [{ path: "routing.auto", before: [], after: ["gpt-4o-mini"] }],
    });
  });

  it("pages of the list neither skip nor repeat, and each row stands against the one before it", async () => {
    const world = await openAdminWorld();
    for (let base = 1; base < 8; base++)
      await world.savePolicy("admin", policyOf({ requirements: base % 2 ? ["soc2"] : ["gdpr"] }), base);
    const rows: { revision: number; difference: unknown[] }[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: { body: { data: typeof rows; next_cursor: string | null } } = await world.ask(
        "admin",
        "GET",
        `/policy/revisions?limit=3${cursor && `&cursor=${cursor}`}`,
      );
      const { data, next_cursor } = RevisionsAnswer.parse(page.body);
      rows.push(...data);
      cursor = next_cursor;
    }
    expect(rows.map(({ revision }) => revision)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    expect(rows.map(({ difference }) => difference.length)).toEqual([1, 1, 1, 1, 1, 1, 2, 0]);
    expect(rows[2]?.difference).toEqual([{ path: "policy.requirements", added: ["soc2"], removed: ["gdpr"] }]);
  });
});

describe("the difference as data", () => {
  const record = (policy: StoredPolicy, rest = {}) => ({ ...firstRecord("acme", policy), ...rest });
  it.each<[string, ReturnType<typeof record>, ReturnType<typeof record>, unknown[]]>([
    ["nothing", record(strict), record({ ...strict, requirements: strict.requirements.toReversed() }), []],
    [
      "lists of exceptions",
      record(policyOf({ models: { allow: ["a", "b"], block: [] } })),
      record(policyOf({ models: { allow: ["b"], block: ["c"] } })),
      [
        { path: "policy.models.allow", added: [], removed: ["a"] },
        { path: "policy.models.block", added: ["c"], removed: [] },
      ],
    ],
    [
      "an order",
      record(strict, { routing: { auto: ["a", "b"] } }),
      record(strict, { routing: { auto: ["b", "a"] } }),
      [{ path: "routing.auto", before: ["a", "b"], after: ["b", "a"] }],
    ],
    [
      "a project's policy",
      record(strict, { projects: { web: { policy: policyOf({ requirements: ["gdpr"] }) } } }),
      record(strict, { projects: { web: { policy: policyOf({}) }, constructor: { policy: DISABLED_POLICY } } }),
      [
        { path: "projects", added: ["constructor"], removed: [] },
        { path: "projects.web.policy.requirements", added: [], removed: ["gdpr"] },
      ],
    ],
    ["never credentials", record(strict), record(strict, { credentials: { openai: "secret" } }), []],
  ])("has %s", (_, before, after, difference) => {
    expect(differenceBetween(before, after)).toEqual(difference);
  });
});

describe("comparing", () => {
  it("says what differs, and what that does by today's catalog, as the evaluator says it", async () => {
    const world = await openWithRevisions();
    const { status, body } = await world.ask("admin", "GET", "/policy/revisions/2/compare/3");
    expect(status).toBe(200);
    const { effect, ...answer } = ComparisonAnswer.parse(body);
    expect(answer).toEqual({
      from: 2,
      to: 3,
      change: "No longer requires No training on prompts. Now blocks xai.",
      difference: [
        { path: "policy.requirements", added: [], removed: ["no_training"] },
        { path: "policy.providers.block", added: ["xai"], removed: [] },
      ],
    });
    const rules = (policy: StoredPolicy) => ({ policies: [policy], requirements: [] });
    const expected = preview({ draft: rules(looser), inForce: rules(strict) }, shippedCatalog, Date.now());
    expect(effect).toEqual({ catalog_version: "shipped", revision: 2, ...JSON.parse(JSON.stringify(expected)) });
  });

  it("goes both ways, and a revision equals itself", async () => {
    const world = await openWithRevisions();
    const back = await world.ask("admin", "GET", "/policy/revisions/3/compare/2");
    expect(back.body.change).toBe("Now requires No training on prompts. No longer blocks xai.");
    const same = await world.ask("admin", "GET", "/policy/revisions/3/compare/3");
    expect(same.body).toMatchObject({ change: "", difference: [] });
  });

  it("without a catalog is a 503, never an effect of nothing", async () => {
    const world = await openWithRevisions();
    const answer = await world.ask("admin", "GET", "/policy/revisions/2/compare/3", { env: withoutCatalog(world) });
    expect(answer).toMatchObject({ status: 503, body: { code: "unavailable" } });
  });
});

describe("a revision of another organization", () => {
  let mine: AdminWorld;
  let theirs: AdminWorld;
  beforeAll(async () => {
    mine = await openWithRevisions();
    theirs = await openWithRevisions();
    for (let base = 3; base < 6; base++) await theirs.savePolicy("admin", { ...looser, headquarters: ["FR"] }, base);
  });

  it.each([
    ["GET", "/policy/revisions/6"],
    ["GET", "/policy/revisions/3/compare/6"],
    ["GET", "/policy/revisions/6/compare/3"],
    ["POST", "/policy/revisions/6/restore"],
  ])("%s %s is not found", async (method, path) => {
    const headers = ifMatch(3);
    expect((await theirs.ask("admin", method, path, { headers: ifMatch(6) })).status).toBe(200);
    expect(await mine.ask("admin", method, path, { headers })).toMatchObject({
      status: 404,
      body: { code: "not_found" },
    });
    const across = await mine.call("admin", method, `/orgs/${theirs.org}${path}`, { headers });
    expect(across).toMatchObject({ status: 404, body: { code: "not_found" } });
    expect((await mine.ask("admin", "GET", "/policy")).body.revision).toBe(3);
  });

  it.each(["0", "-1", "3.0", "03", "3e0", "9999999999999999", "3'--", "%33%20OR%201=1"])(
    "%s names no revision",
    async (given) => {
      expect((await mine.ask("admin", "GET", `/policy/revisions/${given}`)).status).toBe(404);
      expect((await mine.ask("admin", "GET", `/policy/revisions/3/compare/${given}`)).status).toBe(404);
      const headers = ifMatch(3);
      expect((await mine.ask("admin", "POST", `/policy/revisions/${given}/restore`, { headers })).status).toBe(404);
    },
  );
});
