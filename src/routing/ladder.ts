// From the candidates of a target to those that may serve it, or the one reason why none may. Compliance is judged
// before anything that a client could learn or steer by: API, retirement, credentials. Pure.
import type { Price } from "./preferences.ts";

export interface Routable {
  readonly provider: { readonly id: string };
  readonly mapping: {
    readonly apis: readonly string[];
    readonly price: Price;
    readonly deactivatedAt?: string | undefined;
  };
}

/** A candidate with its verdict; `V` is a union of a passing and a failing verdict. */
export interface Judged<C, V> {
  readonly candidate: C;
  readonly verdict: V;
}
type Passing<V> = Extract<V, { readonly allowed: true }>;
type Failing<V> = Extract<V, { readonly allowed: false }>;

export interface Tests<C, V> {
  readonly prefers: (candidate: C) => boolean;
  readonly judge: (candidate: C) => V;
  readonly api: string;
  readonly hasCredentials: (candidate: C) => boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Where the climb ended. `removed` is what compliance took away on the way, whatever the end. */
export type Outcome<C, V> = { readonly removed: readonly Judged<C, Failing<V>>[] } & (
  | { readonly kind: "admitted"; readonly admitted: readonly Judged<C, Passing<V>>[] }
  | { readonly kind: "blocked" }
  | { readonly kind: "no_provider_matches" }
  | { readonly kind: "api_not_supported"; readonly speaks: readonly string[] }
  | { readonly kind: "model_retired"; readonly retired: readonly string[] }
  | { readonly kind: "no_provider_available"; readonly providers: readonly string[] }
);

/**
 * The ladder, first that applies: preferences leave none; none passes the policy; none speaks the API; none is live;
 * no passing one speaks it and is live; no passing one has credentials.
 */
export function climb<C extends Routable, V extends { readonly allowed: boolean }>(
  candidates: readonly C[],
  { prefers, judge, api, hasCredentials, now }: Tests<C, V>,
): Outcome<C, V> {
  const preferred = candidates.filter(prefers);
  if (preferred.length === 0) return { kind: "no_provider_matches", removed: [] };

  const passing: Judged<C, Passing<V>>[] = [];
  const removed: Judged<C, Failing<V>>[] = [];
  for (const candidate of preferred) {
    const verdict = judge(candidate);
    if (verdict.allowed === true) passing.push({ candidate, verdict: verdict as Passing<V> });
    else removed.push({ candidate, verdict: verdict as Failing<V> });
  }
  if (passing.length === 0) return { kind: "blocked", removed };

  const speaks = (candidate: C) => candidate.mapping.apis.includes(api);
  const serving = passing.filter(({ candidate }) => speaks(candidate) && isLive(candidate, now));
  if (serving.length === 0) {
    const speaking = preferred.filter(speaks);
    if (speaking.length === 0)
      return { kind: "api_not_supported", speaks: distinct(preferred.flatMap(({ mapping }) => mapping.apis)), removed };
    if (!speaking.some((candidate) => isLive(candidate, now)))
      return { kind: "model_retired", retired: speaking.map(({ provider }) => provider.id), removed };
    return { kind: "blocked", removed };
  }
  const admitted = serving.filter(({ candidate }) => hasCredentials(candidate));
  if (admitted.length > 0) return { kind: "admitted", admitted, removed };
  const providers = distinct(serving.map(({ candidate }) => candidate.provider.id));
  return { kind: "no_provider_available", providers, removed };
}

/** Whether the provider still serves the model: until the start (UTC) of the day it deactivates it. */
export function isLive({ mapping }: Pick<Routable, "mapping">, now: number): boolean {
  return mapping.deactivatedAt === undefined || now < Date.parse(`${mapping.deactivatedAt}T00:00:00Z`);
}

function distinct(items: readonly string[]): string[] {
  return [...new Set(items)];
}
