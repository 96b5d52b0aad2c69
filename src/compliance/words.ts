// Facts and failures in words, for error messages, the settings page and the tail line. Pure.
import { type Attribute, SEARCHES } from "./facts.ts";
import { requirementOf } from "./requirements.ts";

type Value = string | number | boolean | null;

export const ATTRIBUTE_LABELS: Record<Attribute, string> = {
  soc2: "SOC 2",
  iso27001: "ISO 27001",
  gdpr: "GDPR",
  trainsOnPrompts: "Training",
  logsPrompts: "Logging",
  retentionDays: "Retention",
  legalEntity: "Legal entity",
  headquarters: "Headquarters",
  remoteTools: "Remote tools",
};

const SOC2_WORDS: Record<string, string> = { type1: "Type 1", type2: "Type 2", unspecified: "type not stated" };

/** What one fact says, without its label: "unknown", "Type 1", "trains on prompts". */
export function valueInWords(attribute: Attribute, value: Value): string {
  if (value === null || value === undefined) return "unknown";
  // Only a catalog that no schema has seen can hold anything else.
  if (typeof value === "object") return "malformed";
  if (attribute === "remoteTools") return value === SEARCHES ? "the model searches the web by itself" : String(value);
  if (typeof value === "string") return attribute === "soc2" ? (SOC2_WORDS[value] ?? value) : value;
  switch (attribute) {
    case "trainsOnPrompts":
      return value ? "trains on prompts" : "does not train on prompts";
    case "logsPrompts":
      return value ? "logs prompts" : "does not log prompts";
    case "retentionDays":
      return value === 0 ? "keeps nothing" : `keeps prompts ${value} day${value === 1 ? "" : "s"}`;
    default:
      return value ? "yes" : "no";
  }
}

/** One fact with its label: "SOC 2: unknown". */
export function factInWords(attribute: Attribute, value: Value): string {
  return `${ATTRIBUTE_LABELS[attribute]}: ${valueInWords(attribute, value)}`;
}

/** What stands behind a failure's code: "unknown", "trains on prompts", "on the block list". */
export function foundInWords({ code, found }: { readonly code: string; readonly found: Value }): string {
  switch (code) {
    case "headquarters":
      return valueInWords("headquarters", found);
    case "provider_blocked":
      return "the provider is on the block list";
    case "provider_not_allowed":
      return "the provider is not on the allow list";
    case "model_blocked":
      return "the model is on the block list";
    case "model_not_allowed":
      return `the model ${found} is not among those that are known and allowed`;
    case "unknown_requirement":
      return `this version of the gateway does not know the requirement ${found}`;
  }
  const requirement = requirementOf(code);
  // A code of a newer build, read back from a stored event.
  if (!requirement) return String(found ?? "unknown");
  return requirement.reads.length === 1 ? valueInWords(requirement.reads[0], found) : String(found ?? "unknown");
}

/** A failure for people: "SOC 2: unknown", "Training: trains on prompts", "the provider is on the block list". */
export function failureInWords(failure: { readonly code: string; readonly found: Value }): string {
  const requirement = requirementOf(failure.code);
  if (requirement?.reads.length === 1) return factInWords(requirement.reads[0], failure.found);
  if (failure.code === "headquarters") return factInWords("headquarters", failure.found);
  if (requirement && failure.found === null) return `${requirement.label}: unknown`;
  return foundInWords(failure);
}
