// The rules of a request, and their evaluator, which is compiled once per revision and project and then remembered.

import type { Rules } from "../compliance/evaluate.ts";
import { createEvaluator, type Evaluator } from "../compliance/evaluator.ts";
import type { RequirementId } from "../compliance/requirements.ts";
import type { OrgRecord } from "../store/records.ts";

/** By the record of a revision, then by project and by what the request adds. */
const evaluators = new WeakMap<OrgRecord, Map<string, Evaluator>>();

/** The evaluator for a project's request that adds `requirements`. */
export function evaluatorFor(org: OrgRecord, project: string, requirements: readonly RequirementId[]): Evaluator {
  const ofRevision = evaluators.get(org) ?? new Map<string, Evaluator>();
  evaluators.set(org, ofRevision);
  const name = [project, ...requirements].join(" ");
  const known = ofRevision.get(name);
  if (known) return known;
  const evaluator = createEvaluator(rulesOf(org, project, requirements));
  ofRevision.set(name, evaluator);
  return evaluator;
}

/** The organization's policy, the project's where it has one, and what the request adds: all by AND. */
export function rulesOf(org: OrgRecord, project: string, requirements: readonly RequirementId[]): Rules {
  const own = Object.hasOwn(org.projects, project) ? org.projects[project] : undefined;
  return { policies: own ? [org.policy, own.policy] : [org.policy], requirements };
}

/** Which of `ids` are in force for the request. */
export function requiredOf({ policies, requirements }: Rules, ids: readonly RequirementId[]): RequirementId[] {
  const inForce = new Set<string>([
    ...policies.flatMap((policy) => (policy.enabled ? policy.requirements : [])),
    ...requirements,
  ]);
  return ids.filter((id) => inForce.has(id));
}
