// Where each failure of a composed preview comes from. Nothing is judged here: two previews by the one evaluator are laid
// side by side, that of the organization's policy alone and that of both. Pure.
import type { Preview, PreviewedFailure } from "./preview.ts";

/** `composed` with the source of each failure: what the organization's policy alone finds is the organization's. */
export function withSources(composed: Preview, organization: Preview): Preview {
  const ofProviders = new Map(organization.providers.map(({ id, failures }) => [id, failures]));
  const ofModels = new Map(
    organization.models.map(({ id, blocked_providers }) => [
      id,
      new Map(blocked_providers.map(({ id: provider, failures }) => [provider, failures])),
    ]),
  );
  return {
    ...composed,
    providers: composed.providers.map((row) => ({
      ...row,
      failures: sourced(row.failures, ofProviders.get(row.id)),
    })),
    models: composed.models.map((row) => ({
      ...row,
      blocked_providers: row.blocked_providers.map(({ id, failures }) => ({
        id,
        failures: sourced(failures, ofModels.get(row.id)?.get(id)),
      })),
    })),
  };
}

function sourced(
  failures: readonly PreviewedFailure[],
  organizations: readonly PreviewedFailure[] = [],
): PreviewedFailure[] {
  return failures.map(({ code, found }) => {
    const isOrganizations = organizations.some((other) => other.code === code && other.found === found);
    return { code, found, from: isOrganizations ? "organization" : "project" };
  });
}
