// One set of rules, compiled: verdicts are remembered per mapping, so that a request costs look-ups, not judgements.
// Nothing depends on what is remembered: a forgotten or expired verdict is made anew. Pure but for its memory.
import { evaluate, type Rules, type Verdict } from "./evaluate.ts";
import type { AssessedMapping, AssessedProvider } from "./facts.ts";

export interface Candidate {
  readonly provider: AssessedProvider;
  readonly model: string;
  readonly mapping: AssessedMapping;
}

/** Judges a candidate at `now` (epoch milliseconds). */
export type Evaluator = (candidate: Candidate, now: number) => Verdict;

/**
 * An evaluator for `rules`, or for one request by them that would have providers call others by `remoteTools`. Its
 * memory goes with the catalog whose mappings it judged.
 */
export function createEvaluator(rules: Rules, remoteTools: readonly string[] = []): Evaluator {
  const remembered = new WeakMap<AssessedMapping, Verdict>();
  return ({ provider, model, mapping }, now) => {
    const known = remembered.get(mapping);
    if (known && now < known.validUntil && known.provider === provider.id && known.model === model) return known;
    const verdict = evaluate(rules, { provider, model: { id: model, mapping }, remoteTools, now });
    remembered.set(mapping, verdict);
    return verdict;
  };
}
