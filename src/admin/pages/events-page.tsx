// Settings → Security events: a table that turns into cards on a phone, and a filter that is a plain form.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import type { Settings } from "../../env.ts";
import { isReadable, type ListedEvent, type SecurityEvent } from "../../store/event.ts";
import { repeatsInWords } from "../../store/event-repeats.ts";
import type { Member } from "../../store/members.ts";
import type { Retention } from "../../store/retention.ts";
import { EVENT_EXPORT_FORMATS } from "../api/events.ts";
import type { Health } from "../health.ts";
import type { Days } from "./days.ts";
import { Downloads } from "./downloads.tsx";
import { FAILURE_CODES, UNREADABLE } from "./event-words.ts";
import { Reason } from "./evidence.tsx";
import { FilterForm, SelectField, TextField } from "./filter-form.tsx";
import { addressOf } from "./filters.ts";
import { type Glance, GlancePanel } from "./glance.tsx";
import { HealthLine } from "./health-line.tsx";
import { document } from "./layout.tsx";
import { EVENTS_ADDRESS } from "./most-blocked.ts";
import { OutcomeTag } from "./outcome-tag.tsx";
import { Pager } from "./pager.tsx";
import { RETENTION_ADDRESS } from "./retention-page.tsx";
import { keptInWords } from "./retention-words.ts";
import { Time } from "./time.tsx";

export interface Filters extends Days {
  model?: string | undefined;
  provider?: string | undefined;
  requirement?: string | undefined;
  project?: string | undefined;
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
  events: readonly ListedEvent[];
  health: Health;
  glance: Glance;
  retention: Retention;
}

/** As many providers of an event as the list names. */
const SHOWN_PROVIDERS = 3;

export const EventsPage = (view: EventsView) => {
  const { member, settings, catalog, filters, before, older, events, health, glance, retention } = view;
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
            Every request that the policy blocked or rerouted, newest first. Prompts are never recorded.{" "}
            <a href={RETENTION_ADDRESS}>{keptInWords(retention)}</a>.
          </p>
        </div>
        <HealthLine health={health} />
        <GlancePanel glance={glance} current={{ ...filters }} />
        <Filter filters={filters} filtered={filtered} catalog={catalog} />
        {events.length === 0 ? (
          <p class="empty">
            {filtered || before ? (
              <>
                No {before ? "older " : ""}event matches. <a href={EVENTS_ADDRESS}>Show all events</a>
              </>
            ) : (
              "No request has been blocked yet."
            )}
          </p>
        ) : (
          <>
            <Table events={events} />
            <Downloads
              from={`/admin/api/orgs/${member.org}/events/export`}
              formats={EVENT_EXPORT_FORMATS}
              filters={{ ...filters }}
              filtered={filtered}
            />
          </>
        )}
        <Pager
          of="events"
          first={before ? { href: addressOf(EVENTS_ADDRESS, { ...filters }), label: "Newest" } : null}
          next={older ? { href: addressOf(EVENTS_ADDRESS, { ...filters, before: older }), label: "Older" } : null}
        />
      </>
    ),
  });
};

const Filter = ({ filters, filtered, catalog }: Pick<EventsView, "filters" | "catalog"> & { filtered: boolean }) => {
  const providers = [...(catalog?.providers.values() ?? [])].map(({ id, name }) => ({ value: id, label: name }));
  const models = [...(catalog?.models.keys() ?? [])].map((id) => ({ value: id }));
  const codes = FAILURE_CODES.map(({ code, label }) => ({ value: code, label }));
  return (
    <FilterForm action={EVENTS_ADDRESS} filtered={filtered} flow>
      <TextField name="model" label="Model" value={filters.model} options={models} />
      <TextField name="provider" label="Provider" value={filters.provider} options={providers} />
      <SelectField name="requirement" label="Requirement" value={filters.requirement} any="Any" options={codes} />
      <TextField name="project" label="Project" value={filters.project} />
      <TextField name="from" label="From day (UTC)" value={filters.from} type="date" />
      <TextField name="to" label="To day (UTC)" value={filters.to} type="date" />
    </FilterForm>
  );
};

const Table = ({ events }: { events: readonly ListedEvent[] }) => (
  <table class="listing events">
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
            <OutcomeTag event={event} />
            {isReadable(event) && event.repeats && <div class="repeats">{repeatsInWords(event)}</div>}
          </td>
          {isReadable(event) ? (
            <Blocked event={event} />
          ) : (
            <td data-label="Not allowed, and why" colspan={3}>
              {UNREADABLE}
            </td>
          )}
        </tr>
      ))}
    </tbody>
  </table>
);

const Blocked = ({ event }: { event: SecurityEvent }) => (
  <>
    <td data-label="Model">{event.model === null ? "none named" : <code>{event.model}</code>}</td>
    <td data-label="Not allowed, and why">
      <Reasons event={event} />
    </td>
    <td data-label="Project">{event.project ?? "unknown"}</td>
  </>
);

const Reasons = ({ event }: { event: SecurityEvent }) => {
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
