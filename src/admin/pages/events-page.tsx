// Settings → Security events: a table that turns into cards on a phone, and a filter that is a plain form.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import type { Settings } from "../../env.ts";
import type { SecurityEvent } from "../../store/event.ts";
import type { Member } from "../../store/members.ts";
import { FAILURE_CODES, outcomeInWords } from "./event-words.ts";
import { Reason } from "./evidence.tsx";
import { document } from "./layout.tsx";
import { Time } from "./time.tsx";

export interface Filters {
  model: string | undefined;
  provider: string | undefined;
  requirement: string | undefined;
  project: string | undefined;
}

export interface EventsView {
  member: Member;
  settings: Settings;
  catalog: CatalogIndex | null;
  filters: Filters;
  /** The event that this page continues after, when it is not the first. */
  before: string | undefined;
  /** The event that the next page continues after. */
  older: string | undefined;
  events: readonly SecurityEvent[];
}

/** As many providers of an event as the list names. */
const SHOWN_PROVIDERS = 3;

export const EventsPage = ({ member, settings, catalog, filters, before, older, events }: EventsView) => {
  const filtered = Object.values(filters).some((value) => value !== undefined);
  return document({
    title: "Security events",
    member,
    settings,
    current: "/settings/events",
    wide: true,
    children: (
      <>
        <div class="heading">
          <h1>Security events</h1>
          <p class="sub">
            Every request that the policy blocked or rerouted, newest first. Prompts are never recorded.
          </p>
        </div>
        <Filter filters={filters} filtered={filtered} catalog={catalog} />
        {events.length === 0 ? (
          <p class="empty">
            {filtered || before ? (
              <>
                No {before ? "older " : ""}event matches. <a href="/settings/events">Show all events</a>
              </>
            ) : (
              "No request has been blocked yet."
            )}
          </p>
        ) : (
          <Table events={events} />
        )}
        <nav class="pager" aria-label="Pages of events">
          {before && <a href={address(filters)}>Newest</a>}
          {older && (
            <a href={address(filters, older)} rel="next">
              Older
            </a>
          )}
        </nav>
      </>
    ),
  });
};

function address(filters: Filters, before?: string): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...filters, before })) if (value) query.set(name, value);
  return query.size > 0 ? `/settings/events?${query}` : "/settings/events";
}

const Filter = ({ filters, filtered, catalog }: Pick<EventsView, "filters" | "catalog"> & { filtered: boolean }) => {
  const unlisted = filters.requirement && !FAILURE_CODES.some(({ code }) => code === filters.requirement);
  return (
    <search>
      <form method="get" action="/settings/events" class="filter">
        <Field name="model" label="Model" value={filters.model} list="model-options" />
        <Field name="provider" label="Provider" value={filters.provider} list="provider-options" />
        <div class="field">
          <label for="filter-requirement">Requirement</label>
          <select id="filter-requirement" name="requirement">
            <option value="">Any</option>
            {FAILURE_CODES.map(({ code, label }) => (
              <option value={code} selected={filters.requirement === code}>
                {label}
              </option>
            ))}
            {unlisted && (
              <option value={filters.requirement} selected>
                {filters.requirement}
              </option>
            )}
          </select>
        </div>
        <Field name="project" label="Project" value={filters.project} />
        <div class="buttons">
          <button type="submit" class="secondary">
            Filter
          </button>
          {filtered && (
            <a class="button quiet" href="/settings/events">
              Clear
            </a>
          )}
        </div>
        <datalist id="provider-options">
          {[...(catalog?.providers.values() ?? [])].map(({ id, name }) => (
            <option value={id}>{name}</option>
          ))}
        </datalist>
        <datalist id="model-options">
          {[...(catalog?.models.keys() ?? [])].map((id) => (
            <option value={id} />
          ))}
        </datalist>
      </form>
    </search>
  );
};

const Field = ({
  name,
  label,
  value,
  list,
}: {
  name: string;
  label: string;
  value: string | undefined;
  list?: string;
}) => (
  <div class="field">
    <label for={`filter-${name}`}>{label}</label>
    <input
      type="text"
      id={`filter-${name}`}
      name={name}
      value={value ?? ""}
      list={list}
      autocomplete="off"
      spellcheck={false}
    />
  </div>
);

const Table = ({ events }: { events: readonly SecurityEvent[] }) => (
  <table class="events">
    <thead>
      <tr>
        <th scope="col">Time</th>
        <th scope="col">Outcome</th>
        <th scope="col">Model</th>
        <th scope="col">Not allowed, and why</th>
        <th scope="col">Project</th>
      </tr>
    </thead>
    <tbody>
      {events.map((event) => (
        <tr>
          <td data-label="Time">
            <a href={`/settings/events/${event.id}`}>
              <Time at={event.at} />
            </a>
          </td>
          <td data-label="Outcome">
            <span class={`tag ${event.outcome === "refused" ? "blocked" : "warn"}`}>{outcomeInWords(event)}</span>
          </td>
          <td data-label="Model">{event.model === null ? "none named" : <code>{event.model}</code>}</td>
          <td data-label="Not allowed, and why">
            <Blocked event={event} />
          </td>
          <td data-label="Project">{event.project ?? "unknown"}</td>
        </tr>
      ))}
    </tbody>
  </table>
);

const Blocked = ({ event }: { event: SecurityEvent }) => {
  const hidden = event.providers.length - SHOWN_PROVIDERS + (event.providers_omitted ?? 0);
  if (event.providers.length === 0) return <>{event.reason ?? ""}</>;
  return (
    <ul class="blocked-providers">
      {event.providers.slice(0, SHOWN_PROVIDERS).map(({ id, failures }) => (
        <li>
          <code>{id}</code>
          <ul class="reasons">
            {failures.map((failure) => (
              <Reason failure={failure} />
            ))}
          </ul>
        </li>
      ))}
      {hidden > 0 && <li class="more">and {hidden} more</li>}
    </ul>
  );
};
