// Projects of an organization: what its keys belong to. A project's policy is no part of this: it stands in the
// organization's revisions, which decide alone what is enforced.
import type { Env } from "../env.ts";
import { auditStatement } from "./audit-log.ts";
import type { Condition } from "./conditions.ts";
import { timestamp } from "./secrets.ts";

export interface Project {
  id: string;
  /** For people; the id never changes. */
  name: string;
  created_at: string;
  created_by: string;
}

export interface ListedProject extends Project {
  /** Its keys that are not revoked. */
  keys: number;
  last_used_on: string | null;
}

const COLUMNS = "id, name, created_at, created_by";

/** A project of an organization, or null. */
export async function findProject(env: Env, org: string, id: string): Promise<Project | null> {
  return env.DB.prepare(`SELECT ${COLUMNS} FROM projects WHERE org = ? AND id = ?`).bind(org, id).first<Project>();
}

/** The projects of an organization in the order of their ids, with an id above `after`; at most `limit`. */
export async function listProjects(
  env: Env,
  { org, after = "", limit }: { org: string; after?: string | undefined; limit: number },
): Promise<ListedProject[]> {
  const { results } = await env.DB.prepare(
    `SELECT ${COLUMNS},
       (SELECT COUNT(*) FROM api_keys k WHERE k.org = p.org AND k.project = p.id AND k.revoked_at IS NULL) AS keys,
       (SELECT MAX(k.last_used_on) FROM api_keys k WHERE k.org = p.org AND k.project = p.id) AS last_used_on
     FROM projects p WHERE org = ? AND id > ? ORDER BY id LIMIT ?`,
  )
    .bind(org, after, limit)
    .all<ListedProject>();
  return results;
}

/** The ids of an organization's projects, in order. */
export async function projectIds(env: Env, org: string): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT id FROM projects WHERE org = ? ORDER BY id")
    .bind(org)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

/** Creates a project. Null when the organization has one of that id. */
export async function createProject(
  env: Env,
  project: { org: string; id: string; name: string; actor: string },
): Promise<Project | null> {
  const [, created] = await env.DB.batch(projectStatements(env, project));
  return created?.meta.changes ? findProject(env, project.org, project.id) : null;
}

/** The statements that create a project, with its audit row; nothing when the organization has one of that id. */
export function projectStatements(
  env: Env,
  { org, id, name, actor }: { org: string; id: string; name: string; actor: string },
): D1PreparedStatement[] {
  const isNew: Condition = {
    sql: "NOT EXISTS (SELECT 1 FROM projects WHERE org = ? AND id = ?)",
    values: [org, id],
  };
  return [
    auditStatement(env, { org, actor, action: "project.create", target: id, detail: { name } }, isNew),
    env.DB.prepare(
      "INSERT INTO projects (org, id, name, created_at, created_by) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    ).bind(org, id, name, timestamp(), actor),
  ];
}

/** Renames a project; null when the organization has none of that id. */
export async function renameProject(
  env: Env,
  { org, id, name, actor }: { org: string; id: string; name: string; actor: string },
): Promise<Project | null> {
  const before = await findProject(env, org, id);
  if (!before) return null;
  await env.DB.batch([
    env.DB.prepare("UPDATE projects SET name = ? WHERE org = ? AND id = ?").bind(name, org, id),
    auditStatement(env, { org, actor, action: "project.rename", target: id, detail: { name, was: before.name } }),
  ]);
  return { ...before, name };
}

/**
 * Removes a project that never had a key. Keys keep their project for good, revoked ones too: what an event or the audit
 * log names stays known, and no key can outlive the project whose policy narrows it.
 */
export async function removeProject(
  env: Env,
  { org, id, actor }: { org: string; id: string; actor: string },
): Promise<"removed" | "has keys"> {
  const hasKeys = async () =>
    (await env.DB.prepare("SELECT 1 FROM api_keys WHERE org = ? AND project = ? LIMIT 1").bind(org, id).first()) !==
    null;
  if (await hasKeys()) return "has keys";
  try {
    await env.DB.batch([
      env.DB.prepare("DELETE FROM projects WHERE org = ? AND id = ?").bind(org, id),
      auditStatement(env, { org, actor, action: "project.remove", target: id, detail: {} }),
    ]);
    return "removed";
  } catch (error) {
    // A key was created meanwhile, and the foreign key holds its project.
    if (await hasKeys()) return "has keys";
    throw error;
  }
}
