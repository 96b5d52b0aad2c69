// The evaluator of a request's rules: compiled once per revision and project, and then remembered.

import { createEvaluator, type Evaluator } from "../compliance/evaluator.ts";
import type { RequirementId } from "../compliance/requirements.ts";
import { rulesOf } from "../compliance/rules.ts";
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
