// A project's policy under the admin API: revisions, plans, validation, publishing.
import { expect, it } from "vitest";
import { ProjectPolicyAnswer, ProjectPolicySavedAnswer } from "../src/admin/api/project-policy.ts";
import { repairEdge } from "../src/audit/cron.ts";
import type { StoredPolicy } from "../src/compliance/policy.ts";
import { type AdminWorld, type Asked, type Caller, openAdminWorld, type Plan } from "./admin-world.ts";
import { policyOf, replacing } from "./world.ts";

const ORGANIZATION = policyOf({ requirements: ["soc2_type2"] });
const OWN = policyOf({ requirements: ["gdpr"], headquarters: ["US"] });

async function open(plan: Plan = "enterprise"): Promise<AdminWorld> {
  const world = await openAdminWorld({ policy: ORGANIZATION, plan });
  await world.ask("owner", "POST", "/projects", { body: { id: "web" } });
  return world;
}
const path = "/projects/web/policy";
const save = (world: AdminWorld, by: Caller, body: StoredPolicy | string, base: number, asked: Asked = {}) =>
  world.ask(by, "PUT", path, { ...asked, body, headers: { "if-match": `"${base}"` } });
const read = async (world: AdminWorld) => ProjectPolicyAnswer.parse((await world.ask("admin", "GET", path)).body);

it("is saved as a revision of the organization, published in its one record, and read back", async () => {
  const world = await open();
  expect(await read(world)).toMatchObject({ project: "web", policy: null, revision: 1, no_effect: [] });
  const saved = await save(world, "admin", OWN, 1);
  expect(saved.status).toBe(200);
  expect(saved.headers.get("etag")).toBe('"2"');
  expect(ProjectPolicySavedAnswer.parse(saved.body)).toMatchObject({
    policy: OWN,
    revision: 2,
    updated_by: "admin@acme.example",
    published: true,
    no_effect: [{ path: "requirements", entries: ["soc2_type2"] }],
  });
  expect(await world.atEdge()).toMatchObject({ revision: 2, policy: ORGANIZATION, projects: { web: { policy: OWN } } });
  expect(await read(world)).toMatchObject({ policy: OWN, revision: 2 });
});

it("survives a save of the organization's policy, and is counted in the same revisions", async () => {
  const world = await open();
  await save(world, "admin", OWN, 1);
  expect((await world.savePolicy("admin", policyOf({ requirements: ["soc2"] }), 1)).status).toBe(412);
  expect((await world.savePolicy("admin", policyOf({ requirements: ["soc2"] }), 2)).status).toBe(200);
  expect((await world.atEdge()).projects).toEqual({ web: { policy: OWN } });
  expect(await save(world, "owner", policyOf({}), 2)).toMatchObject({ status: 412, body: { revision: 3 } });
  expect((await world.ask("admin", "PUT", path, { body: OWN })).status).toBe(428);
  expect((await world.ask("admin", "DELETE", path)).status).toBe(428);
});

it("beside others that fill what the database takes in one row is refused, whatever characters they are made of", async () => {
  const world = await open();
  const filling = (letter: string) => Array.from({ length: 1000 }, (_, index) => `${index}`.padEnd(256, letter));
  const full = policyOf({ models: { allow: filling("é"), block: filling("è") } });
  await world.env.DB.prepare("UPDATE revisions SET record = json_set(record, '$.projects', json(?)) WHERE org = ?")
    .bind(JSON.stringify({ batch: { policy: full } }), world.org)
    .run();
  const refused = await save(world, "admin", OWN, 1);
  expect(refused).toMatchObject({ status: 400, body: { code: "invalid_request" } });
  expect(refused.body.detail).toContain("leaves no room");
  expect(await read(world)).toMatchObject({ policy: null, revision: 1 });
});

it("two admins who save two projects' policies at once do not both succeed unseen", async () => {
  const world = await open();
  await world.ask("owner", "POST", "/projects", { body: { id: "batch" } });
  const headers = { "if-match": '"1"' };
  const answers = await Promise.all(
    ["web", "batch"].map((id) => world.ask("admin", "PUT", `/projects/${id}/policy`, { body: OWN, headers })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  expect(Object.keys((await world.atEdge()).projects)).toHaveLength(1);
});

it("is removed as a revision too; where there is none there is nothing to remove", async () => {
  const world = await open();
  const remove = (base: number) => world.ask("admin", "DELETE", path, { headers: { "if-match": `"${base}"` } });
  expect((await remove(1)).status).toBe(404);
  await save(world, "admin", OWN, 1);
  expect(await remove(2)).toMatchObject({ status: 200, body: { policy: null, revision: 3, published: true } });
  expect((await world.atEdge()).projects).toEqual({});
});

it.each<[string, unknown, string]>([
  ["a provider that nobody knows", policyOf({ providers: { allow: ["opanai"], block: [] } }), "providers.allow.0"],
  ["a model that nobody knows", policyOf({ models: { allow: [], block: ["gpt-0"] } }), "models.block.0"],
  ["a requirement that nobody knows", policyOf({ requirements: ["soc9"] }), "requirements.0"],
  ["a country that is none", policyOf({ headquarters: ["ZZ"] }), "headquarters.0"],
  ["a field too many", { ...policyOf({}), projects: {} }, "projects"],
  ["null", null, ""],
])("%s is refused, in a save and in a preview", async (_, body, at) => {
  const world = await open();
  for (const answer of [
    await world.ask("admin", "PUT", path, { body, headers: { "if-match": '"1"' } }),
    await world.ask("admin", "POST", `${path}/preview`, { body }),
  ])
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: at }] } });
  expect((await world.atEdge()).revision).toBe(1);
});

it("a preview says where each failure comes from and what has no effect, and saves nothing", async () => {
  const world = await open();
  const { status, body } = await world.ask("admin", "POST", `${path}/preview`, { body: OWN });
  expect(status).toBe(200);
  expect(body.no_effect).toMatchObject([{ path: "requirements" }]);
  const sources = new Set<string>();
  for (const { failures } of body.providers) for (const { from } of failures) sources.add(from);
  expect(sources).toEqual(new Set(["organization", "project"]));
  const own = body.providers.find(({ id }: { id: string }) => id === "mistral");
  expect(own).toMatchObject({ failures: [{ code: "headquarters", found: "FR", from: "project" }] });
  expect(await read(world)).toMatchObject({ policy: null, revision: 1 });

  const ofOrganization = await world.ask("admin", "POST", "/policy/preview", { body: OWN });
  expect(ofOrganization.text).not.toContain('"from"');
});

it("off the enterprise plan nobody edits it and it stays enforced; an owner may switch it off, and nothing else", async () => {
  const world = await open();
  await save(world, "admin", OWN, 1);
  await world.setPlan("free");
  const off = { ...OWN, enabled: false };
  const headers = { "if-match": '"2"' };
  const drafts: [Caller, StoredPolicy][] = [
    ["admin", off],
    ["admin", policyOf({})],
    ["owner", policyOf({})],
    ["owner", { ...off, requirements: [] }],
  ];
  for (const [by, draft] of drafts)
    expect(await save(world, by, draft, 2)).toMatchObject({ status: 403, body: { code: "plan_required" } });
  expect((await world.ask("owner", "DELETE", path, { headers })).body.code).toBe("plan_required");
  expect((await world.atEdge()).projects).toEqual({ web: { policy: OWN } });
  expect((await save(world, "owner", off, 2)).status).toBe(200);
  expect(await world.atEdge()).toMatchObject({ policy: ORGANIZATION, projects: { web: { policy: off } } });
  expect((await save(world, "owner", OWN, 3)).body.code).toBe("plan_required");
});

it("an organization that never had the plan cannot give a project a policy", async () => {
  const world = await open("free");
  for (const by of ["owner", "admin"] as const)
    for (const draft of [OWN, { ...OWN, enabled: false }])
      expect((await save(world, by, draft, 1)).body.code).toBe("plan_required");
});

it("KV failing in the middle is told, and mended by cron", async () => {
  const world = await open();
  const put = async () => {
    throw new Error("KV is down");
  };
  const env = { ...world.env, CONFIG: replacing(world.env.CONFIG, { put }) };
  expect((await save(world, "admin", OWN, 1, { env })).body).toMatchObject({ revision: 2, published: false });
  expect((await world.atEdge()).projects).toEqual({});
  await repairEdge(world.env);
  expect((await world.atEdge()).projects).toEqual({ web: { policy: OWN } });
}, 15_000);

it("each change is in the audit log, with the project and the policy", async () => {
  const world = await open();
  await save(world, "admin", OWN, 1);
  await world.ask("owner", "DELETE", path, { headers: { "if-match": '"2"' } });
  const { body } = await world.ask("owner", "GET", "/audit-log?limit=2");
  expect(body.data).toMatchObject([
    { actor: "owner@acme.example", action: "project.policy.remove", target: "revision 3", detail: { project: "web" } },
    { actor: "admin@acme.example", action: "project.policy.save", detail: { project: "web", policy: OWN } },
  ]);
});

it("that would leave the project without any provider takes a confirmation, and says why it was saved", async () => {
  const world = await open();
  const shut = policyOf({ headquarters: ["AQ"] });
  expect(await save(world, "admin", shut, 1)).toMatchObject({ status: 409, body: { code: "confirmation_required" } });
  expect(await read(world)).toMatchObject({ policy: null, revision: 1 });
  const query = "?confirm=no-providers&reason=Paused";
  const headers = { "if-match": '"1"' };
  expect((await world.ask("admin", "PUT", `${path}${query}`, { body: shut, headers })).status).toBe(200);
  const { body } = await world.ask("admin", "GET", "/policy/revisions/2");
  expect(body).toMatchObject({ reason: "Paused", via: "api" });
});
