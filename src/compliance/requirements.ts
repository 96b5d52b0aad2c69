// The requirement registry: one entry per requirement. The policy schema, the settings page, the failure reasons and
// the documentation derive from it, so that a new requirement is one new entry here. Pure.
import type { Attribute, Facts } from "./facts.ts";

export type RequirementGroup = "certifications" | "data_handling" | "operator";

export interface Requirement {
  readonly label: string;
  /** One sentence: what a provider must be. */
  readonly description: string;
  readonly group: RequirementGroup;
  /** The facts it reads, named in its failures. */
  readonly reads: readonly [Attribute, ...Attribute[]];
  /** True only when a published fact explicitly satisfies it: compare with `===`, so that unknown never passes. */
  readonly satisfiedBy: (facts: Facts) => boolean;
}

export const REQUIREMENTS = {
  soc2: {
    label: "SOC 2",
    description: "The provider holds a SOC 2 report of any type.",
    group: "certifications",
    reads: ["soc2"],
    satisfiedBy: (facts) => facts.soc2 === "type1" || facts.soc2 === "type2" || facts.soc2 === "unspecified",
  },
  soc2_type2: {
    label: "SOC 2 Type 2",
    description: "The provider holds a SOC 2 Type 2 report: its controls were observed over months, not on one day.",
    group: "certifications",
    reads: ["soc2"],
    satisfiedBy: (facts) => facts.soc2 === "type2",
  },
  iso27001: {
    label: "ISO 27001",
    description: "The provider is certified to ISO/IEC 27001.",
    group: "certifications",
    reads: ["iso27001"],
    satisfiedBy: (facts) => facts.iso27001 === true,
  },
  soc2_type2_or_iso27001: {
    label: "SOC 2 Type 2 or ISO 27001",
    description: "The provider holds a SOC 2 Type 2 report or an ISO/IEC 27001 certificate.",
    group: "certifications",
    reads: ["soc2", "iso27001"],
    satisfiedBy: (facts) => facts.soc2 === "type2" || facts.iso27001 === true,
  },
  gdpr: {
    label: "GDPR",
    description: "The provider commits to processing personal data under the GDPR.",
    group: "data_handling",
    reads: ["gdpr"],
    satisfiedBy: (facts) => facts.gdpr === true,
  },
  no_training: {
    label: "No training on prompts",
    description: "The provider states that it does not train models on prompts sent through its API.",
    group: "data_handling",
    reads: ["trainsOnPrompts"],
    satisfiedBy: (facts) => facts.trainsOnPrompts === false,
  },
  no_logging: {
    label: "No prompt logging",
    description: "The provider states that it does not log prompts.",
    group: "data_handling",
    reads: ["logsPrompts"],
    satisfiedBy: (facts) => facts.logsPrompts === false,
  },
  zero_retention: {
    label: "Zero retention",
    description: "The provider states that it neither logs prompts nor keeps them for any number of days.",
    group: "data_handling",
    reads: ["logsPrompts", "retentionDays"],
    satisfiedBy: (facts) => facts.logsPrompts === false && facts.retentionDays === 0,
  },
  no_remote_tools: {
    label: "No remote tools",
    description:
      "The provider calls nobody else for a request: no web search, remote MCP servers, connectors, hosted code, or addresses to fetch; a request that asks for them is blocked, and so is a model that searches by itself.",
    group: "data_handling",
    reads: ["remoteTools"],
    satisfiedBy: (facts) => Array.isArray(facts.remoteTools) && facts.remoteTools.length === 0,
  },
  disclosed_operator: {
    label: "Disclosed operator",
    description: "The company that operates the provider is publicly known by its legal name.",
    group: "operator",
    reads: ["legalEntity"],
    satisfiedBy: (facts) => typeof facts.legalEntity === "string" && facts.legalEntity.trim() !== "",
  },
} as const satisfies Record<string, Requirement>;

export type RequirementId = keyof typeof REQUIREMENTS;

export const REQUIREMENT_IDS = Object.keys(REQUIREMENTS) as [RequirementId, ...RequirementId[]];

/** The registry's entry, or undefined for an id that this build does not know. */
export function requirementOf(id: string): Requirement | undefined {
  return Object.hasOwn(REQUIREMENTS, id) ? REQUIREMENTS[id as RequirementId] : undefined;
}
