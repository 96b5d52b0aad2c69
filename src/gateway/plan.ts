// From what a request asks for to the providers that may answer it, in the order they are tried. No I/O.
import type { Candidate, CatalogIndex } from "../catalog/lookup.ts";
import type { ApiId } from "../catalog/schema.ts";
import type { FailingVerdict, Verdict } from "../compliance/evaluate.ts";
import type { Evaluator } from "../compliance/evaluator.ts";
import type { Refusal } from "../errors.ts";
import { climb, type Judged, type Outcome } from "../routing/ladder.ts";
import { namedProviders, type Preferences, prefers } from "../routing/preferences.ts";
import { rank } from "../routing/rank.ts";
import { AUTO, resolveTarget } from "../routing/target.ts";
import type { Asked, Needs } from "./read-request.ts";
import type { Admitted } from "./upstream.ts";

/** How many admitted candidates one request tries at the most. */
const MAX_ATTEMPTS = 3;

/** The APIs that `auto` chooses on. A transcript is text too, but the model that writes it does not chat. */
const CHAT_APIS: ReadonlySet<ApiId> = new Set(["chat_completions", "responses", "messages", "completions"]);

export type Removed = Judged<Candidate, FailingVerdict>;

export interface Plan {
  readonly mode: "pinned" | "auto";
  /** The canonical id of the model asked for first, or `auto`. */
  readonly model: string;
  /** In the order they are tried; empty when the request is refused. */
  readonly admitted: readonly Admitted[];
  /** What the client named and compliance removed; all that compliance removed when that is why nothing is left. */
  readonly removed: readonly Removed[];
  readonly refused: "by_compliance" | Refusal | null;
}

/** What a plan is made of besides the request. */
export interface Situation {
  readonly catalog: CatalogIndex;
  readonly judge: Evaluator;
  readonly api: ApiId;
  /** The organization's ordered list for `auto`. */
  readonly auto: readonly string[];
  readonly hasCredentials: (candidate: Candidate) => boolean;
  readonly isHealthy: (candidate: Candidate) => boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** One target's way up the ladder. */
interface Climbed {
  readonly mode: Plan["mode"];
  readonly target: string;
  readonly model: string;
  /** Whether the client itself named it; the entries of `auto` it did not. */
  readonly named: boolean;
  readonly outcome:
    | Outcome<Candidate, Verdict>
    | { kind: "not_found"; why: string; removed: [] }
    | { kind: "none_fits"; removed: [] };
}

/** Plans a request. Each target climbs the ladder by itself; what reaches the top is tried in the client's order. */
export function planRequest({ targets, preferences, needs }: Asked, situation: Situation): Plan {
  const climbed: Climbed[] = [];
  const ranked: Admitted[] = [];
  for (const target of targets)
    if (target === AUTO) climbed.push(...climbAuto(preferences, needs(), situation));
    else climbed.push(climbTarget(target, preferences, situation, true));
  for (const { outcome } of climbed)
    if (outcome.kind === "admitted")
      ranked.push(...rank(outcome.admitted, { preferences, isHealthy: situation.isHealthy }));
  const admitted = ranked.slice(0, MAX_ATTEMPTS);
  const refused = admitted.length > 0 ? null : reasonOf(climbed, situation.api);
  const { mode = "auto", model = "" } = climbed[0] ?? {};
  return { mode, model, admitted, removed: recordedOf(climbed, preferences, refused), refused };
}

/** What compliance removed and goes on record. */
function recordedOf(climbed: readonly Climbed[], preferences: Preferences, refused: Plan["refused"]): Removed[] {
  const named = namedProviders(preferences);
  const recorded: Removed[] = [];
  for (const { named: byClient, outcome } of climbed) {
    const whole = refused === "by_compliance" || (byClient && outcome.kind === "blocked");
    for (const each of outcome.removed) if (whole || named.has(each.candidate.provider.id)) recorded.push(each);
  }
  return recorded;
}

function climbTarget(target: string, preferences: Preferences, situation: Situation, named: boolean): Climbed {
  const found = resolveTarget(target, situation.catalog);
  if (found.kind === "not_found")
    return { mode: "auto", target, model: target, named, outcome: { kind: "not_found", why: found.why, removed: [] } };
  const { mode, model } = found;
  return { mode, target, model, named, outcome: climbCandidates(found.candidates, preferences, situation) };
}

/** `auto`: the organization's list, else every model known to do text chat that fits the request, cheapest first. */
function climbAuto(preferences: Preferences, needs: Needs, situation: Situation): Climbed[] {
  if (situation.auto.length > 0)
    return situation.auto.map((entry) => climbTarget(entry, preferences, situation, false));
  const { catalog } = situation;
  const fitting = [...catalog.models.values()]
    .filter(({ output }) => output.length === 1 && output[0] === "text")
    .flatMap(({ id }) => catalog.candidates.get(id) ?? [])
    .filter((candidate) => fits(candidate, situation.api, needs));
  const outcome: Climbed["outcome"] =
    fitting.length > 0 ? climbCandidates(fitting, preferences, situation) : { kind: "none_fits", removed: [] };
  return [{ mode: "auto", target: AUTO, model: AUTO, named: true, outcome }];
}

function climbCandidates(candidates: readonly Candidate[], preferences: Preferences, situation: Situation) {
  const { judge, api, hasCredentials, now } = situation;
  return climb<Candidate, Verdict>(candidates, {
    prefers: (candidate) => prefers(preferences, candidate),
    judge: (candidate) => judge(candidate, now),
    api,
    hasCredentials,
    now,
  });
}

function fits({ mapping }: Candidate, api: ApiId, needs: Needs): boolean {
  if (!CHAT_APIS.has(api) || !mapping.apis.includes(api)) return false;
  if (needs.tools && mapping.tools !== true) return false;
  if (needs.vision && mapping.vision !== true) return false;
  if (needs.json && mapping.json !== true) return false;
  return mapping.context === undefined || mapping.context >= needs.context;
}

/** Compliance first: that a target was blocked is never hidden behind another's lesser reason. */
function reasonOf(climbed: readonly Climbed[], api: ApiId): Plan["refused"] {
  if (climbed.some(({ outcome }) => outcome.kind === "blocked")) return "by_compliance";
  const [first] = climbed;
  if (!first) return { code: "invalid_request", param: "model", why: "model is missing." };
  const { target: model, outcome } = first;
  switch (outcome.kind) {
    case "not_found":
      return { code: "model_not_found", model, why: `${JSON.stringify(model)} is not available: ${outcome.why}` };
    case "none_fits":
      return {
        code: "no_provider_matches",
        model,
        why: CHAT_APIS.has(api)
          ? "no model is known to fit what the request uses (tools, images, JSON, length)"
          : `it chooses among models of text chat, and ${api} is not one of its APIs; name a model`,
      };
    case "no_provider_matches":
      return { code: "no_provider_matches", model, why: "only, ignore, order and max_price leave none" };
    case "api_not_supported":
      return { code: "api_not_supported", model, api, speaks: outcome.speaks };
    case "model_retired":
      return { code: "model_retired", model, retired: outcome.retired };
    case "no_provider_available":
      return { code: "no_provider_available", model, providers: outcome.providers };
    case "blocked":
    case "admitted":
      return "by_compliance";
  }
}
