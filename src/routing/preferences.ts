// What a request itself asks of routing, in OpenRouter's convention. It only ever narrows what the organization allows,
// and is never forwarded. Pure.
import * as z from "zod";

const MAX_FALLBACK_MODELS = 10;
const MAX_MODEL_LENGTH = 256;
const MAX_PROVIDERS_NAMED = 200;

/** One target: `model`, `provider/model` or `auto`. */
export const ModelName = z
  .string("must be a string")
  .min(1, "must not be empty")
  .max(MAX_MODEL_LENGTH, `must have at most ${MAX_MODEL_LENGTH} characters`);

export const FallbackModels = z
  .array(ModelName, "must be a list of models")
  .max(MAX_FALLBACK_MODELS, `must name at most ${MAX_FALLBACK_MODELS} models`);

const providerIds = z
  .array(z.string("must be provider ids"), "must be a list of provider ids")
  .max(MAX_PROVIDERS_NAMED, `must name at most ${MAX_PROVIDERS_NAMED} providers`)
  .optional();

/** USD per million tokens. */
const price = z.number("must be a number of USD per million tokens").nonnegative("must not be negative").optional();

export const Preferences = z.looseObject(
  {
    only: providerIds,
    ignore: providerIds,
    order: providerIds,
    allow_fallbacks: z.boolean("must be true or false").optional(),
    max_price: z.looseObject({ prompt: price, completion: price }, "must be an object").optional(),
    data_collection: z.enum(["allow", "deny"], 'must be "allow" or "deny"').optional(),
    zdr: z.boolean("must be true or false").optional(),
    sort: z.unknown().optional(),
  },
  "must be an object of provider preferences",
);
export type Preferences = z.infer<typeof Preferences>;

const HONOURED = new Set(["only", "ignore", "order", "allow_fallbacks", "max_price", "data_collection", "zdr", "sort"]);
const HONOURED_PRICES = new Set(["prompt", "completion"]);

/** What these preferences name that the gateway does not honour, for the `portcullis-ignored` header. */
export function ignoredPreferences(preferences: Preferences): string[] {
  const ignored = Object.keys(preferences).filter((name) => !HONOURED.has(name));
  if (preferences.sort !== undefined && preferences.sort !== "price") ignored.push("sort");
  for (const name of Object.keys(preferences.max_price ?? {}))
    if (!HONOURED_PRICES.has(name)) ignored.push(`max_price.${name}`);
  return ignored.map((name) => `provider.${name}`);
}

/** The requirements that the preferences add to the policy for this one request. */
export function addedRequirements({ data_collection, zdr }: Preferences): ("no_training" | "zero_retention")[] {
  return [...(data_collection === "deny" ? ["no_training" as const] : []), ...(zdr ? ["zero_retention" as const] : [])];
}

/** The providers that the client named: what compliance removes of them is always recorded. */
export function namedProviders({ only = [], order = [] }: Preferences): ReadonlySet<string> {
  return new Set([...only, ...order]);
}

interface Priced {
  readonly provider: { readonly id: string };
  readonly mapping: { readonly price: Price };
}

export interface Price {
  readonly input: number | null;
  readonly output: number | null;
  readonly free?: boolean | undefined;
}

/** Whether the client's own preferences leave this candidate. An unknown price is above any maximum. */
export function prefers(preferences: Preferences, { provider, mapping }: Priced): boolean {
  const { only, ignore, order, allow_fallbacks, max_price } = preferences;
  if (only && !only.includes(provider.id)) return false;
  if (ignore?.includes(provider.id)) return false;
  if (order && order.length > 0 && allow_fallbacks === false && !order.includes(provider.id)) return false;
  if (!max_price) return true;
  const { prompt, completion } = max_price;
  const { input, output } = knownPrice(mapping.price);
  return (prompt === undefined || input <= prompt) && (completion === undefined || output <= completion);
}

/** Prices to compare by; unknown is infinite, and so is zero unless it is said to be free. */
export function knownPrice({ input, output, free }: Price): { input: number; output: number } {
  const unknown = input === null || output === null || (input === 0 && output === 0 && free !== true);
  return unknown ? { input: Number.POSITIVE_INFINITY, output: Number.POSITIVE_INFINITY } : { input, output };
}
