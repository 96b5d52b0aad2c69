// Restoring an older revision, and the second word that shutting every provider out takes, of a save and of a restore.
import { describe, expect, it } from "vitest";
import { PolicySavedAnswer } from "../src/admin/api/policy.ts";
import { DISABLED_POLICY, type StoredPolicy } from "../src/compliance/policy.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { ifMatch, looser, nobody, openWithRevisions, storeRevision, strict, withoutCatalog } from "./revised-world.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { policyOf, replacing } from "./world.ts";

const restore = (
  world: AdminWorld,
  revision: number,
  base: number,
  { query = "", by = "admin" }: { query?: string; by?: "admin" | "owner" } = {},
) => world.ask(by, "POST", `/policy/revisions/${revision}/restore${query}`, { headers: ifMatch(base) });

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
    const by = "owner";
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
