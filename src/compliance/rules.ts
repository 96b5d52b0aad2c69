// Which rules apply to a request: how the documents compose. Pure.
import type { Rules } from "./evaluate.ts";
import type { StoredPolicy } from "./policy.ts";
import type { RequirementId } from "./requirements.ts";

/** What is enforced for an organization: its policy, and the narrower ones of its projects. */
export interface Enforced {
  readonly policy: StoredPolicy;
  readonly projects: Readonly<Record<string, { readonly policy: StoredPolicy }>>;
}

/** The organization's policy, the project's where it has one, and what the request adds: all by AND. */
export function rulesOf(
  { policy, projects }: Enforced,
  project: string | null,
  requirements: readonly RequirementId[] = [],
): Rules {
  const own = project === null ? undefined : projectPolicyOf(projects, project);
  return { policies: own ? [policy, own] : [policy], requirements };
}

/** The policy that a project carries itself, if any. */
export function projectPolicyOf(projects: Enforced["projects"], project: string): StoredPolicy | undefined {
  return Object.hasOwn(projects, project) ? projects[project]?.policy : undefined;
}

/** Which of `ids` are in force by these rules. */
export function requiredOf({ policies, requirements }: Rules, ids: readonly RequirementId[]): RequirementId[] {
  const inForce = new Set<string>(requirements);
  for (const policy of policies) if (policy.enabled) for (const id of policy.requirements) inForce.add(id);
  return ids.filter((id) => inForce.has(id));
}
