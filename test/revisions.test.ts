// Revisions: what each keeps, the comparison of two, restoring one, and the second word that shutting everyone out takes.
import { beforeAll, describe, expect, it } from "vitest";
import { PolicySavedAnswer } from "../src/admin/api/policy.ts";
import { ComparisonAnswer, RevisionAnswer, RevisionsAnswer } from "../src/admin/api/revisions.ts";
import { differenceBetween } from "../src/admin/difference.ts";
import { DISABLED_POLICY, type StoredPolicy } from "../src/compliance/policy.ts";
import { preview } from "../src/compliance/preview.ts";
import type { Env } from "../src/env.ts";
import { firstRecord, newestRevision, saveRevision } from "../src/store/revisions.ts";
import { type AdminWorld, openAdminWorld, send } from "./admin-world.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { policyOf, readingBy, replacing } from "./world.ts";

const strict = policyOf({ requirements: ["soc2_type2", "no_training"] });
const looser = policyOf({ requirements: ["soc2_type2"], providers: { allow: [], block: ["xai"] } });
/** A list that names one provider, which is blocked as well: nobody is left, whatever the catalog says of anyone. */
const nobody = policyOf({ providers: { allow: ["openai"], block: ["openai"] } });

const ifMatch = (revision: number) => ({ "if-match": `"${revision}"` });

/** The bindings of a world whose catalog cannot be read. */
const withoutCatalog = (world: AdminWorld): Env => ({
  ...world.env,
  CONFIG: readingBy(world.env.CONFIG, async () => null),
});

/** An organization whose revisions are 1 (off), 2 (strict) and 3 (looser). */
async function openWithRevisions(): Promise<AdminWorld> {
  const world = await openAdminWorld();
  await world.savePolicy("admin", strict, 1);
  await world.savePolicy("owner", looser, 2);
  return world;
}

const restore = (
  world: AdminWorld,
  revision: number | string,
  base: number,
  { query = "", by = "admin" as const } = {},
) => world.ask(by, "POST", `/policy/revisions/${revision}/restore${query}`, { headers: ifMatch(base) });

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
    const { effect, ...answer } = body;
    expect(ComparisonAnswer.parse(answer)).toEqual({
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

describe("restoring", () => {
  it("is a new revision with the old policy, and leaves all else as it is", async () => {
    const world = await openWithRevisions();
    await world.ask("admin", "PUT", "/routing", { body: { auto: ["gpt-4o-mini"] } });
    const { status, body, headers } = await restore(world, 2, 4, { query: "?reason=rollback" });
    expect(status).toBe(200);
    expect(PolicySavedAnswer.parse(body)).toMatchObject({
      policy: strict,
      revision: 5,
      published: true,
      change: "Restored revision 2. Now requires No training on prompts. No longer blocks xai.",
    });
    expect(headers.get("etag")).toBe('"5"');
    expect(await world.atEdge()).toMatchObject({ revision: 5, policy: strict, routing: { auto: ["gpt-4o-mini"] } });
    expect((await world.ask("admin", "GET", "/policy/revisions/5")).body).toMatchObject({
      restores: 2,
      reason: "rollback",
      via: "api",
    });
    const { data } = (await world.ask("admin", "GET", "/audit-log")).body;
    expect(data[0]).toMatchObject({ action: "policy.restore", target: "revision 5", detail: { restores: 2 } });
  });

  it("needs an If-Match, and never overwrites what was saved meanwhile", async () => {
    const world = await openWithRevisions();
    const path = "/policy/revisions/2/restore";
    expect(await world.ask("admin", "POST", path)).toMatchObject({ status: 428, body: { code: "revision_required" } });
    const stale = await restore(world, 2, 2);
    expect(stale).toMatchObject({ status: 412, body: { code: "stale_revision", updated_by: "owner@acme.example" } });
    expect((await world.atEdge()).policy).toEqual(looser);
  });

  it("of two that D1 orders, the second conflicts by the primary key", async () => {
    const world = await openWithRevisions();
    let overtaken = false;
    const DB = replacing(world.env.DB, {
      async batch<T>(statements: D1PreparedStatement[]) {
        if (!overtaken) {
          overtaken = true;
          await world.savePolicy("owner", { ...looser, headquarters: ["FR"] }, 3);
        }
        return world.env.DB.batch<T>(statements);
      },
    });
    const env = { ...world.env, DB };
    const answer = await world.ask("admin", "POST", "/policy/revisions/2/restore", { headers: ifMatch(3), env });
    expect(answer).toMatchObject({ status: 412, body: { revision: 4 } });
    expect((await world.atEdge()).policy.headquarters).toEqual(["FR"]);
  });

  it("takes no policy in its body: what is restored is what was stored", async () => {
    const world = await openWithRevisions();
    const asked = { headers: ifMatch(3), body: { policy: DISABLED_POLICY } };
    expect((await world.ask("admin", "POST", "/policy/revisions/2/restore", asked)).status).toBe(400);
    expect((await world.ask("admin", "GET", "/policy")).body.revision).toBe(3);
  });

  it("off the enterprise plan is refused, except that an owner may restore what only switches it off", async () => {
    const world = await openAdminWorld({ policy: { ...strict, enabled: false } });
    await world.savePolicy("admin", strict, 1);
    await world.savePolicy("admin", looser, 2);
    await world.savePolicy("admin", strict, 3);
    await world.setPlan("free");
    expect((await restore(world, 3, 4)).body.code).toBe("plan_required");
    const by = "owner" as "admin";
    expect((await restore(world, 3, 4, { by })).body.code).toBe("plan_required");
    expect((await restore(world, 1, 4)).body.code).toBe("plan_required");
    expect((await restore(world, 1, 4, { by })).status).toBe(200);
    expect((await world.atEdge()).policy).toEqual({ ...strict, enabled: false });
  });

  it("brings back names that today's catalog no longer has, which a save could not add", async () => {
    const world = await openAdminWorld();
    const policy = policyOf({ providers: { allow: [], block: ["gone-since"] } });
    await storeRevision(world, policy);
    await world.savePolicy("admin", strict, 2);
    expect((await world.savePolicy("admin", policy, 3)).body.code).toBe("invalid_request");
    expect(await restore(world, 2, 3)).toMatchObject({ status: 200, body: { policy } });
  });

  it("a requirement that this build does not know comes back, and fails every provider", async () => {
    const world = await openAdminWorld();
    const policy = policyOf({ requirements: ["of_a_newer_build"] });
    await storeRevision(world, policy);
    await world.savePolicy("admin", strict, 2);
    const refused = await restore(world, 2, 3);
    expect(refused).toMatchObject({ status: 409, body: { code: "confirmation_required", doubt: "no_provider" } });
    expect((await restore(world, 2, 3, { query: "?confirm=no-providers" })).status).toBe(200);
    expect((await world.atEdge()).policy).toEqual(policy);
    const judged = await world.ask("admin", "POST", "/policy/preview", { body: policy });
    expect(judged.body.summary).toMatchObject({ providers: { allowed: 0 }, models: { allowed: 0 } });
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
      expect((await restore(mine, given, 3)).status).toBe(404);
    },
  );
});

describe("a save that leaves the organization without any provider", () => {
  it("takes a confirmation, which is not asked for otherwise", async () => {
    const world = await openAdminWorld();
    const refused = await world.savePolicy("admin", nobody, 1);
    expect(refused).toMatchObject({ status: 409, body: { code: "confirmation_required", doubt: "no_provider" } });
    expect((await world.ask("admin", "GET", "/policy")).body.revision).toBe(1);
    const asked = { body: nobody, headers: ifMatch(1) };
    expect((await world.ask("admin", "PUT", "/policy?confirm=no-providers", asked)).status).toBe(200);
    expect(await world.savePolicy("admin", strict, 2)).toMatchObject({ status: 200 });
  });

  it("is told by its models: a provider that passes and serves none of them does not count", async () => {
    const world = await openAdminWorld();
    const [model] = shippedCatalog.models;
    const blocked = [...new Set(model?.providers.map(({ provider }) => provider))];
    const policy = policyOf({
      models: { allow: [model?.id ?? ""], block: [] },
      providers: { allow: [], block: blocked },
    });
    const { summary } = (await world.ask("admin", "POST", "/policy/preview", { body: policy })).body;
    expect(summary.providers.allowed).toBeGreaterThan(0);
    expect((await world.savePolicy("admin", policy, 1)).body.code).toBe("confirmation_required");
  });

  it("switched off needs none: every provider passes", async () => {
    const world = await openAdminWorld();
    expect((await world.savePolicy("admin", { ...nobody, enabled: false }, 1)).status).toBe(200);
  });

  it("is no way around the plan, the base or the names", async () => {
    const world = await openAdminWorld();
    const confirmed = (policy: StoredPolicy, base: number) =>
      world.ask("admin", "PUT", "/policy?confirm=no-providers", { body: policy, headers: ifMatch(base) });
    expect((await confirmed(nobody, 2)).body.code).toBe("stale_revision");
    expect((await confirmed(policyOf({ requirements: ["soc3"] }), 1)).body.code).toBe("invalid_request");
    await world.setPlan("pro");
    expect((await confirmed(nobody, 1)).body.code).toBe("plan_required");
  });

  it("cannot be told when the catalog cannot be read: then the confirmation is asked for", async () => {
    const world = await openAdminWorld();
    const env = withoutCatalog(world);
    const refused = await world.savePolicy("admin", strict, 1, { env });
    expect(refused).toMatchObject({ status: 409, body: { code: "confirmation_required", doubt: "unknown" } });
    expect((await world.atEdge()).revision).toBe(1);
    const asked = { body: strict, headers: ifMatch(1), env };
    expect((await world.ask("admin", "PUT", "/policy?confirm=no-providers", asked)).status).toBe(200);
    expect((await world.atEdge()).policy).toEqual(strict);
  });
});

/** Stores a policy as revision 2, as a build or a catalog of another day let somebody do. */
async function storeRevision(world: AdminWorld, policy: StoredPolicy): Promise<void> {
  const base = await newestRevision(world.env, world.org);
  if (!base) throw new Error("no revision");
  await saveRevision(world.env, {
    base,
    next: { policy },
    change: "x",
    action: "policy.save",
    actor: "admin@acme.example",
    from: { via: "api", country: null },
  });
}
