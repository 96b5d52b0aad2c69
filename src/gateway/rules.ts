// The evaluator of a request's rules: compiled once per revision and project, and then remembered.

import { createEvaluator, type Evaluator } from "../compliance/evaluator.ts";
import type { RequirementId } from "../compliance/requirements.ts";
import { requiredOf, rulesOf } from "../compliance/rules.ts";
import type { OrgRecord } from "../store/records.ts";

/** By the record of a revision, then by project and by what the request adds. */
const evaluators = new WeakMap<OrgRecord, Map<string, Evaluator>>();

/** What a request adds to the rules of its organization and project. */
export interface RequestRules {
  readonly project: string;
  readonly requirements: readonly RequirementId[];
  /** By what it would have the provider call somebody else; asked only where that is judged. */
  readonly remoteTools: () => readonly string[];
}

/** The evaluator for a request. */
export function evaluatorFor(org: OrgRecord, { project, requirements, remoteTools }: RequestRules): Evaluator {
  const rules = rulesOf(org, project, requirements);
  const tools = requiredOf(rules, ["no_remote_tools"]).length > 0 ? remoteTools() : [];
  return tools.length > 0 ? createEvaluator(rules, tools) : rememberedFor(org, project, requirements);
}

function rememberedFor(org: OrgRecord, project: string, requirements: readonly RequirementId[]): Evaluator {
  const ofRevision = evaluators.get(org) ?? new Map<string, Evaluator>();
  evaluators.set(org, ofRevision);
  const name = [project, ...requirements].join(" ");
  const known = ofRevision.get(name);
  if (known) return known;
  const evaluator = createEvaluator(rulesOf(org, project, requirements));
  ofRevision.set(name, evaluator);
  return evaluator;
}
