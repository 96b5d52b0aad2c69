// What is known of a provider, resolved for one model at one moment. Pure: no clock, no I/O (it remembers, per provider).
// A fact that is missing, expired, or belongs to an aggregator's own house rather than to the model is unknown.

type Soc2 = "type1" | "type2" | "unspecified";

export interface DataPolicy {
  soc2: Soc2 | null;
  iso27001: boolean | null;
  gdpr: boolean | null;
  trainsOnPrompts: boolean | null;
  logsPrompts: boolean | null;
  retentionDays: number | null;
}

export type Attribute = keyof DataPolicy | "legalEntity" | "headquarters" | "remoteTools";

/** The part of a catalog provider that compliance looks at. */
export interface AssessedProvider {
  readonly id: string;
  readonly legalEntity: string | null;
  readonly headquarters: string | null;
  /** It passes prompts on to companies that it chooses, so its own facts say nothing about who will read them. */
  readonly aggregator?: boolean | undefined;
  /** Its models search the web by themselves, whatever a request says. */
  readonly searches?: boolean | undefined;
  readonly dataPolicy: Readonly<DataPolicy>;
  readonly evidence: { readonly [A in Attribute]?: { readonly validUntil?: string | undefined } | undefined };
}

/** The part of a model's mapping that compliance looks at: facts that differ from the provider's. */
export interface AssessedMapping {
  readonly searches?: boolean | undefined;
  readonly dataPolicy?: { readonly [A in keyof DataPolicy]?: DataPolicy[A] | undefined } | undefined;
}

export interface Facts extends Readonly<DataPolicy> {
  readonly legalEntity: string | null;
  readonly headquarters: string | null;
  /**
   * By what the provider would call somebody else: what the model does by itself, and then the tools of the request
   * that is judged, if there is one. Null when it cannot be known.
   */
  readonly remoteTools: readonly string[] | null;
  /** Attributes that are unknown because their evidence ran out, with the last day it was valid. */
  readonly expired: { readonly [A in Attribute]?: string };
  /** Epoch milliseconds at which the next of these facts expires; Infinity when none does. */
  readonly validUntil: number;
}

/** Stands among the remote tools for a model that searches by itself. */
export const SEARCHES = "searches";

const DAY_MS = 86_400_000;
const DATA_ATTRIBUTES = ["soc2", "iso27001", "gdpr", "trainsOnPrompts", "logsPrompts", "retentionDays"] as const;

/** The first millisecond after the UTC day `date` (YYYY-MM-DD). A date that cannot be read has always passed. */
export function endOfDay(date: string): number {
  const start = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(start) ? Number.NEGATIVE_INFINITY : start + DAY_MS;
}

/** A provider's own facts with the time they were resolved at; most of its models have no others. */
const resolved = new WeakMap<AssessedProvider, { readonly facts: Facts; readonly at: number }>();

/**
 * The facts that hold for a provider, or for one of its models when `mapping` is given, at `now` (epoch milliseconds).
 * A mapping's own value wins over the provider's, attribute by attribute.
 */
export function resolveFacts(provider: AssessedProvider, mapping: AssessedMapping | undefined, now: number): Facts {
  if (mapping?.dataPolicy || mapping?.searches !== undefined) return resolve(provider, mapping, now);
  const known = resolved.get(provider);
  if (known && known.at <= now && now < known.facts.validUntil) return known.facts;
  const facts = resolve(provider, {}, now);
  resolved.set(provider, { facts, at: now });
  return facts;
}

function resolve(provider: AssessedProvider, { dataPolicy = {}, searches }: AssessedMapping, now: number): Facts {
  const values: Record<string, unknown> = {};
  const expired: { [A in Attribute]?: string } = {};
  let validUntil = Number.POSITIVE_INFINITY;

  const publish = (attribute: Attribute, value: unknown) => {
    const lastDay = provider.evidence[attribute]?.validUntil;
    if (provider.aggregator) values[attribute] = null;
    else if (lastDay === undefined) values[attribute] = value ?? null;
    else if (now >= endOfDay(lastDay)) {
      values[attribute] = null;
      expired[attribute] = lastDay;
    } else {
      values[attribute] = value ?? null;
      validUntil = Math.min(validUntil, endOfDay(lastDay));
    }
  };

  for (const attribute of DATA_ATTRIBUTES) {
    const stated = dataPolicy[attribute];
    if (stated !== undefined) values[attribute] = stated;
    else publish(attribute, provider.dataPolicy[attribute]);
  }
  publish("legalEntity", provider.legalEntity);
  publish("headquarters", provider.headquarters);
  values.remoteTools = ownCalls(provider, searches);
  return { ...(values as unknown as Omit<Facts, "expired" | "validUntil">), expired, validUntil };
}

/** Whom a model calls by itself. An aggregator calls companies that it chooses, unless a mapping says otherwise. */
function ownCalls(provider: AssessedProvider, searches: boolean | undefined): Facts["remoteTools"] {
  if (provider.aggregator && searches === undefined) return null;
  return (searches ?? provider.searches) ? [SEARCHES] : [];
}
