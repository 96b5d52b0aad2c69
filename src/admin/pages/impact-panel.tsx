// The right half of the compliance page: which providers a draft would allow and block, and why. Replaced as a whole
// when the draft changes; ids keep rows, and the reader's place in them, together.

import { EvidenceList, Reason } from "./evidence.tsx";
import type { Impact, ImpactRow } from "./impact.ts";
import { ORGANIZATION, type PolicyPlace } from "./policy-place.ts";

/** As many model ids as are shown without being asked for. */
const SHOWN_MODELS = 24;

export type ImpactOutcome = { ok: true; impact: Impact } | { ok: false; why: string };

export const ImpactPanel = ({
  outcome,
  enabled,
  revision,
  now,
  place = ORGANIZATION,
  children,
}: {
  outcome: ImpactOutcome;
  /** Whether the draft is switched on. */
  enabled: boolean;
  /** The revision in force, that changes are told against. */
  revision: number;
  now: number;
  place?: PolicyPlace;
  /** What is said before the rows. */
  children?: unknown;
}) => (
  <section id="impact" class="impact" aria-labelledby="impact-title">
    <div id="overview" class="overview">
      <h2 id="impact-title">Provider impact</h2>
      <p id="live-problem" class="field-error" role="alert" hidden />
      {outcome.ok && <Counts impact={outcome.impact} revision={revision} />}
    </div>
    {children}
    {outcome.ok ? (
      <Shown impact={outcome.impact} enabled={enabled} revision={revision} now={now} place={place} />
    ) : (
      <p class="empty" role="status">
        The impact cannot be shown: {outcome.why}.
      </p>
    )}
  </section>
);

const Shown = ({
  impact,
  enabled,
  revision,
  now,
  place,
}: {
  impact: Impact;
  enabled: boolean;
  revision: number;
  now: number;
  place: PolicyPlace;
}) => {
  const { summary, changed, blocked, allowed } = impact;
  return (
    <>
      {!enabled && (
        <p class="off">
          <strong>{place.off}</strong>{" "}
          {impact.onceOn &&
            `Switched on, these rules would block ${impact.onceOn.providersBlocked} providers and leave ${models(impact.onceOn.modelsBlocked)} without one.`}
        </p>
      )}
      <Unreachable {...impact.unreachable} />
      <Rows id="changed" title={`Changes against revision ${revision}`} rows={changed} impact={impact} now={now} />
      <Rows
        id="blocked"
        title={changed.length > 0 ? "Still blocked" : "Blocked"}
        rows={blocked}
        impact={impact}
        now={now}
      />
      <Rows
        id="allowed"
        title={changed.length > 0 ? "Still allowed" : "Allowed"}
        rows={allowed}
        impact={impact}
        now={now}
      />
      {summary.providers.allowed + summary.providers.blocked === 0 && (
        <p class="empty">The catalog lists no provider.</p>
      )}
    </>
  );
};

export const Counts = ({ impact, revision }: { impact: Impact; revision: number }) => {
  const { providers, models: ofModels } = impact.summary;
  const news = [
    impact.newlyBlocked > 0 && `${impact.newlyBlocked} newly blocked`,
    impact.newlyAllowed > 0 && `${impact.newlyAllowed} newly allowed`,
  ].filter((text) => text !== false);
  return (
    <div id="counts" class="counts" role="status" aria-live="polite" aria-atomic="true">
      <p>
        <span class="count allowed">
          <b>{providers.allowed}</b> allowed
        </span>{" "}
        <span class="count blocked">
          <b>{providers.blocked}</b> blocked
        </span>
      </p>
      <p>
        {news.length > 0 ? <strong>{news.join(", ")}</strong> : "Nothing changes"} against revision {revision}.{" "}
        {ofModels.allowed} of {models(ofModels.allowed + ofModels.blocked)} keep a provider.
      </p>
    </div>
  );
};

export const Unreachable = ({ newly, already }: Impact["unreachable"]) => (
  <>
    {newly.length > 0 && (
      <div id="newly-unreachable" class="notice warn">
        <p class="notice-title">{models(newly.length)} would be left with no provider</p>
        <ModelIds ids={newly.slice(0, SHOWN_MODELS)} />
        {newly.length > SHOWN_MODELS && (
          <details id="more-unreachable">
            <summary>{newly.length - SHOWN_MODELS} more</summary>
            <ModelIds ids={newly.slice(SHOWN_MODELS)} />
          </details>
        )}
      </div>
    )}
    {already.length > 0 && (
      <details id="already-unreachable" class="plain">
        <summary>
          {already.length} {newly.length > 0 && "more "}
          {already.length === 1 ? "model" : "models"} without a provider, as in the revision in force
        </summary>
        <ModelIds ids={already} />
      </details>
    )}
  </>
);

export const ModelIds = ({ ids }: { ids: readonly string[] }) => (
  <ul class="ids">
    {ids.map((id) => (
      <li>
        <code>{id}</code>
      </li>
    ))}
  </ul>
);

export const Rows = ({
  id,
  title,
  rows,
  impact,
  now,
}: {
  id: string;
  title: string;
  rows: readonly ImpactRow[];
  impact: Impact;
  now: number;
}) =>
  rows.length === 0 ? null : (
    <section id={`group-${id}`} aria-labelledby={`title-${id}`}>
      <h3 id={`title-${id}`}>
        {title} <span class="number">{rows.length}</span>
      </h3>
      <ul class="providers">
        {rows.map((row) => (
          <Row row={row} impact={impact} now={now} />
        ))}
      </ul>
    </section>
  );

const Row = ({ row, impact, now }: { row: ImpactRow; impact: Impact; now: number }) => {
  const { id, name, allowed, failures, change, provider } = row;
  return (
    <li id={`provider-${id}`} class="provider">
      <div class="line">
        {allowed ? <Mark kind="allowed" /> : <Mark kind="blocked" />}
        <span class="name">{name}</span> <code>{id}</code>
        {change === "newly_blocked" && <span class="tag blocked">newly blocked</span>}
        {change === "newly_allowed" && <span class="tag allowed">newly allowed</span>}
        {Object.keys(provider.apis).length === 0 && <span class="tag">cannot be routed to yet</span>}
        <span class="served">
          {row.models.allowed} of {models(row.models.total)}
        </span>
      </div>
      {!allowed && (
        <ul class="reasons">
          {failures.map((failure) => (
            <Reason failure={failure} />
          ))}
        </ul>
      )}
      {impact.deciding.length > 0 && (
        <details id={`evidence-${id}`}>
          <summary>
            Evidence<span class="unseen"> for {name}</span>
          </summary>
          <EvidenceList provider={provider} attributes={impact.deciding} now={now} />
        </details>
      )}
    </li>
  );
};

/** Allowed or blocked, never by colour alone. */
const Mark = ({ kind }: { kind: "allowed" | "blocked" }) => (
  <span class={`mark ${kind}`}>
    <span aria-hidden="true">{kind === "allowed" ? "✓" : "✕"}</span> {kind === "allowed" ? "Allowed" : "Blocked"}
  </span>
);

const models = (count: number) => `${count} model${count === 1 ? "" : "s"}`;
