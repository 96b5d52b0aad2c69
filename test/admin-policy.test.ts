// Reading, saving and previewing a policy: revisions, the plan's gate, routing.
import { describe, expect, it } from "vitest";
import { PolicyAnswer, PolicySavedAnswer } from "../src/admin/api/policy.ts";
import { DISABLED_POLICY, type StoredPolicy } from "../src/compliance/policy.ts";
import { preview } from "../src/compliance/preview.ts";
import { firstRecord } from "../src/store/revisions.ts";
import { openAdminWorld } from "./admin-world.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { policyOf, replacing } from "./world.ts";

const strict = policyOf({ requirements: ["soc2_type2", "no_training"] });

describe("reading", () => {
  it("a new organization's policy is revision 1, and off", async () => {
    const world = await openAdminWorld();
    const { body, headers } = await world.ask("admin", "GET", "/policy");
    expect(PolicyAnswer.parse(body)).toMatchObject({ policy: DISABLED_POLICY, revision: 1, updated_by: "operator" });
    expect(headers.get("etag")).toBe('"1"');
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("an organization may be created with a policy, which is revision 1 and at the edge", async () => {
    const world = await openAdminWorld({ policy: strict });
    expect((await world.ask("admin", "GET", "/policy")).body).toMatchObject({ policy: strict, revision: 1 });
    expect(await world.atEdge()).toEqual(firstRecord(world.org, strict));
  });
});

describe("saving", () => {
  it("answers with the new revision, and the edge has it", async () => {
    const world = await openAdminWorld();
    const { status, body, headers } = await world.savePolicy("admin", strict, 1);
    expect(status).toBe(200);
    expect(PolicySavedAnswer.parse(body)).toEqual({
      policy: strict,
      revision: 2,
      updated_at: expect.any(String),
      updated_by: "admin@acme.example",
      change: "Switched on. Now requires SOC 2 Type 2 and No training on prompts.",
      published: true,
    });
    expect(headers.get("etag")).toBe('"2"');
    expect(await world.atEdge()).toMatchObject({ revision: 2, policy: strict });
    const read = await world.ask("owner", "GET", "/policy");
    expect(read.body).toMatchObject({ policy: strict, revision: 2, updated_at: body.updated_at });
  });

  it.each([
    ["no If-Match", undefined, 428, "revision_required"],
    ["an empty If-Match", "", 428, "revision_required"],
    ["If-Match: *, which names no revision", "*", 428, "revision_required"],
    ["an unquoted If-Match", "1", 400, "invalid_request"],
    ["a list in If-Match", '"1", "2"', 400, "invalid_request"],
    ["revision 0", '"0"', 400, "invalid_request"],
    ["a later revision than there is", '"2"', 412, "stale_revision"],
  ])("refuses %s", async (_, ifMatch, status, code) => {
    const world = await openAdminWorld();
    const headers: Record<string, string> = ifMatch === undefined ? {} : { "if-match": ifMatch };
    const answer = await world.ask("admin", "PUT", "/policy", { body: strict, headers });
    expect(answer).toMatchObject({ status, body: { code, status } });
    expect((await world.ask("admin", "GET", "/policy")).body.revision).toBe(1);
  });

  it("takes a weak If-Match, as a proxy that compresses makes it", async () => {
    const world = await openAdminWorld();
    const headers = { "if-match": 'W/"1"' };
    expect((await world.ask("admin", "PUT", "/policy", { body: strict, headers })).status).toBe(200);
  });

  it("of two admins who save at once, one is told who was first, and when", async () => {
    const world = await openAdminWorld();
    const looser = policyOf({ requirements: ["soc2"] });
    const answers = await Promise.all([world.savePolicy("owner", strict, 1), world.savePolicy("admin", looser, 1)]);
    const [won, lost] = answers[0].status === 200 ? answers : [answers[1], answers[0]];
    expect(won.status).toBe(200);
    expect(lost.status).toBe(412);
    const { revision, updated_at, updated_by } = won.body;
    expect(lost.body).toMatchObject({ code: "stale_revision", revision, updated_at, updated_by });
    expect(lost.body.detail).toContain(updated_by);
    expect(lost.body.detail).toContain(updated_at);
    expect((await world.ask("admin", "GET", "/policy")).body.policy).toEqual(won.body.policy);
    expect((await world.atEdge()).policy).toEqual(won.body.policy);
  });

  it("of two saves that D1 orders, the second conflicts by the primary key", async () => {
    const world = await openAdminWorld();
    let overtaken = false;
    const env = {
      ...world.env,
      DB: replacing(world.env.DB, {
        async batch<T>(statements: D1PreparedStatement[]) {
          if (!overtaken) {
            overtaken = true;
            await world.savePolicy("owner", policyOf({ requirements: ["gdpr"] }), 1);
          }
          return world.env.DB.batch<T>(statements);
        },
      }),
    };
    const answer = await world.savePolicy("admin", strict, 1, { env });
    expect(answer).toMatchObject({ status: 412, body: { revision: 2, updated_by: "owner@acme.example" } });
    const log = await world.ask("owner", "GET", "/audit-log");
    expect(log.body.data.filter(({ action }: { action: string }) => action === "policy.save")).toHaveLength(1);
  });
});

describe("the plan decides who may edit, never what is enforced", () => {
  it.each(["free", "pro"] as const)("on %s the stored policy stays, and refuses edits", async (plan) => {
    const world = await openAdminWorld({ policy: strict });
    const before = await world.atEdge();
    await world.setPlan(plan);
    expect(await world.atEdge()).toEqual(before);
    expect((await world.ask("admin", "GET", "/policy")).body).toMatchObject({ policy: strict, revision: 1 });
    const tighter = { ...strict, requirements: [...strict.requirements, "gdpr"] };
    for (const role of ["owner", "admin"] as const)
      expect(await world.savePolicy(role, tighter, 1)).toMatchObject({ status: 403, body: { code: "plan_required" } });
    expect(await world.atEdge()).toEqual(before);
  });

  it("off the enterprise plan an owner may switch the policy off, and an admin may not", async () => {
    const world = await openAdminWorld({ policy: strict });
    await world.setPlan("free");
    const off = { ...strict, enabled: false };
    expect((await world.savePolicy("admin", off, 1)).body.code).toBe("plan_required");
    expect((await world.savePolicy("owner", { ...off, requirements: [] }, 1)).body.code).toBe("plan_required");
    expect(await world.savePolicy("owner", off, 1)).toMatchObject({ status: 200, body: { change: "Switched off." } });
    expect(await world.atEdge()).toMatchObject({ revision: 2, policy: off });
    expect((await world.savePolicy("owner", strict, 2)).body.code).toBe("plan_required");
  });

  it("switching off needs neither the edge nor a catalog", async () => {
    const policy = policyOf({ providers: { allow: [], block: ["xai"] } });
    const world = await openAdminWorld({ policy });
    const down = async () => {
      throw new Error("KV is down");
    };
    const CONFIG = replacing(world.env.CONFIG, { get: down as KVNamespace["get"] });
    const answer = await world.savePolicy("owner", { ...policy, enabled: false }, 1, { env: { ...world.env, CONFIG } });
    expect(answer).toMatchObject({ status: 200, body: { published: true } });
  });
});

describe("preview", () => {
  it("is what the evaluator says of the draft beside the policy in force, and changes nothing", async () => {
    const inForce = policyOf({ requirements: ["gdpr"] });
    const world = await openAdminWorld({ policy: inForce });
    const { status, body } = await world.ask("admin", "POST", "/policy/preview", { body: strict });
    const rules = (policy: StoredPolicy) => ({ policies: [policy], requirements: [] });
    const expected = preview({ draft: rules(strict), inForce: rules(inForce) }, shippedCatalog, Date.now());
    expect(status).toBe(200);
    expect(body).toEqual({ catalog_version: "shipped", revision: 1, ...JSON.parse(JSON.stringify(expected)) });
    expect(body.providers).toHaveLength(shippedCatalog.providers.length);
    expect((await world.ask("admin", "GET", "/policy")).body.revision).toBe(1);
  });

  it("is open off the enterprise plan", async () => {
    const world = await openAdminWorld({ plan: "free" });
    expect((await world.ask("admin", "POST", "/policy/preview", { body: strict })).status).toBe(200);
  });

  it("needs no If-Match, and says 503 when no catalog can be read", async () => {
    const world = await openAdminWorld();
    const CONFIG = replacing(world.env.CONFIG, { get: (async () => null) as unknown as KVNamespace["get"] });
    const env = { ...world.env, CONFIG };
    const answer = await world.ask("admin", "POST", "/policy/preview", { body: strict, env });
    expect(answer).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect(answer.body.detail).toContain("no catalog is published");
  });
});

describe("routing", () => {
  it("is saved as a revision that leaves the policy alone", async () => {
    const world = await openAdminWorld({ policy: strict });
    const auto = ["gpt-4o-mini", "openai/gpt-4o"];
    const answer = await world.ask("admin", "PUT", "/routing", { body: { auto } });
    expect(answer).toMatchObject({ status: 200, body: { routing: { auto }, revision: 2, published: true } });
    expect(await world.atEdge()).toMatchObject({ revision: 2, policy: strict, routing: { auto } });
    expect((await world.savePolicy("admin", strict, 1)).status).toBe(412);
  });

  it("heeds an If-Match that is given", async () => {
    const world = await openAdminWorld();
    const headers = { "if-match": '"7"' };
    expect((await world.ask("admin", "PUT", "/routing", { body: { auto: [] }, headers })).status).toBe(412);
  });

  it("refuses a model that nobody serves", async () => {
    const world = await openAdminWorld();
    const answer = await world.ask("admin", "PUT", "/routing", { body: { auto: ["gpt-4o", "xai/gpt-4o"] } });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: "auto.1" }] } });
  });
});

it("the revisions are listed newest first, page by page, with the change in words", async () => {
  const world = await openAdminWorld();
  await world.savePolicy("admin", strict, 1);
  await world.savePolicy("owner", { ...strict, enabled: false }, 2);
  const first = await world.ask("admin", "GET", "/policy/revisions?limit=2");
  expect(first.body.data).toMatchObject([
    { revision: 3, change: "Switched off.", created_by: "owner@acme.example", policy: { enabled: false } },
    { revision: 2, created_by: "admin@acme.example", policy: strict },
  ]);
  const rest = await world.ask("admin", "GET", `/policy/revisions?limit=2&cursor=${first.body.next_cursor}`);
  expect(rest.body).toMatchObject({ data: [{ revision: 1, change: "Organization created." }], next_cursor: null });
});
