// The models of a catalog with every provider's verdict: what somebody may call, and why not the rest. By the evaluator
// of the live path. Pure.
import type { Candidate, CatalogIndex } from "../catalog/lookup.ts";
import type { Mapping, Model } from "../catalog/schema.ts";
import { evaluate, type Rules, type Verdict } from "../compliance/evaluate.ts";
import { isLive } from "../routing/ladder.ts";

/** A provider's way to serve a model, judged. */
export interface Offer {
  readonly candidate: Candidate;
  readonly verdict: Verdict;
  /** Whether the provider still serves the model. */
  readonly live: boolean;
}

export interface JudgedModel {
  readonly model: Model;
  readonly offers: readonly Offer[];
  /** Whether the rules let any provider serve it. */
  readonly allowed: boolean;
  /** Whether any provider that may serve it still does; of a blocked model, whether any provider does. */
  readonly live: boolean;
}

export interface ModelFilter {
  /** In the id, the name, an alias or the family; case does not matter. */
  readonly q?: string | undefined;
  readonly provider?: string | undefined;
  readonly api?: Mapping["apis"][number] | undefined;
  /** Only with a provider that the rules let pass. */
  readonly allowed?: boolean | undefined;
  /** Only with a provider that still serves it. */
  readonly live?: boolean | undefined;
}

/** What is judged, by what, and when. */
export interface Judging {
  readonly catalog: CatalogIndex;
  readonly rules: Rules;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * The models that match. The filters about providers are about one and the same: with a provider, an API and `allowed`,
 * what that provider may serve through that API. Only what a filter asks for is judged.
 */
export function matchingModels(
  { q, provider, api, allowed, live }: ModelFilter,
  { catalog, rules, now }: Judging,
): Model[] {
  const wanted = q?.toLowerCase();
  const named = ({ id, name, family, aliases = [] }: Model) =>
    wanted === undefined || [id, name, family, ...aliases].some((text) => text.toLowerCase().includes(wanted));
  const offered = (candidate: Candidate) =>
    (provider === undefined || candidate.provider.id === provider) &&
    (api === undefined || candidate.mapping.apis.includes(api)) &&
    (!live || isLive(candidate, now)) &&
    (!allowed || judge(candidate, { rules, now }).allowed);
  const asksOffers = provider !== undefined || api !== undefined || allowed || live;
  return [...catalog.models.values()].filter(
    (model) => named(model) && (!asksOffers || (catalog.candidates.get(model.id) ?? []).some(offered)),
  );
}

/** A model with the verdict on each of its providers. */
export function judgedModel(model: Model, { catalog, rules, now }: Judging): JudgedModel {
  const offers = (catalog.candidates.get(model.id) ?? []).map((candidate) => ({
    candidate,
    verdict: judge(candidate, { rules, now }),
    live: isLive(candidate, now),
  }));
  const passing = offers.filter(({ verdict }) => verdict.allowed);
  const allowed = passing.length > 0;
  return { model, offers, allowed, live: (allowed ? passing : offers).some(({ live }) => live) };
}

/** The verdict on a provider for one of its models. */
export function judge(
  { provider, model, mapping }: Candidate,
  { rules, now }: Pick<Judging, "rules" | "now">,
): Verdict {
  return evaluate(rules, { provider, model: { id: model, mapping }, now });
}
