// GET /v1/models: what the caller may use, judged by the same evaluator as requests. The list is readable by OpenAI's
// and by Anthropic's SDK.
import type { Candidate, CatalogIndex } from "../catalog/lookup.ts";
import type { Model } from "../catalog/schema.ts";
import type { Failure } from "../compliance/evaluate.ts";
import type { Evaluator } from "../compliance/evaluator.ts";
import { isLive } from "../routing/ladder.ts";

interface Offer {
  id: string;
  apis: readonly string[];
  /** Whether the provider still serves the model. */
  live: boolean;
  /** USD per million tokens. */
  price: { input: number | null; output: number | null };
  context: number | null;
}

export interface ListedModel {
  id: string;
  object: "model";
  type: "model";
  created: number;
  created_at: string;
  owned_by: string;
  display_name: string;
  allowed: boolean;
  /** Whether any provider that may serve it still does. */
  live: boolean;
  providers: Offer[];
  blocked_providers?: { id: string; failures: readonly Failure[] }[];
}

/** One model with the providers that may serve the caller; the others with their failures when `withBlocked`. */
export function listedModel(
  model: Model,
  { catalog, judge, withBlocked, now }: { catalog: CatalogIndex; judge: Evaluator; withBlocked: boolean; now: number },
): ListedModel {
  const allowed: Offer[] = [];
  const blocked: { id: string; failures: readonly Failure[] }[] = [];
  for (const candidate of catalog.candidates.get(model.id) ?? []) {
    const verdict = judge(candidate, now);
    if (verdict.allowed) allowed.push(offerOf(candidate, now));
    else blocked.push({ id: candidate.provider.id, failures: verdict.failures });
  }
  return {
    id: model.id,
    object: "model",
    type: "model",
    created: Date.parse(`${model.releasedAt}T00:00:00Z`) / 1000,
    created_at: `${model.releasedAt}T00:00:00Z`,
    owned_by: model.family,
    display_name: model.name,
    allowed: allowed.length > 0,
    live: allowed.some(({ live }) => live),
    providers: allowed,
    ...(withBlocked && { blocked_providers: blocked }),
  };
}

function offerOf({ provider, mapping }: Candidate, now: number): Offer {
  const { apis, price, context = null } = mapping;
  return {
    id: provider.id,
    apis,
    live: isLive({ mapping }, now),
    price: { input: price.input, output: price.output },
    context,
  };
}
