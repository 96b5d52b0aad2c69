// The columns of security events as CSV. Pure.
import { isReadable, type ListedEvent, type SecurityEvent } from "../../store/event.ts";
import { failuresInWords } from "../../store/failures-in-words.ts";
import type { Columns } from "./csv.ts";

const OF_READABLE = {
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
  /** How many blocks it stands for at the least, where it folds repeats. */
  at_least: ({ repeats }) => repeats?.at_least ?? null,
  policy_revision: ({ policy_revision }) => policy_revision,
  catalog_version: ({ catalog_version }) => catalog_version,
  colo: ({ colo }) => colo,
  country: ({ country }) => country,
} satisfies Columns<SecurityEvent>;

export const EVENT_COLUMNS: Columns<ListedEvent> = {
  id: ({ id }) => id,
  at: ({ at }) => at,
  type: (event) => (isReadable(event) ? event.type : "unreadable"),
  ...Object.fromEntries(
    Object.entries<Columns<SecurityEvent>[string]>(OF_READABLE).map(([name, column]) => [
      name,
      (event: ListedEvent) => (isReadable(event) ? column(event) : null),
    ]),
  ),
};
