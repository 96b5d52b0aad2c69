// Projects: made, renamed, listed and removed; what names them stays explained.
import { expect, it } from "vitest";
import { ProjectAnswer, ProjectsAnswer } from "../src/admin/api/projects.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { together } from "./replacing.ts";
import { policyOf, replacing } from "./world.ts";

const make = (world: AdminWorld, body: unknown) => world.ask("admin", "POST", "/projects", { body });
const listed = async (world: AdminWorld, query = "") =>
  ProjectsAnswer.parse((await world.ask("admin", "GET", `/projects${query}`)).body);
const creations = async (world: AdminWorld) =>
  (await world.ask("owner", "GET", "/audit-log?action=project.create")).body.data;

it("a project is made with a name or by its first key, and listed with what it has", async () => {
  const world = await openAdminWorld();
  const made = await make(world, { id: "web", name: "Web shop" });
  expect(made.status).toBe(201);
  expect(ProjectAnswer.parse(made.body)).toMatchObject({
    id: "web",
    name: "Web shop",
    created_by: "admin@acme.example",
  });
  await world.ask("owner", "POST", "/keys", { body: { project: "batch", name: "k" } });
  const { body } = await world.ask("owner", "POST", "/keys", { body: { project: "web", name: "k" } });
  await world.ask("owner", "POST", "/keys", { body: { project: "web", name: "k2" } });
  await world.ask("owner", "DELETE", `/keys/${body.id}`);
  expect((await listed(world)).data).toMatchObject([
    { id: "batch", name: "batch", created_by: "owner@acme.example", keys: 1, has_policy: false },
    { id: "web", name: "Web shop", keys: 1, last_used_on: null, has_policy: false },
  ]);
});

it("an id is taken once, and in another organization it is another project", async () => {
  const [ours, theirs] = [await openAdminWorld(), await openAdminWorld()];
  expect((await make(ours, { id: "web", name: "Ours" })).status).toBe(201);
  expect(await make(ours, { id: "web" })).toMatchObject({ status: 409, body: { errors: [{ path: "id" }] } });
  expect((await make(theirs, { id: "web", name: "Theirs" })).status).toBe(201);
  await ours.ask("owner", "PATCH", "/projects/web", { body: { name: "Renamed" } });
  expect((await listed(theirs)).data).toMatchObject([{ name: "Theirs" }]);
});

it("two who make the same project at the same time make one, by one of them, with one row in the audit log", async () => {
  const world = await openAdminWorld();
  const env = { ...world.env, DB: together(world.env.DB, 2) };
  const answers = await Promise.all(
    (["owner", "admin"] as const).map((by) =>
      world.ask(by, "POST", "/projects", { body: { id: "web", name: `Of the ${by}` }, env }),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  const [project] = (await listed(world)).data;
  expect(answers.find(({ status }) => status === 201)?.body.name).toBe(project?.name);
  expect(await creations(world)).toMatchObject([{ actor: project?.created_by, detail: { name: project?.name } }]);
});

it("two first keys of a project at the same time make it once", async () => {
  const world = await openAdminWorld();
  const env = { ...world.env, DB: together(world.env.DB, 2) };
  const makeKey = () => world.ask("admin", "POST", "/keys", { body: { project: "web", name: "CI" }, env });
  expect((await Promise.all([makeKey(), makeKey()])).map(({ status }) => status)).toEqual([201, 201]);
  expect((await listed(world)).data).toMatchObject([{ id: "web", keys: 2 }]);
  expect(await creations(world)).toHaveLength(1);
});

it.each([
  ["capitals", { id: "Web" }, "id"],
  ["a path", { id: "../web" }, "id"],
  ["SQL", { id: "web'--" }, "id"],
  ["no id", { name: "Web" }, "id"],
  ["a name of two lines", { id: "web", name: "a\nb" }, "name"],
  ["a policy in passing", { id: "web", policy: {} }, "policy"],
])("a project with %s is refused", async (_, body, path) => {
  const world = await openAdminWorld();
  expect(await make(world, body)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  expect((await listed(world)).data).toEqual([]);
});

it("a name is any text, and changes; the id does not", async () => {
  const world = await openAdminWorld();
  await make(world, { id: "web" });
  const name = `'); DELETE FROM projects; -- <b>"`;
  expect(await world.ask("admin", "PATCH", "/projects/web", { body: { name } })).toMatchObject({
    status: 200,
    body: { id: "web", name },
  });
  expect((await listed(world)).data).toMatchObject([{ id: "web", name }]);
  const renamed = await world.ask("admin", "PATCH", "/projects/web", { body: { id: "shop", name } });
  expect(renamed).toMatchObject({ status: 400, body: { errors: [{ path: "id" }] } });
});

it("projects are listed page by page in the order of their ids", async () => {
  const world = await openAdminWorld();
  for (const id of ["c", "a", "b"]) await make(world, { id });
  const first = await listed(world, "?limit=2");
  const rest = await listed(world, `?limit=2&cursor=${first.next_cursor}`);
  expect([...first.data, ...rest.data].map(({ id }) => id)).toEqual(["a", "b", "c"]);
  expect(rest.next_cursor).toBeNull();
  const other = await openAdminWorld();
  expect((await other.ask("admin", "GET", `/projects?cursor=${first.next_cursor}`)).status).toBe(400);
});

it("a project that never had a key is removed; one that has a key or a policy is not", async () => {
  const world = await openAdminWorld();
  for (const id of ["empty", "narrow"]) await make(world, { id });
  const { body } = await world.ask("owner", "POST", "/keys", { body: { project: "used", name: "k" } });
  await world.ask("owner", "DELETE", `/keys/${body.id}`);
  const headers = { "if-match": '"1"' };
  await world.ask("admin", "PUT", "/projects/narrow/policy", { body: policyOf({}), headers });

  expect(await world.ask("admin", "DELETE", "/projects/empty")).toMatchObject({ status: 200, body: { id: "empty" } });
  for (const id of ["used", "narrow"])
    expect(await world.ask("admin", "DELETE", `/projects/${id}`)).toMatchObject({
      status: 409,
      body: { code: "project_in_use" },
    });
  expect((await world.ask("admin", "DELETE", "/projects/empty")).status).toBe(404);
  expect((await listed(world)).data.map(({ id }) => id)).toEqual(["narrow", "used"]);
});

it("a key that is created while its project is being removed keeps it", async () => {
  const world = await openAdminWorld();
  await make(world, { id: "web" });
  const batch = async (statements: D1PreparedStatement[]) => {
    await world.ask("owner", "POST", "/keys", { body: { project: "web", name: "k" } });
    return world.env.DB.batch(statements);
  };
  const env = { ...world.env, DB: replacing(world.env.DB, { batch: batch as D1Database["batch"] }) };
  expect(await world.ask("admin", "DELETE", "/projects/web", { env })).toMatchObject({ status: 409 });
  expect((await listed(world)).data).toMatchObject([{ id: "web", keys: 1 }]);
});

it("another organization's project is not found by any call", async () => {
  const [ours, theirs] = [await openAdminWorld(), await openAdminWorld()];
  await make(theirs, { id: "secret", name: "Secret" });
  const headers = { "if-match": '"1"' };
  const body = policyOf({});
  for (const [method, path, asked] of [
    ["PATCH", "/projects/secret", { body: { name: "x" } }],
    ["DELETE", "/projects/secret", {}],
    ["GET", "/projects/secret/policy", {}],
    ["PUT", "/projects/secret/policy", { body, headers }],
    ["DELETE", "/projects/secret/policy", { headers }],
    ["POST", "/projects/secret/policy/preview", { body }],
  ] as const)
    expect((await ours.ask("owner", method, path, asked)).status, `${method} ${path}`).toBe(404);
  expect((await listed(ours)).data).toEqual([]);
  expect((await listed(theirs)).data).toMatchObject([{ id: "secret", name: "Secret" }]);
});

it("every act on a project is in the audit log", async () => {
  const world = await openAdminWorld();
  await make(world, { id: "web" });
  await world.ask("admin", "PATCH", "/projects/web", { body: { name: "Web" } });
  await world.ask("admin", "DELETE", "/projects/web");
  const { body } = await world.ask("owner", "GET", "/audit-log?limit=200");
  const acts = (body.data as { target: string; action: string; detail: object }[]).filter(
    ({ target }) => target === "web",
  );
  expect(acts.toSorted((a, b) => a.action.localeCompare(b.action))).toMatchObject([
    { action: "project.create", detail: { name: "web" } },
    { action: "project.remove" },
    { action: "project.rename", detail: { name: "Web", was: "web" } },
  ]);
});
