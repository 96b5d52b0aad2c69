// The columns of security events as CSV. Pure.
import { foundInWords } from "../../compliance/words.ts";
import type { SecurityEvent } from "../../store/event.ts";
import type { Columns } from "./csv.ts";

export const EVENT_COLUMNS = {
  id: ({ id }) => id,
  at: ({ at }) => at,
  type: ({ type }) => type,
  outcome: ({ outcome }) => outcome,
  org: ({ org }) => org,
  project: ({ project }) => project,
  key_id: ({ key_id }) => key_id,
  request_id: ({ request_id }) => request_id,
  client_request_id: ({ client_request_id }) => client_request_id,
  api: ({ api }) => api,
  mode: ({ mode }) => mode,
  model: ({ model }) => model,
  providers: ({ providers }) => [...new Set(providers.map(({ id }) => id))].join(" "),
  failures: failuresInWords,
  reason: ({ reason }) => reason ?? null,
  policy_revision: ({ policy_revision }) => policy_revision,
  catalog_version: ({ catalog_version }) => catalog_version,
  colo: ({ colo }) => colo,
  country: ({ country }) => country,
} satisfies Columns<SecurityEvent>;

function failuresInWords({ providers, providers_omitted }: SecurityEvent): string {
  const each = providers.map(({ id, model, failures }) => {
    const reasons = failures.map((failure) => `${failure.code} (${foundInWords(failure)})`).join(", ");
    return `${id}${model === undefined ? "" : `/${model}`}: ${reasons}`;
  });
  if (providers_omitted) each.push(`and ${providers_omitted} more`);
  return each.join("; ");
}
