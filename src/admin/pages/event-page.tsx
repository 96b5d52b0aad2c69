// One security event: what happened, why, what the catalog rests on, and what somebody could do about it.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import type { Settings } from "../../env.ts";
import type { SecurityEvent, UnreadableEvent } from "../../store/event.ts";
import { repeatsInWords } from "../../store/event-repeats.ts";
import type { Member } from "../../store/members.ts";
import type { OrgRecord } from "../../store/records.ts";
import { Remedy } from "./event-remedy.tsx";
import { eventInWords, factsBehind, outcomeInWords, UNREADABLE } from "./event-words.ts";
import { EvidenceList, Reason } from "./evidence.tsx";
import { FactList } from "./fact-list.tsx";
import { document } from "./layout.tsx";
import { Time } from "./time.tsx";

export interface EventView {
  member: Member;
  settings: Settings;
  event: SecurityEvent;
  catalog: CatalogIndex | null;
  /** What is enforced for the organization now. */
  record: OrgRecord | null;
  now: number;
}

export const EventPage = (view: EventView) => {
  const { member, settings, event } = view;
  const repeats = repeatsInWords(event);
  return document({
    title: `${outcomeInWords(event)} ${event.model ?? ""}`.trim(),
    member,
    settings,
    current: "/settings/events",
    children: (
      <>
        <p class="back">
          <a href="/settings/events">Security events</a>
        </p>
        <div class="heading">
          <h1>
            {outcomeInWords(event)}
            {event.model !== null && (
              <>
                : <code>{event.model}</code>
              </>
            )}
          </h1>
          <p class="sub">
            <Time at={event.at} />. {eventInWords(event)}
          </p>
          {repeats && (
            <p class="sub">
              It counts {repeats}, of the same API key: beyond a number a minute, blocks are not recorded one by one.
              What follows is about the first of them.
            </p>
          )}
        </div>
        {event.type === "compliance.blocked" ? <Why {...view} /> : <Unavailable event={event} />}
        <Record event={event} />
      </>
    ),
  });
};

/** In place of its page, for an event that this build cannot read. */
export const UnreadableEventPage = ({
  member,
  settings,
  event,
}: Pick<EventView, "member" | "settings"> & { event: UnreadableEvent }) =>
  document({
    title: "Unreadable event",
    member,
    settings,
    current: "/settings/events",
    children: (
      <>
        <p class="back">
          <a href="/settings/events">Security events</a>
        </p>
        <div class="heading">
          <h1>
            Unreadable: <code>{event.id}</code>
          </h1>
          <p class="sub">
            <Time at={event.at} />. {UNREADABLE}
          </p>
        </div>
      </>
    ),
  });

const Why = (view: EventView) => {
  const { event, catalog, now } = view;
  return (
    <>
      <section class="card" aria-labelledby="why">
        <h2 id="why">Why</h2>
        {catalog === null && <p class="empty">The catalog cannot be read right now, so the evidence is not shown.</p>}
        {catalog && catalog.version !== event.catalog_version && (
          <p class="aside">
            The reasons are as they were recorded, under catalog {event.catalog_version}. The evidence is that of
            catalog {catalog.version}, which is in force now.
          </p>
        )}
        <ul class="providers">
          {event.providers.map((blocked) => (
            <Provider blocked={blocked} event={event} catalog={catalog} now={now} />
          ))}
        </ul>
        {event.providers_omitted !== undefined && (
          <p class="aside">{event.providers_omitted} more were left out of the record to keep it small.</p>
        )}
      </section>
      <Remedy {...view} />
    </>
  );
};

const Provider = ({
  blocked: { id, model, failures },
  event,
  catalog,
  now,
}: {
  blocked: SecurityEvent["providers"][number];
  event: SecurityEvent;
  catalog: CatalogIndex | null;
  now: number;
}) => {
  const provider = catalog?.providers.get(id);
  const named = model ?? event.model ?? "";
  const mapping = catalog?.candidates.get(named)?.find((candidate) => candidate.provider.id === id)?.mapping;
  const attributes = factsBehind(failures);
  return (
    <li class="provider">
      <div class="line">
        <span class="name">{provider?.name ?? id}</span> <code>{id}</code>
        {model && (
          <span class="served">
            for <code>{model}</code>
          </span>
        )}
      </div>
      <ul class="reasons">
        {failures.map((failure) => (
          <Reason failure={failure} />
        ))}
      </ul>
      {provider && attributes.length > 0 && (
        <EvidenceList provider={provider} mapping={mapping} attributes={attributes} now={now} />
      )}
      {catalog && !provider && <p class="aside">No longer in the catalog.</p>}
    </li>
  );
};

const Unavailable = ({ event }: { event: SecurityEvent }) => (
  <section class="card" aria-labelledby="why">
    <h2 id="why">Why</h2>
    <p>
      The gateway could not be certain what the policy says, so it refused:{" "}
      {event.reason ?? "the reason was not recorded"}.
    </p>
    <h2>What to do</h2>
    <p>
      Requests may be tried again; nothing was sent. If this goes on, tell whoever operates this gateway and name the
      event.
    </p>
  </section>
);

const Record = ({ event }: { event: SecurityEvent }) => {
  const rows: [string, string | number | null][] = [
    ["Event", event.id],
    ["Request", event.request_id],
    ["Client's request id", event.client_request_id],
    ["Project", event.project],
    ["API key", event.key_id],
    ["API", event.api],
    ["Mode", event.mode],
    ["Policy revision", event.policy_revision],
    ["Catalog", event.catalog_version],
    ["Edge location", event.colo],
    ["Country of the caller", event.country],
  ];
  return (
    <section class="card" aria-labelledby="record">
      <h2 id="record">Record</h2>
      <FactList facts={rows.flatMap(([label, value]) => (value === null ? [] : [[label, <code>{value}</code>]]))} />
    </section>
  );
};
