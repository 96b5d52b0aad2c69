// What the read pages judge by: the rules in force for an organization, or for one of its projects.
import { rulesOf } from "../compliance/rules.ts";
import { type Edge, loadCatalog } from "../store/edge.ts";
import { projectIds } from "../store/projects.ts";
import type { OrgRecord } from "../store/records.ts";
import type { Judging } from "./models.ts";
import { readPolicy } from "./policy.ts";
import { invalid } from "./problem.ts";

export interface InForce extends Judging {
  readonly record: OrgRecord;
  /** Whether the rules ask for nothing, so that every provider passes. */
  readonly off: boolean;
  /** The organization's projects. */
  readonly projects: readonly string[];
}

/**
 * The rules in force, as D1 has them, with the catalog at the edge. Throws 400 for a project that is none: to judge it
 * by the organization's rules alone could show as allowed what its true rules block.
 */
export async function rulesInForce(edge: Edge, org: string, project?: string): Promise<InForce> {
  const [{ record }, catalog, known] = await Promise.all([
    readPolicy(edge.env, org),
    loadCatalog(edge),
    projectIds(edge.env, org),
  ]);
  const projects = [...new Set([...known, ...Object.keys(record.projects)])].sort();
  if (project !== undefined && !projects.includes(project))
    throw invalid([{ path: "project", message: `names no project of this organization: ${project}` }]);
  const rules = rulesOf(record, project ?? null);
  const off = rules.policies.every(({ enabled }) => !enabled);
  return { record, catalog, rules, off, projects, now: Date.now() };
}
