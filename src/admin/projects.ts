// Projects' use cases, shared by the JSON API and the pages.
import type { Env } from "../env.ts";
import { createProject, type Project, removeProject } from "../store/projects.ts";
import { Problem } from "./problem.ts";
import { readProjectPolicy } from "./project-policy.ts";

/** Creates a project. Throws 409 when its id is taken. */
export async function makeProject(
  env: Env,
  project: { org: string; id: string; name: string; actor: string },
): Promise<Project> {
  const made = await createProject(env, project);
  if (made) return made;
  throw new Problem({
    status: 409,
    code: "conflict",
    detail: `There is a project ${project.id} already.`,
    extras: { errors: [{ path: "id", message: "is taken" }] },
  });
}

/**
 * Removes a project that never had a key and carries no policy. Throws 404 and 409. A policy that is saved at the same
 * moment would outlive it, which only narrows what a later project of that id may do.
 */
export async function unmakeProject(
  env: Env,
  { org, id, actor }: { org: string; id: string; actor: string },
): Promise<void> {
  const { policy } = await readProjectPolicy(env, org, id);
  if (policy) throw inUse(`${id} carries a policy. Remove that first.`);
  if ((await removeProject(env, { org, id, actor })) === "has keys")
    throw inUse(
      `${id} has keys. A key keeps its project for good, a revoked one too, so that every event stays explained.`,
    );
}

function inUse(detail: string): Problem {
  return new Problem({ status: 409, code: "project_in_use", detail });
}
