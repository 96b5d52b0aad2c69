// Projects: what keys belong to, and what may carry a narrower policy.
import { Hono } from "hono";
import * as z from "zod";
import { projectPolicyOf } from "../../compliance/rules.ts";
import { listProjects, renameProject } from "../../store/projects.ts";
import { Id } from "../../store/records.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { readPolicy } from "../policy.ts";
import { noSuchProject } from "../problem.ts";
import { makeProject, unmakeProject } from "../projects.ts";
import { PAGE_QUERY, paged, pageOf, positionOf } from "./page.ts";
import { Name, readJson, readQuery } from "./request.ts";

/** Without a name of its own a project is called by its id. */
export const NewProject = z.strictObject({ id: Id, name: Name.optional() });
export const ProjectChange = z.strictObject({ name: Name });
export const ProjectAnswer = z.strictObject({
  id: Id,
  name: z.string(),
  created_at: z.iso.datetime(),
  created_by: z.string(),
});
export const ProjectsAnswer = pageOf(
  ProjectAnswer.extend({
    /** Keys that are not revoked. */
    keys: z.number().int(),
    last_used_on: z.iso.date().nullable(),
    has_policy: z.boolean(),
  }),
);
export const RemovedProjectAnswer = z.strictObject({ id: Id });

export const projects = new Hono<AdminEnv>();

projects.post("/:org/projects", async (c) => {
  const { org, email } = requireMember(c, c.req.param("org"), "keys");
  const { id, name = id } = await readJson(c, NewProject);
  const answer: z.infer<typeof ProjectAnswer> = await makeProject(c.env, { org, id, name, actor: email });
  return c.json(answer, 201);
});

projects.get("/:org/projects", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "keys");
  const { limit, cursor } = readQuery(c, z.strictObject(PAGE_QUERY));
  const after = positionOf({ list: "projects", org }, cursor);
  const [listed, { record }] = await Promise.all([
    listProjects(c.env, { org, after, limit: limit + 1 }),
    readPolicy(c.env, org),
  ]);
  const rows = listed.map((project) => ({
    ...project,
    has_policy: projectPolicyOf(record.projects, project.id) !== undefined,
  }));
  const answer: z.infer<typeof ProjectsAnswer> = paged(rows, { list: "projects", org, limit }, ({ id }) => id);
  return c.json(answer);
});

projects.patch("/:org/projects/:project", async (c) => {
  const { org, email } = requireMember(c, c.req.param("org"), "keys");
  const { name } = await readJson(c, ProjectChange);
  const renamed = await renameProject(c.env, { org, id: c.req.param("project"), name, actor: email });
  if (!renamed) throw noSuchProject();
  const answer: z.infer<typeof ProjectAnswer> = renamed;
  return c.json(answer);
});

projects.delete("/:org/projects/:project", async (c) => {
  const { org, email } = requireMember(c, c.req.param("org"), "keys");
  const id = c.req.param("project");
  await unmakeProject(c.env, { org, id, actor: email });
  const answer: z.infer<typeof RemovedProjectAnswer> = { id };
  return c.json(answer);
});
