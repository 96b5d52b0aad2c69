// Models that would see the prompt besides the one the request is for: a tool can have one, and so can a member. They are
// the same provider's, and judged like its others. Pure.
import type { CatalogIndex } from "../catalog/lookup.ts";
import type { ApiId } from "../catalog/schema.ts";
import type { Failure, Verdict } from "../compliance/evaluate.ts";
import type { Candidate, Evaluator } from "../compliance/evaluator.ts";
import { isObject, type Json } from "./json-values.ts";
import { type JudgedName, looksOf } from "./judged-names.ts";
import { isHosted } from "./remote-tools.ts";
import { toolsOf } from "./tools.ts";

/**
 * Members that name models: https://developers.openai.com/api/reference/resources/chat (moderation),
 * https://console.groq.com/docs/compound/built-in-tools (compound_custom), https://docs.together.ai/docs/inference-models
 * (safety_model), https://docs.mistral.ai/capabilities/guardrailing (guardrails).
 */
const NAMING: readonly JudgedName[] = ["moderation", "compound_custom", "safety_model", "guardrails"];

/** Members that can bring tools, and by them models. */
const BRINGING: readonly JudgedName[] = ["tools", "messages", "input"];

/** All that can name a model besides `model` and `models`. */
export const MODELS_NAMED_IN: readonly JudgedName[] = [...NAMING, ...BRINGING];

/** More are told apart by nobody; a request that names more fails by that alone. */
const MAX_NAMED = 16;
const ONE_TOO_MANY = "";

/** The names, as the provider has them, of the models that these members of a request name; each once. */
export function otherModels(api: ApiId, members: Json): string[] {
  const found = new Set<string>();
  for (const tool of toolsOf(api, members)) if (isHosted(tool, api)) collect(tool, false, found);
  for (const name of NAMING) collect(members[name], namesModel(name), found);
  return found.size > MAX_NAMED ? [...[...found].slice(0, MAX_NAMED), ONE_TOO_MANY] : [...found];
}

/** An advisor's `model`, `reasoning_model`, `models`, `model_name`, … */
function namesModel(name: string): boolean {
  return /models?(name|id)?$/.test(looksOf(name));
}

/** What is inside is the schema of arguments, or is for somebody else. */
const NO_MODELS: ReadonlySet<string> = new Set(["function", "input_schema", "headers"]);

/** `isName`: whether the value stands under a name that says so; then all the text in it is taken for names. */
function collect(value: unknown, isName: boolean, found: Set<string>): void {
  if (found.size > MAX_NAMED) return;
  if (typeof value === "string") {
    if (isName) found.add(value);
  } else if (Array.isArray(value)) for (const each of value) collect(each, isName, found);
  else if (isObject(value))
    for (const [key, child] of Object.entries(value))
      if (!NO_MODELS.has(key)) collect(child, isName || namesModel(key), found);
}

/** `judge` for a request that names `models` besides its own: a candidate passes only if these do at its provider. */
export function judgingAlso(models: readonly string[], catalog: CatalogIndex, judge: Evaluator): Evaluator {
  const candidates = candidatesBy(models, catalog);
  const remembered = new Map<string, readonly Failure[]>();
  const failuresAt = (provider: string, now: number) => {
    const known = remembered.get(provider);
    if (known) return known;
    const failures = models.flatMap((name) =>
      failuresOf(name, candidates.get(`${provider} ${name}`) ?? [], judge, now),
    );
    remembered.set(provider, failures);
    return failures;
  };
  return (candidate, now) => {
    const verdict: Verdict = judge(candidate, now);
    const others = failuresAt(candidate.provider.id, now);
    if (others.length === 0) return verdict;
    const { provider, model, failures, validUntil } = verdict;
    const isNew = ({ code, found }: Failure) => !failures.some((each) => each.code === code && each.found === found);
    return { provider, model, allowed: false, failures: [...failures, ...others.filter(isNew)], validUntil };
  };
}

/** That the model is not allowed, and why; nothing when it is. What the catalog does not have was never judged. */
function failuresOf(name: string, candidates: readonly Candidate[], judge: Evaluator, now: number): Failure[] {
  const verdicts = candidates.map((each) => judge(each, now));
  if (verdicts.length > 0 && verdicts.every(({ allowed }) => allowed)) return [];
  return [{ code: "model_not_allowed", found: nameInWords(name) }, ...verdicts.flatMap(({ failures }) => failures)];
}

/** By provider and name: all that the provider could mean by it, its own name for a model or one of the catalog's. */
function candidatesBy(names: readonly string[], { candidates, aliases }: CatalogIndex): Map<string, Candidate[]> {
  const found = new Map<string, Candidate[]>();
  const asked = new Set(names);
  const meant = Map.groupBy(names, (name) => aliases.get(name) ?? name);
  for (const [model, served] of candidates)
    for (const candidate of served) {
      const own = candidate.mapping.model;
      for (const name of new Set([...(asked.has(own) ? [own] : []), ...(meant.get(model) ?? [])])) {
        const key = `${candidate.provider.id} ${name}`;
        found.set(key, [...(found.get(key) ?? []), candidate]);
      }
    }
  return found;
}

/** As the paper trail may keep it: it is the client's text, and not all text is a name. */
function nameInWords(name: string): string {
  return /^[\w.:/@-]{1,128}$/.test(name) ? name : "unknown model";
}
