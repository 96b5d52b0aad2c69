// What a draft policy would do, arranged for reading: what changes first, then what is blocked, then what is allowed.
// Pure.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import type { Provider } from "../../catalog/schema.ts";
import type { Attribute } from "../../compliance/facts.ts";
import type { StoredPolicy } from "../../compliance/policy.ts";
import type { Preview, ProviderPreview } from "../../compliance/preview.ts";
import { requirementOf } from "../../compliance/requirements.ts";

export interface ImpactRow extends ProviderPreview {
  readonly provider: Provider;
  /** Its mappings of models, judged one by one: some carry facts of their own. */
  readonly models: { readonly allowed: number; readonly total: number };
}

export interface Impact {
  readonly summary: Preview["summary"];
  readonly newlyBlocked: number;
  readonly newlyAllowed: number;
  readonly changed: readonly ImpactRow[];
  readonly blocked: readonly ImpactRow[];
  readonly allowed: readonly ImpactRow[];
  /** Models without an allowed provider: because of this draft, and before it too. */
  readonly unreachable: { readonly newly: readonly string[]; readonly already: readonly string[] };
  /** Models that get an allowed provider by this draft, and had none before. */
  readonly regained: readonly string[];
  /** The facts that decide under this draft; evidence is shown for these. */
  readonly deciding: readonly Attribute[];
  /** What the same rules would do once switched on, while they are off. */
  readonly onceOn: { readonly providersBlocked: number; readonly modelsBlocked: number } | null;
}

/** Arranges a preview of `draft`. `onceOn` is a preview of the same draft, switched on. */
export function arrange(
  { draft, preview, onceOn }: { draft: StoredPolicy; preview: Preview; onceOn: Preview | null },
  catalog: CatalogIndex,
): Impact {
  const rows = providerRows(preview, catalog);
  const unchanged = rows.filter(({ change }) => change === null);
  const unreachable = preview.models.filter(({ allowed_providers }) => allowed_providers.length === 0);
  return {
    summary: preview.summary,
    newlyBlocked: rows.filter(({ change }) => change === "newly_blocked").length,
    newlyAllowed: rows.filter(({ change }) => change === "newly_allowed").length,
    changed: rows.filter(({ change }) => change !== null).sort((a, b) => Number(a.allowed) - Number(b.allowed)),
    blocked: unchanged.filter(({ allowed }) => !allowed),
    allowed: unchanged.filter(({ allowed }) => allowed),
    unreachable: {
      newly: unreachable.filter(({ change }) => change === "newly_blocked").map(({ id }) => id),
      already: unreachable.filter(({ change }) => change === null).map(({ id }) => id),
    },
    regained: preview.models.filter(({ change }) => change === "newly_allowed").map(({ id }) => id),
    deciding: decidingAttributes(draft),
    onceOn: onceOn && {
      providersBlocked: onceOn.summary.providers.blocked,
      modelsBlocked: onceOn.summary.models.blocked,
    },
  };
}

function providerRows(preview: Preview, catalog: CatalogIndex): ImpactRow[] {
  const models = new Map<string, { allowed: number; total: number }>();
  const tally = (id: string, allowed: boolean) => {
    const count = models.get(id) ?? { allowed: 0, total: 0 };
    models.set(id, { allowed: count.allowed + Number(allowed), total: count.total + 1 });
  };
  for (const { allowed_providers, blocked_providers } of preview.models) {
    for (const id of allowed_providers) tally(id, true);
    for (const { id } of blocked_providers) tally(id, false);
  }
  return preview.providers
    .flatMap((row) => {
      const provider = catalog.providers.get(row.id);
      return provider ? [{ ...row, provider, models: models.get(row.id) ?? { allowed: 0, total: 0 } }] : [];
    })
    .sort((a, b) => a.name.localeCompare(b.name, "en"));
}

/** The facts that a policy looks at, each once, in the registry's order of its requirements. */
function decidingAttributes({ requirements, headquarters }: StoredPolicy): Attribute[] {
  const read = requirements.flatMap((id) => [...(requirementOf(id)?.reads ?? [])]);
  if (headquarters.length > 0) read.push("headquarters");
  return [...new Set(read)];
}
