// What a draft policy would do to a whole catalog, beside the rules in force. Pure; the same evaluator as the live path.
import { evaluate, type Failure, type Rules } from "./evaluate.ts";
import type { AssessedMapping, AssessedProvider } from "./facts.ts";

export interface PreviewedCatalog {
  readonly providers: Iterable<AssessedProvider & { readonly name: string }>;
  readonly models: Iterable<{
    readonly id: string;
    readonly providers: readonly (AssessedMapping & { readonly provider: string })[];
  }>;
}

export interface PreviewedFailure extends Failure {
  /** Whose policy it fails; only where a project's is composed with its organization's. */
  readonly from?: Source;
}
export type Source = "organization" | "project";

export type Change = "newly_blocked" | "newly_allowed" | null;

export interface ProviderPreview {
  id: string;
  name: string;
  allowed: boolean;
  failures: readonly PreviewedFailure[];
  change: Change;
}

export interface ModelPreview {
  id: string;
  allowed_providers: string[];
  blocked_providers: { id: string; failures: readonly PreviewedFailure[] }[];
  change: Change;
}

export interface Preview {
  summary: { providers: Count; models: Count };
  providers: ProviderPreview[];
  models: ModelPreview[];
}
interface Count {
  allowed: number;
  blocked: number;
}

/** Judges every provider and every model by `draft`, and says what changes against `inForce`. `now`: epoch ms. */
export function preview(
  { draft, inForce }: { draft: Rules; inForce: Rules },
  catalog: PreviewedCatalog,
  now: number,
): Preview {
  const providersById = new Map<string, AssessedProvider>();
  const providers: ProviderPreview[] = [];
  for (const provider of catalog.providers) {
    providersById.set(provider.id, provider);
    const { allowed, failures } = evaluate(draft, { provider, now });
    const before = evaluate(inForce, { provider, now }).allowed;
    providers.push({ id: provider.id, name: provider.name, allowed, failures, change: changeBetween(before, allowed) });
  }

  const models: ModelPreview[] = [];
  for (const { id, providers: mappings } of catalog.models) {
    const row: ModelPreview = { id, allowed_providers: [], blocked_providers: [], change: null };
    let allowedBefore = false;
    for (const mapping of mappings) {
      const provider = providersById.get(mapping.provider);
      if (!provider) continue;
      const assessed = { provider, model: { id, mapping }, now };
      const verdict = evaluate(draft, assessed);
      if (verdict.allowed) row.allowed_providers.push(provider.id);
      else row.blocked_providers.push({ id: provider.id, failures: verdict.failures });
      allowedBefore ||= evaluate(inForce, assessed).allowed;
    }
    row.change = changeBetween(allowedBefore, row.allowed_providers.length > 0);
    models.push(row);
  }

  return {
    summary: {
      providers: count(providers, ({ allowed }) => allowed),
      models: count(models, ({ allowed_providers }) => allowed_providers.length > 0),
    },
    providers,
    models,
  };
}

function changeBetween(before: boolean, after: boolean): Change {
  if (before === after) return null;
  return after ? "newly_allowed" : "newly_blocked";
}

function count<T>(rows: readonly T[], isAllowed: (row: T) => boolean): Count {
  const allowed = rows.filter(isAllowed).length;
  return { allowed, blocked: rows.length - allowed };
}
