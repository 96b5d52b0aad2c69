// The routes of Settings → Projects & keys: the lists, and a new project.
import { type Context, Hono } from "hono";
import * as z from "zod";
import { projectPolicyOf } from "../../compliance/rules.ts";
import { listKeys } from "../../store/keys.ts";
import type { Member } from "../../store/members.ts";
import { createProject, listProjects } from "../../store/projects.ts";
import { Id } from "../../store/records.ts";
import { Name } from "../api/request.ts";
import type { AdminEnv } from "../authorize.ts";
import { readPolicy } from "../policy.ts";
import { invalid } from "../problem.ts";
import { enter } from "./access.ts";
import { readFields } from "./posted-fields.ts";
import { postedForm } from "./posted-form.ts";
import { ProjectsPage, type ProjectsView } from "./projects-page.tsx";

const PER_PAGE = 50;
const KEY_ID = /^key_\w{26}$/;

const NewProjectForm = z.object({ id: Id, name: Name });

export const projects = new Hono<AdminEnv>();

projects.get("/", async (c) => {
  const member = await enter(c, "keys");
  return c.html(ProjectsPage(await lookAtProjects(c, member)));
});

projects.post("/", async (c) => {
  const member = await enter(c, "keys");
  const read = readFields(await postedForm(c), NewProjectForm);
  const refuse = async (filled: NonNullable<ProjectsView["refused"]>["filled"], status: 409 | 422) =>
    c.html(ProjectsPage({ ...(await lookAtProjects(c, member)), refused: { form: "project", filled } }), status);
  if (!read.ok) return refuse(read.filled, 422);
  const { id, name } = read.fields;
  const made = await createProject(c.env, { org: member.org, id, name, actor: member.email });
  if (!made) return refuse({ values: { id, name }, errors: { id: "is taken by another project" } }, 409);
  return c.redirect(`/settings/projects/${id}`, 303);
});

/** Gathers what the page of projects and keys shows, by the query. Throws 400 for a position that is none. */
export async function lookAtProjects(c: Context<AdminEnv>, member: Member): Promise<ProjectsView> {
  const { org } = member;
  const query = (name: string) => c.req.query(name)?.trim() || undefined;
  const asked = { project: query("project"), after: query("after"), before: query("before") };
  if (asked.after !== undefined && !Id.safeParse(asked.after).success)
    throw invalid([{ path: "after", message: "is not a project to continue after" }]);
  if (asked.before !== undefined && !KEY_ID.test(asked.before))
    throw invalid([{ path: "before", message: "is not a key to continue after" }]);
  const [listed, keys, { record }] = await Promise.all([
    listProjects(c.env, { org, after: asked.after, limit: PER_PAGE + 1 }),
    listKeys(c.env, { org, project: asked.project, before: asked.before, limit: PER_PAGE + 1 }),
    readPolicy(c.env, org),
  ]);
  const shown = { projects: listed.slice(0, PER_PAGE), keys: keys.slice(0, PER_PAGE) };
  return {
    member,
    settings: c.get("settings"),
    projects: shown.projects.map((project) => ({
      ...project,
      hasPolicy: projectPolicyOf(record.projects, project.id) !== undefined,
    })),
    keys: shown.keys,
    asked,
    next: {
      after: listed.length > PER_PAGE ? shown.projects.at(-1)?.id : undefined,
      before: keys.length > PER_PAGE ? shown.keys.at(-1)?.id : undefined,
    },
    now: Date.now(),
  };
}
