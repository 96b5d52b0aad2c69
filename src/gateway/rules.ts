// The rules of a request: composed and compiled once per revision and project, and then remembered.
import type { Rules } from "../compliance/evaluate.ts";
import { createEvaluator, type Evaluator } from "../compliance/evaluator.ts";
import type { RequirementId } from "../compliance/requirements.ts";
import { requiredOf, rulesOf } from "../compliance/rules.ts";
import type { OrgRecord } from "../store/records.ts";

export interface RequestRules {
  readonly rules: Rules;
  /** The requirement in force that lets a provider keep nothing, if any. */
  readonly keepsNothing: RequirementId | undefined;
  /** Whether it is judged what a request would have the provider call. */
  readonly judgesTools: boolean;
  /** By the rules alone: for a request that has the provider call nobody. */
  readonly judge: Evaluator;
}

/** By the record of a revision, then by project and by what the request adds. */
const remembered = new WeakMap<OrgRecord, Map<string, RequestRules>>();

/** The rules of the organization and the project, with what the request adds to them. */
export function rulesFor(org: OrgRecord, project: string, requirements: readonly RequirementId[]): RequestRules {
  const ofRevision = remembered.get(org) ?? new Map<string, RequestRules>();
  remembered.set(org, ofRevision);
  const name = [project, ...requirements].join(" ");
  const known = ofRevision.get(name);
  if (known) return known;
  const rules = rulesOf(org, project, requirements);
  const compiled: RequestRules = {
    rules,
    keepsNothing: requiredOf(rules, ["no_logging", "zero_retention"])[0],
    judgesTools: requiredOf(rules, ["no_remote_tools"]).length > 0,
    judge: createEvaluator(rules),
  };
  ofRevision.set(name, compiled);
  return compiled;
}

/** The evaluator for a request that has the provider call `remoteTools`, which are asked for only where they are judged. */
export function judgeFor({ rules, judgesTools, judge }: RequestRules, remoteTools: () => readonly string[]): Evaluator {
  const tools = judgesTools ? remoteTools() : [];
  return tools.length > 0 ? createEvaluator(rules, tools) : judge;
}
