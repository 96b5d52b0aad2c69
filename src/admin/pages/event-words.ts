// Security events in words: what happened, and what somebody could do about it. Pure.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import { evaluate, type Verdict } from "../../compliance/evaluate.ts";
import { type Attribute, SEARCHES } from "../../compliance/facts.ts";
import { REQUIREMENT_IDS, REQUIREMENTS, requirementOf } from "../../compliance/requirements.ts";
import { rulesOf } from "../../compliance/rules.ts";
import { isLive } from "../../routing/ladder.ts";
import { isReadable, type ListedEvent, type SecurityEvent } from "../../store/event.ts";
import type { OrgRecord } from "../../store/records.ts";

/** Failure codes to filter by, with their names. */
export const FAILURE_CODES: readonly { code: string; label: string }[] = [
  ...REQUIREMENT_IDS.map((code) => ({ code, label: REQUIREMENTS[code].label })),
  { code: "headquarters", label: "Headquarters" },
  { code: "provider_blocked", label: "Provider on the block list" },
  { code: "provider_not_allowed", label: "Provider not on the allow list" },
  { code: "model_blocked", label: "Model on the block list" },
  { code: "model_not_allowed", label: "Model not allowed" },
  { code: "unknown_requirement", label: "Requirement unknown to the gateway" },
];

/** The name of a failure code; of one that this build does not know, the code. */
export function failureLabel(code: string): string {
  return FAILURE_CODES.find((known) => known.code === code)?.label ?? code;
}

/** Why an event shows nothing but its id and time. */
export const UNREADABLE =
  "This version of Portcullis cannot read it: another one wrote it, or it was changed in the database.";

/** What happened, in a few words: "Refused", "Rerouted", "Policy unavailable". */
export function outcomeInWords(event: ListedEvent): string {
  if (!isReadable(event)) return "Unreadable";
  const { type, outcome } = event;
  if (type === "policy.unavailable") return "Policy unavailable";
  return outcome === "refused" ? "Refused" : "Rerouted";
}

/** What happened, in a sentence. */
export function eventInWords({ type, outcome, mode, model, providers, reason }: SecurityEvent): string {
  const asked = model === null ? "A request" : `A request for ${model}`;
  if (type === "policy.unavailable")
    return `${asked} was refused because the policy could not be checked. Nothing was sent to any provider.`;
  if (reason !== undefined) return `${asked} was refused: ${reason}. Nothing was sent to any provider.`;
  const named = providers.map(({ id }) => id).join(", ");
  if (outcome === "rerouted")
    return `${asked} named ${named}, which the policy does not allow; another provider answered it. Nothing was sent to ${named}.`;
  if (mode === "pinned")
    return `${asked} was pinned to ${named}, which the policy does not allow. Nothing was sent to any provider.`;
  return `${asked} was refused: the policy does not allow the providers that it could go to. Nothing was sent to any provider.`;
}

/** What is enforced for an organization, and by which catalog. */
interface InForce {
  record: OrgRecord;
  catalog: CatalogIndex;
  now: number;
}

/**
 * The providers that could serve `model` through the same API under what is enforced for the organization and project
 * now. Whether the gateway holds their credentials is not looked at.
 */
export function compliantProviders(
  event: Pick<SecurityEvent, "model" | "project" | "api">,
  inForce: InForce,
): string[] {
  return verdictsNow(event, event.model, inForce)
    .filter(({ allowed }) => allowed)
    .map(({ provider }) => provider);
}

/**
 * What alone keeps providers from serving the models that an event names, now: a failure code, and what would pass
 * without it, as `provider/model`.
 */
export function onlyInTheWay(
  event: Pick<SecurityEvent, "model" | "project" | "api" | "providers">,
  inForce: InForce,
): { code: string; targets: string[] }[] {
  const found = new Map<string, string[]>();
  for (const model of new Set([event.model, ...event.providers.map((blocked) => blocked.model ?? null)]))
    for (const { provider, failures } of verdictsNow(event, model, inForce)) {
      const [code, ...others] = new Set(failures.map((failure) => failure.code));
      if (code === undefined || others.length > 0) continue;
      found.set(code, [...(found.get(code) ?? []), `${provider}/${model}`]);
    }
  return [...found].map(([code, targets]) => ({ code, targets }));
}

/** What the providers of a model are judged now, for the project and the API of an event. */
function verdictsNow(
  { project, api }: Pick<SecurityEvent, "project" | "api">,
  model: string | null,
  { record, catalog, now }: InForce,
): Verdict[] {
  if (model === null) return [];
  const rules = rulesOf(record, project);
  return (catalog.candidates.get(model) ?? [])
    .filter(({ mapping }) => api === null || mapping.apis.some((spoken) => spoken === api))
    .filter((candidate) => isLive(candidate, now))
    .map(({ provider, mapping }) => evaluate(rules, { provider, model: { id: model, mapping }, now }));
}

/** By what the request would have had a provider call somebody else, where that is why it was blocked; each once. */
export function remoteToolsAsked({ providers }: Pick<SecurityEvent, "providers">): string[] {
  const found = providers.flatMap(({ failures }) =>
    failures.filter(({ code }) => requirementOf(code)?.reads[0] === "remoteTools").map((failure) => failure.found),
  );
  return [...new Set(found)].filter((tool) => typeof tool === "string" && tool !== SEARCHES) as string[];
}

/** The facts that failures are about; a list's entry is about none. */
export function factsBehind(failures: readonly { readonly code: string }[]): Attribute[] {
  const read = failures.flatMap(({ code }): Attribute[] =>
    code === "headquarters" ? ["headquarters"] : [...(requirementOf(code)?.reads ?? [])],
  );
  return [...new Set(read)];
}
