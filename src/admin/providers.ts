// The providers of a catalog: what is known of each, what that rests on and until when, and what the rules make of it.
// Pure.
import { API_IDS, type ApiId, type Provider } from "../catalog/schema.ts";
import { evaluate, type Verdict } from "../compliance/evaluate.ts";
import { type Attribute, type Facts, resolveFacts } from "../compliance/facts.ts";
import { ATTRIBUTE_LABELS } from "../compliance/words.ts";
import { type Judging, judge } from "./models.ts";

export const ATTRIBUTES = Object.keys(ATTRIBUTE_LABELS) as Attribute[];

export interface JudgedProvider {
  readonly provider: Provider;
  readonly facts: Facts;
  /** The verdict on the provider itself; a model's own facts and lists come on top. */
  readonly verdict: Verdict;
  /** Its models, and how many of them it may serve. */
  readonly models: { readonly allowed: number; readonly total: number };
  /** Its facts that have a last day, past or to come, the soonest first. */
  readonly expiring: readonly { readonly attribute: Attribute; readonly lastDay: string }[];
  /** Facts that are stated without a source. */
  readonly unsourced: readonly Attribute[];
}

export const PROVIDER_VIEWS = ["allowed", "blocked", "expiring", "unsourced"] as const;

export interface ProviderFilter {
  /** In the id, the name or the legal entity; case does not matter. */
  readonly q?: string | undefined;
  readonly show?: (typeof PROVIDER_VIEWS)[number] | undefined;
}

/** Every provider, judged. */
export function judgedProviders({ catalog, rules, now }: Judging): JudgedProvider[] {
  const models = new Map<string, { allowed: number; total: number }>();
  for (const candidate of [...catalog.candidates.values()].flat()) {
    const { id } = candidate.provider;
    const count = models.get(id) ?? { allowed: 0, total: 0 };
    count.total++;
    if (judge(candidate, { rules, now }).allowed) count.allowed++;
    models.set(id, count);
  }
  return [...catalog.providers.values()].map((provider) => ({
    provider,
    facts: resolveFacts(provider, undefined, now),
    verdict: evaluate(rules, { provider, now }),
    models: models.get(provider.id) ?? { allowed: 0, total: 0 },
    expiring: expiringFacts(provider),
    unsourced: ATTRIBUTES.filter((attribute) => stated(provider, attribute) !== null && !provider.evidence[attribute]),
  }));
}

/** The APIs that a provider has an endpoint for. */
export function apisOf({ apis }: Provider): ApiId[] {
  return API_IDS.filter((api) => apis[api] !== undefined);
}

/** What the catalog states of a provider itself, expired or not; null where it states nothing. */
function stated({ legalEntity, headquarters, searches, dataPolicy }: Provider, attribute: Attribute) {
  switch (attribute) {
    case "legalEntity":
      return legalEntity;
    case "headquarters":
      return headquarters;
    case "remoteTools":
      return searches ?? null;
    default:
      return dataPolicy[attribute];
  }
}

/** Whether a provider is among those asked for. */
export function matches(
  { q, show }: ProviderFilter,
  { provider, verdict, expiring, unsourced }: JudgedProvider,
): boolean {
  const { id, name, legalEntity } = provider;
  const wanted = q?.toLowerCase();
  if (wanted !== undefined && ![id, name, legalEntity ?? ""].some((text) => text.toLowerCase().includes(wanted)))
    return false;
  switch (show) {
    case "allowed":
      return verdict.allowed;
    case "blocked":
      return !verdict.allowed;
    case "expiring":
      return expiring.length > 0;
    case "unsourced":
      return unsourced.length > 0;
    case undefined:
      return true;
  }
}

/** The place of a provider in a list: by id; among those whose facts expire, the soonest first. */
export function orderKey({ provider, expiring }: JudgedProvider, { show }: ProviderFilter): string {
  return show === "expiring" ? `${expiring[0]?.lastDay} ${provider.id}` : provider.id;
}

function expiringFacts({ evidence }: Provider): JudgedProvider["expiring"] {
  return ATTRIBUTES.flatMap((attribute) => {
    const lastDay = evidence[attribute]?.validUntil;
    // Whom a model calls by itself is judged whatever the age of its evidence.
    return lastDay === undefined || attribute === "remoteTools" ? [] : [{ attribute, lastDay }];
  }).sort((a, b) => (a.lastDay < b.lastDay ? -1 : 1));
}
