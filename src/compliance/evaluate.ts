// The evaluator: one provider, for one model, against every rule that applies. The settings page and the live path
// both call it. Pure: no clock, no I/O, never throws.
import { type AssessedMapping, type AssessedProvider, type Attribute, type Facts, resolveFacts } from "./facts.ts";
import type { StoredPolicy } from "./policy.ts";
import { type RequirementId, requirementOf } from "./requirements.ts";
import { factInWords } from "./words.ts";

export type FailureCode =
  | RequirementId
  | "headquarters"
  | "provider_blocked"
  | "provider_not_allowed"
  | "model_blocked"
  | "model_not_allowed"
  | "unknown_requirement";

/** Why a provider fails: the rule, and what the catalog says (null: unknown). */
export interface Failure {
  readonly code: FailureCode;
  readonly found: string | number | boolean | null;
}

/** All that applies to a request. Everything composes by AND, so adding to it only ever narrows. */
export interface Rules {
  /** The organization's policy, then the project's where it has one. A disabled policy asks for nothing. */
  readonly policies: readonly StoredPolicy[];
  /** Requirements that this one request adds. */
  readonly requirements: readonly RequirementId[];
}

declare const passed: unique symbol;

/** The only kind of verdict that opens the door. Nothing but {@link evaluate} makes one. */
export interface PassingVerdict {
  readonly provider: string;
  readonly model: string | null;
  readonly allowed: true;
  readonly failures: readonly [];
  /** Epoch milliseconds from which this verdict no longer holds because a fact expires. */
  readonly validUntil: number;
  readonly [passed]: true;
}
export interface FailingVerdict {
  readonly provider: string;
  readonly model: string | null;
  readonly allowed: false;
  readonly failures: readonly Failure[];
  readonly validUntil: number;
}
export type Verdict = PassingVerdict | FailingVerdict;

export interface Assessed {
  readonly provider: AssessedProvider;
  /** The canonical model id and the provider's mapping of it; absent when the provider itself is judged. */
  readonly model?: { readonly id: string; readonly mapping: AssessedMapping };
  /** By what the request that is judged would have the provider call somebody else; none where no request is. */
  readonly remoteTools?: readonly string[];
  /** Epoch milliseconds. */
  readonly now: number;
}

const verdictsMadeHere = new WeakSet<object>();

/** Judges a provider, or its mapping of one model, by all of the rules; keeps every failure, never only the first. */
export function evaluate(rules: Rules, { provider, model, remoteTools = [], now }: Assessed): Verdict {
  const facts = withTools(resolveFacts(provider, model?.mapping, now), remoteTools);
  const failures: Failure[] = [];
  for (const policy of rules.policies) {
    if (!policy.enabled) continue;
    failures.push(...unmetRequirements(policy.requirements, facts));
    failures.push(...unmetLists(policy, facts, provider.id, model?.id));
  }
  failures.push(...unmetRequirements(rules.requirements, facts));

  const judged = { provider: provider.id, model: model?.id ?? null, validUntil: facts.validUntil };
  if (failures.length > 0) return { ...judged, allowed: false, failures: distinct(failures) };
  const verdict = Object.freeze({ ...judged, allowed: true, failures: [] }) as unknown as PassingVerdict;
  verdictsMadeHere.add(verdict);
  return verdict;
}

/** Checked again at the door: made by {@link evaluate}, for this provider and model, and still valid at `now`. */
export function stillHolds(verdict: PassingVerdict, target: { provider: string; model: string; now: number }): boolean {
  return (
    verdictsMadeHere.has(verdict) &&
    verdict.allowed === true &&
    verdict.provider === target.provider &&
    verdict.model === target.model &&
    target.now < verdict.validUntil
  );
}

function withTools(facts: Facts, remoteTools: readonly string[]): Facts {
  if (remoteTools.length === 0) return facts;
  return { ...facts, remoteTools: [...(facts.remoteTools ?? []), ...remoteTools] };
}

function unmetRequirements(ids: readonly string[], facts: Facts): Failure[] {
  return ids.flatMap((id): Failure[] => {
    const requirement = requirementOf(id);
    if (!requirement) return [{ code: "unknown_requirement", found: id }];
    if (requirement.satisfiedBy(facts)) return [];
    return found(requirement.reads, facts).map((value) => ({ code: id as RequirementId, found: value }));
  });
}

function unmetLists(policy: StoredPolicy, facts: Facts, provider: string, model: string | undefined): Failure[] {
  const failures: Failure[] = [];
  const { headquarters, providers, models } = policy;
  if (headquarters.length > 0 && (facts.headquarters === null || !headquarters.includes(facts.headquarters)))
    for (const value of found(["headquarters"], facts)) failures.push({ code: "headquarters", found: value });
  if (providers.block.includes(provider)) failures.push({ code: "provider_blocked", found: provider });
  if (providers.allow.length > 0 && !providers.allow.includes(provider))
    failures.push({ code: "provider_not_allowed", found: provider });
  if (model === undefined) return failures;
  if (models.block.includes(model)) failures.push({ code: "model_blocked", found: model });
  if (models.allow.length > 0 && !models.allow.includes(model))
    failures.push({ code: "model_not_allowed", found: model });
  return failures;
}

/**
 * What is known: the value of the one attribute, each entry of it where it is a list, or all of several in words; null
 * when nothing is known.
 */
function found([first, ...others]: readonly [Attribute, ...Attribute[]], facts: Facts): Failure["found"][] {
  const value = (attribute: Attribute) => {
    const lastDay = facts.expired[attribute];
    if (lastDay !== undefined) return `expired ${lastDay}`;
    const known = facts[attribute];
    return typeof known === "object" && known !== null ? "malformed" : known;
  };
  if (others.length === 0) return first === "remoteTools" && facts[first] ? [...facts[first]] : [value(first)];
  const all = [first, ...others];
  if (all.every((attribute) => value(attribute) === null)) return [null];
  return [all.map((attribute) => factInWords(attribute, value(attribute))).join("; ")];
}

function distinct(failures: readonly Failure[]): Failure[] {
  return failures.filter(
    ({ code, found }, index) => failures.findIndex((other) => other.code === code && other.found === found) === index,
  );
}
