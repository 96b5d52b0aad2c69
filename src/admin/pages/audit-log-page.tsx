// Settings → Audit log: every administrative act in words, with its record; filtered, and to be taken along as a file.
import type { Settings } from "../../env.ts";
import type { AuditRow } from "../../store/audit-log.ts";
import type { Member } from "../../store/members.ts";
import { actInWords, actionLabel, fieldsOf } from "../act-in-words.ts";
import { EXPORT_FORMATS } from "../api/export.ts";
import { Downloads } from "./downloads.tsx";
import { FilterForm, SelectField, TextField } from "./filter-form.tsx";
import { addressOf } from "./filters.ts";
import { document } from "./layout.tsx";
import { Pager } from "./pager.tsx";
import { Time } from "./time.tsx";

export interface AuditFilters {
  actor?: string | undefined;
  action?: string | undefined;
  target?: string | undefined;
  /** Days in UTC, both included. */
  from?: string | undefined;
  to?: string | undefined;
}

export interface AuditLogView {
  member: Member;
  settings: Settings;
  filters: AuditFilters;
  /** The entry that this page continues after, when it is not the first. */
  before: string | undefined;
  /** The entry that the next page continues after. */
  older: string | undefined;
  acts: readonly AuditRow[];
  /** What the log has, to choose from. */
  actors: readonly string[];
  actions: readonly string[];
}

const ADDRESS = "/settings/audit-log";

export const AuditLogPage = ({ member, settings, filters, before, older, acts, actors, actions }: AuditLogView) => {
  const filtered = Object.values(filters).some((value) => value !== undefined);
  return document({
    title: "Audit log",
    member,
    settings,
    current: "/settings/audit-log",
    wide: true,
    children: (
      <>
        <div class="heading">
          <h1>Audit log</h1>
          <p class="sub">Every administrative act, newest first. Entries can be neither changed nor removed.</p>
        </div>
        <FilterForm action={ADDRESS} filtered={filtered} flow>
          <TextField name="actor" label="Who" value={filters.actor} options={actors.map((value) => ({ value }))} />
          <SelectField
            name="action"
            label="Act"
            value={filters.action}
            any="Any"
            options={actions.map((value) => ({ value, label: actionLabel(value) }))}
          />
          <TextField name="target" label="On what" value={filters.target} />
          <TextField name="from" label="From day (UTC)" value={filters.from} type="date" />
          <TextField name="to" label="To day (UTC)" value={filters.to} type="date" />
        </FilterForm>
        {acts.length === 0 ? (
          <p class="empty">
            No {before ? "older " : ""}entry matches. <a href={ADDRESS}>Show all entries</a>
          </p>
        ) : (
          <>
            <Table acts={acts} />
            <Downloads
              from={`/admin/api/orgs/${member.org}/audit-log/export`}
              formats={EXPORT_FORMATS}
              filters={{ ...filters }}
              filtered={filtered}
            />
          </>
        )}
        <Pager
          of="entries"
          first={before ? { href: addressOf(ADDRESS, { ...filters }), label: "Newest" } : null}
          next={older ? { href: addressOf(ADDRESS, { ...filters, before: older }), label: "Older" } : null}
        />
      </>
    ),
  });
};

const Table = ({ acts }: { acts: readonly AuditRow[] }) => (
  <table class="listing wraps acts">
    <thead>
      <tr>
        <th scope="col">Time</th>
        <th scope="col">Who</th>
        <th scope="col">What</th>
        <th scope="col">On what</th>
      </tr>
    </thead>
    <tbody>
      {acts.map((act) => (
        <tr id={act.id}>
          <td>
            <Time at={act.at} />
          </td>
          <td data-label="Who">{act.actor}</td>
          <td>
            <p>{actInWords(act)}</p>
            <Record act={act} />
          </td>
          <td data-label="On what">
            <code>{act.target}</code>
          </td>
        </tr>
      ))}
    </tbody>
  </table>
);

const Record = ({ act: { id, action, detail } }: { act: AuditRow }) => (
  <details>
    <summary>
      Record<span class="unseen"> of {id}</span>
    </summary>
    <dl class="act-record">
      {[{ path: "action", value: action }, ...fieldsOf(detail), { path: "entry", value: id }].map(({ path, value }) => (
        <div>
          <dt>{path}</dt>
          <dd>
            <code>{value}</code>
          </dd>
        </div>
      ))}
    </dl>
  </details>
);
