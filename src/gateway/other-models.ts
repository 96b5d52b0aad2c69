// Models that would see the prompt besides the one the request is for: a tool can have one, and so can a member. They are
// the same provider's, and judged like its others. Pure.
import type { CatalogIndex } from "../catalog/lookup.ts";
import type { ApiId, Mapping } from "../catalog/schema.ts";
import type { Failure } from "../compliance/evaluate.ts";
import type { Evaluator } from "../compliance/evaluator.ts";
import { folded, type JudgedName } from "./judged-names.ts";
import { remoteIn } from "./remote-tools.ts";
import { type Json, toolsOf } from "./tools.ts";

/**
 * Members that name models: https://developers.openai.com/api/reference/resources/chat (moderation),
 * https://console.groq.com/docs/compound/built-in-tools (compound_custom).
 */
const NAMING: readonly JudgedName[] = ["moderation", "compound_custom"];

/** The members to look at; where models are listed also those that hold a prompt, since it can bring tools by itself. */
export function membersWithModels(isPromptRead: boolean): readonly JudgedName[] {
  return isPromptRead ? ALSO_IN_PROMPT : BESIDE_PROMPT;
}
const BESIDE_PROMPT: readonly JudgedName[] = ["tools", ...NAMING];
const ALSO_IN_PROMPT: readonly JudgedName[] = [...BESIDE_PROMPT, "messages", "input"];

/** The names, as the provider has them, of the models that these members of a request name; each once. */
export function otherModels(api: ApiId, members: Json): string[] {
  const found = new Set<string>();
  // What the caller runs itself is no model's: a name there belongs to the schema of its arguments.
  for (const tool of toolsOf(api, members)) if (remoteIn(tool, api).length > 0) collect(tool, "", found);
  for (const name of NAMING) collect(members[name], "", found);
  return [...found];
}

/** An advisor, an image's maker, `reasoning_model`, `models`, … */
const NAMES_MODEL = /(^|_)models?$/;

function collect(value: unknown, name: string, found: Set<string>): void {
  if (typeof value === "string") {
    if (NAMES_MODEL.test(folded(name))) found.add(value);
  } else if (Array.isArray(value)) for (const each of value) collect(each, name, found);
  else if (typeof value === "object" && value !== null)
    for (const [key, child] of Object.entries(value)) collect(child, key, found);
}

/** `judge` for a request that names `models` besides its own: a candidate passes only if these do at its provider. */
export function judgingAlso(models: readonly string[], catalog: CatalogIndex, judge: Evaluator): Evaluator {
  return (candidate, now) => {
    const verdict = judge(candidate, now);
    const { provider } = candidate;
    const passes = (name: string) => {
      const mappings = mappingsOf(catalog, provider.id, name);
      return mappings.length > 0 && mappings.every((each) => judge({ provider, ...each }, now).allowed);
    };
    const failures = models
      .filter((name) => !passes(name))
      .map((name): Failure => ({ code: "model_not_allowed", found: nameInWords(name) }));
    if (failures.length === 0) return verdict;
    const { model, validUntil } = verdict;
    return { provider: provider.id, model, allowed: false, failures: [...verdict.failures, ...failures], validUntil };
  };
}

/** Whatever of the catalog the provider calls by that name. */
function mappingsOf(catalog: CatalogIndex, provider: string, name: string): { model: string; mapping: Mapping }[] {
  return [...catalog.models.values()].flatMap(({ id, providers }) =>
    providers
      .filter((mapping) => mapping.provider === provider && mapping.model === name)
      .map((mapping) => ({ model: id, mapping })),
  );
}

/** As the paper trail may keep it: it is the client's text, and not all text is a name. */
function nameInWords(name: string): string {
  return /^[\w.:/@-]{1,128}$/.test(name) ? name : "unknown model";
}
