// When a save needs a second word: it would leave the organization without any provider, or nobody can tell whether it
// would. A policy that is too strict leaks nothing, so this only keeps people from shutting themselves out unawares.
import type { StoredPolicy } from "../compliance/policy.ts";
import type { Preview } from "../compliance/preview.ts";

/** What a caller says, and a form sends, to save all the same. */
export const CONFIRM_NO_PROVIDERS = "no-providers";

/** `no_provider`: no model would keep one. `unknown`: the catalog, and so the preview, cannot be had. */
export type Doubt = "no_provider" | "unknown";

/**
 * Why saving `policy` takes a confirmation, by the summary of its own preview; null when it takes none. Pure. Models are
 * looked at, since a provider may pass as such and for no model, or the other way round.
 */
export function doubtOf(policy: StoredPolicy, summary: Preview["summary"] | null): Doubt | null {
  if (!policy.enabled) return null;
  if (summary === null) return "unknown";
  return summary.models.allowed === 0 ? "no_provider" : null;
}

/** The doubt in a sentence. */
export const DOUBTS: Record<Doubt, string> = {
  no_provider: "No model would keep a provider: every request would be refused.",
  unknown: "The catalog cannot be read right now, so nobody can say whether any provider would be left.",
};
