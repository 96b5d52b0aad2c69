// What stands behind a fact: where the catalog read it, who published it, when it was checked; or that nothing does.
import type { Evidence as CatalogEvidence, Mapping, Provider } from "../../catalog/schema.ts";
import { type Attribute, type DataPolicy, type Facts, resolveFacts } from "../../compliance/facts.ts";
import { countryName } from "../../compliance/policy.ts";
import { requirementOf } from "../../compliance/requirements.ts";
import { ATTRIBUTE_LABELS, failureInWords, valueInWords } from "../../compliance/words.ts";
import { ExternalLink } from "./external-link.tsx";
import { Day } from "./time.tsx";

interface Failure {
  readonly code: string;
  readonly found: string | number | boolean | null;
  readonly from?: "organization" | "project";
}

/** One failure: the requirement's name and what the catalog says. */
export const Reason = ({ failure }: { failure: Failure }) => {
  const label = requirementOf(failure.code)?.label;
  const words = failureInWords(failure);
  const country = failure.code === "headquarters" ? countryName(String(failure.found ?? "")) : null;
  return (
    <li>
      {label && !words.startsWith(`${label}:`) && (
        <>
          <span class="requirement">{label}</span> —{" "}
        </>
      )}
      <span class="found">{country ? `${words} (${country})` : words}</span>
      {failure.from && <span class="from"> · by the {failure.from}'s policy</span>}
    </li>
  );
};

/** Facts of a provider, or of its mapping of one model, each with its evidence. `now` is in epoch milliseconds. */
export const EvidenceList = ({
  provider,
  mapping,
  attributes,
  now,
}: {
  provider: Provider;
  mapping?: Mapping | undefined;
  attributes: readonly Attribute[];
  now: number;
}) => {
  const facts = resolveFacts(provider, mapping, now);
  const isOverridden = (attribute: Attribute) => mapping?.dataPolicy?.[attribute as keyof DataPolicy] !== undefined;
  return (
    <>
      {provider.aggregator && (
        <p class="aside">
          {provider.name} passes prompts on to companies it chooses, so its own facts count as unknown; only what is
          stated for a single model counts.
        </p>
      )}
      <dl class="evidence">
        {attributes.map((attribute) => (
          <div>
            <dt>
              {ATTRIBUTE_LABELS[attribute]}: {factOf(facts, attribute)}
            </dt>
            <dd>
              {isOverridden(attribute) ? (
                <span class="no-source">stated for this model alone, no source</span>
              ) : (
                sourced(provider.evidence[attribute])
              )}
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
};

function factOf(facts: Facts, attribute: Attribute): string {
  const expired = facts.expired[attribute];
  if (expired) return `unknown (what was published expired on ${expired})`;
  if (attribute === "remoteTools") return toolsOf(facts);
  const words = valueInWords(attribute, facts[attribute]);
  return attribute === "headquarters" ? (countryName(words) ?? words) : words;
}

function toolsOf({ remoteTools }: Facts): string {
  if (remoteTools === null) return "unknown";
  if (remoteTools.length === 0) return "none by itself; each request is looked at for the tools it asks for";
  return remoteTools.map((tool) => valueInWords("remoteTools", tool)).join(", ");
}

function sourced(evidence: CatalogEvidence | undefined) {
  if (!evidence) return <span class="no-source">no source</span>;
  const { source, publisher, checkedAt, updatedAt, validUntil, confidence, conditions } = evidence;
  return (
    <>
      <ExternalLink href={source} />
      {publisher === "provider" ? ", published by the provider" : ", published by a third party"}; checked{" "}
      <Day date={checkedAt} />
      {updatedAt && (
        <>
          , updated there <Day date={updatedAt} />
        </>
      )}
      {validUntil && (
        <>
          , valid until <Day date={validUntil} />
        </>
      )}
      ; confidence {confidence}
      {conditions && (
        <ul>
          {conditions.map((condition) => (
            <li>{condition}</li>
          ))}
        </ul>
      )}
    </>
  );
}
