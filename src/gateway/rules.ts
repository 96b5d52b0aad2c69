// The rules of a request: composed and compiled once per revision and project, and then remembered.
import type { CatalogIndex } from "../catalog/lookup.ts";
import type { Rules } from "../compliance/evaluate.ts";
import { createEvaluator, type Evaluator } from "../compliance/evaluator.ts";
import type { StoredPolicy } from "../compliance/policy.ts";
import type { RequirementId } from "../compliance/requirements.ts";
import { requiredOf, rulesOf } from "../compliance/rules.ts";
import type { OrgRecord } from "../store/records.ts";
import { judgingAlso } from "./other-models.ts";

export interface RequestRules {
  readonly rules: Rules;
  /** The requirement in force that lets a provider keep nothing, if any. */
  readonly keepsNothing: RequirementId | undefined;
  /** Whether it is judged what a request would have the provider call. */
  readonly judgesTools: boolean;
  /** Whether a rule looks at the model, not at its provider alone, so that others that a request names are judged too. */
  readonly judgesModels: boolean;
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
    judgesModels: [rules, ...rules.policies.filter(({ enabled }) => enabled)].some(looksAtModels),
    judge: createEvaluator(rules),
  };
  ofRevision.set(name, compiled);
  return compiled;
}

/** The facts of a model can differ from its provider's. */
function looksAtModels({ requirements, models }: { requirements: readonly string[]; models?: StoredPolicy["models"] }) {
  return requirements.length > 0 || (models !== undefined && models.allow.length + models.block.length > 0);
}

/** What a request asks for besides its model; looked for only where the rules judge it. */
export interface AskedBeside {
  /** By what it would have the provider call somebody else. */
  readonly remoteTools: () => readonly string[];
  /** The other models that it names. */
  readonly otherModels: () => readonly string[];
}

/** The evaluator for a request that asks for `beside`. */
export function judgeFor(
  { rules, judgesTools, judgesModels, judge }: RequestRules,
  catalog: CatalogIndex,
  { remoteTools, otherModels }: AskedBeside,
): Evaluator {
  const tools = judgesTools ? remoteTools() : [];
  const models = judgesModels ? otherModels() : [];
  const judgeTools = tools.length > 0 ? createEvaluator(rules, tools) : judge;
  return models.length > 0 ? judgingAlso(models, catalog, judgeTools) : judgeTools;
}
