// The impact of a draft, from the same preview that the JSON API answers with. When the catalog cannot be read, the
// page still shows the policy, and says why there is no impact.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import type { StoredPolicy } from "../../compliance/policy.ts";
import type { OrgRecord } from "../../store/records.ts";
import { previewPolicy } from "../policy.ts";
import { previewProjectPolicy } from "../project-policy.ts";
import { arrange } from "./impact.ts";
import type { ImpactOutcome } from "./impact-panel.tsx";

const CATALOG_UNREADABLE = "the catalog of providers cannot be read right now";

/** What `draft` would do beside the revision in `record`. While it is off, also what it would do once on. */
export function impactOf(
  draft: StoredPolicy,
  { record, catalog, now }: { record: OrgRecord; catalog: CatalogIndex | null; now: number },
): ImpactOutcome {
  if (catalog === null) return { ok: false, why: CATALOG_UNREADABLE };
  const preview = previewPolicy(draft, { record, catalog, now });
  const onceOn = draft.enabled ? null : previewPolicy({ ...draft, enabled: true }, { record, catalog, now });
  return { ok: true, impact: arrange({ draft, preview, onceOn }, catalog) };
}

/** The same for a project's draft, composed with the organization's policy. */
export function projectImpactOf(
  draft: StoredPolicy,
  { record, project, catalog, now }: { record: OrgRecord; project: string; catalog: CatalogIndex | null; now: number },
): ImpactOutcome {
  if (catalog === null) return { ok: false, why: CATALOG_UNREADABLE };
  const previewed = (asked: StoredPolicy) => previewProjectPolicy(asked, { record, project, catalog, now });
  const onceOn = draft.enabled ? null : previewed({ ...draft, enabled: true });
  const deciding = record.policy.enabled ? [record.policy, draft] : [draft];
  const composed = {
    ...draft,
    requirements: deciding.flatMap(({ requirements }) => requirements),
    headquarters: deciding.flatMap(({ headquarters }) => headquarters),
  };
  return { ok: true, impact: arrange({ draft: composed, preview: previewed(draft), onceOn }, catalog) };
}
