// Settings → Overview: what is enforced, what it lets through, what it has blocked, and who changed it last.

import { countryName } from "../../compliance/policy.ts";
import type { Preview } from "../../compliance/preview.ts";
import { requirementOf } from "../../compliance/requirements.ts";
import type { Settings } from "../../env.ts";
import { isReadable, type ListedEvent, type SecurityEvent } from "../../store/event.ts";
import { repeatsInWords } from "../../store/event-repeats.ts";
import type { Member } from "../../store/members.ts";
import type { Org } from "../../store/orgs.ts";
import type { Revision } from "../../store/revisions.ts";
import type { Health } from "../health.ts";
import { Amount, MostBlockedTables } from "./bars.tsx";
import type { BlockDay, BlockTally } from "./blocks.ts";
import { BlocksChart } from "./blocks-chart.tsx";
import { UNREADABLE } from "./event-words.ts";
import { HealthLine } from "./health-line.tsx";
import { document } from "./layout.tsx";
import type { MostBlocked } from "./most-blocked.ts";
import { OutcomeTag } from "./outcome-tag.tsx";
import { Outstanding } from "./outstanding.tsx";
import { RevisionAccount, RevisionReason } from "./revision-account.tsx";
import { Time } from "./time.tsx";

export interface OverviewView {
  member: Member;
  settings: Settings;
  org: Org;
  newest: Revision;
  /** Null while the catalog cannot be read. */
  summary: Preview["summary"] | null;
  /** The latest revisions, newest first. */
  changes: readonly Revision[];
  /** Null for somebody who may not see security events. */
  blocks: {
    recent: BlockTally;
    days: readonly BlockDay[];
    most: readonly MostBlocked[];
    latest: readonly ListedEvent[];
    health: Health;
  } | null;
}

/** As many entries of a list as the overview names. */
const SHOWN_NAMES = 4;

export const OverviewPage = ({ member, settings, org, newest, summary, changes, blocks }: OverviewView) =>
  document({
    title: "Overview",
    member,
    settings,
    current: "/settings/overview",
    wide: true,
    children: (
      <>
        <div class="heading">
          <h1>Overview</h1>
          <p class="sub">What is enforced for {member.org_name} now, and what came of it.</p>
        </div>
        <Outstanding org={org} revision={newest.record.revision} />
        {blocks && <HealthLine health={blocks.health} />}
        <div class="tiles">
          <PolicyTile newest={newest} org={org} />
          <ReachTile newest={newest} summary={summary} />
          {blocks && <BlocksTile {...blocks} />}
          <ChangesTile changes={changes} />
          {blocks && <LatestTile latest={blocks.latest} />}
        </div>
      </>
    ),
  });

const PolicyTile = ({ newest, org }: { newest: Revision; org: Org }) => {
  const { policy, revision } = newest.record;
  const asked = rulesInWords(newest);
  return (
    <section class="card" aria-labelledby="policy-title">
      <h2 id="policy-title">
        Policy <span class={`tag ${policy.enabled ? "allowed" : "warn"}`}>{policy.enabled ? "on" : "off"}</span>
      </h2>
      {!policy.enabled && <p>The policy is off: every provider passes.</p>}
      {asked.length === 0 ? (
        <p>
          {policy.enabled ? "It asks for nothing, so every provider passes." : "It asks for nothing yet."}{" "}
          <a href="/settings/compliance">Say what a provider must be</a>
        </p>
      ) : (
        <>
          <p>{policy.enabled ? "It asks for all of:" : "Once on, it asks for all of:"}</p>
          <ul class="prose">
            {asked.map((rule) => (
              <li>{rule}</li>
            ))}
          </ul>
        </>
      )}
      <p class="aside">
        Revision {revision}, saved by {newest.created_by}, <Time at={newest.created_at} />
        {org.published_revision >= revision ? "; the edge has it." : "; the edge does not have it yet."}
      </p>
      <p class="links">
        <a href="/settings/compliance">Compliance</a>
      </p>
    </section>
  );
};

/** What the policy asks for, a phrase for each rule. */
function rulesInWords({ record: { policy } }: Revision): string[] {
  const listed = (rule: string, ids: readonly string[]) => {
    if (ids.length === 0) return [];
    const hidden = ids.length - SHOWN_NAMES;
    return [`${rule}: ${ids.slice(0, SHOWN_NAMES).join(", ")}${hidden > 0 ? ` and ${hidden} more` : ""}`];
  };
  return [
    ...policy.requirements.map((id) => requirementOf(id)?.label ?? `${id}, which this version cannot check`),
    ...(policy.headquarters.length > 0
      ? [`Headquarters in ${policy.headquarters.map((code) => countryName(code) ?? code).join(" or ")}`]
      : []),
    ...listed("Only these providers", policy.providers.allow),
    ...listed("None of these providers", policy.providers.block),
    ...listed("Only these models", policy.models.allow),
    ...listed("None of these models", policy.models.block),
  ];
}

const ReachTile = ({ newest, summary }: Pick<OverviewView, "newest" | "summary">) => (
  <section class="card" aria-labelledby="reach-title">
    <h2 id="reach-title">Providers and models</h2>
    {summary === null ? (
      <p class="empty" role="status">
        The catalog of providers cannot be read right now, so they cannot be counted.
      </p>
    ) : (
      <>
        <Tally noun="providers" {...summary.providers} />
        <Tally noun="models" {...summary.models} />
        <p class="aside">
          A model counts as allowed when one provider of it is, by revision {newest.record.revision} and the catalog in
          force.
        </p>
      </>
    )}
  </section>
);

const Tally = ({ noun, allowed, blocked }: { noun: string; allowed: number; blocked: number }) => (
  <p class="tally-of">
    <span class="count allowed">
      <b>{allowed}</b> {noun} allowed
    </span>{" "}
    <span class="count blocked">
      <b>{blocked}</b> blocked
    </span>
  </p>
);

const BlocksTile = ({ recent, days, most }: NonNullable<OverviewView["blocks"]>) => (
  <section class="card across" aria-labelledby="blocks-heading">
    <h2 id="blocks-heading">Blocks</h2>
    <p class="tally-of">
      <span class="count">
        <b>
          <Amount of={recent.blocked} atLeast={recent.atLeast} />
        </b>{" "}
        in the last 24 hours
      </span>{" "}
      {recent.blocked > 0 && (
        <span class="number">
          {recent.refused} refused, {recent.rerouted} rerouted to an allowed provider
        </span>
      )}
    </p>
    {recent.unavailable > 0 && (
      <p class="unavailable">
        {recent.unavailable} more {recent.unavailable === 1 ? "was" : "were"} refused because the policy could not be
        read.
      </p>
    )}
    {days.every(({ blocked }) => blocked === 0) ? (
      <p class="empty">Nothing was blocked in the last {days.length} days.</p>
    ) : (
      <>
        <BlocksChart days={days} />
        <MostBlockedTables most={most} />
      </>
    )}
  </section>
);

const ChangesTile = ({ changes }: Pick<OverviewView, "changes">) => (
  <section class="card" aria-labelledby="changes-title">
    <h2 id="changes-title">Latest changes</h2>
    <ol class="latest">
      {changes.map((revision) => (
        <li>
          <p>
            <strong>Revision {revision.record.revision}.</strong> {revision.change}
          </p>
          <RevisionReason reason={revision.reason} />
          <RevisionAccount revision={revision} />
        </li>
      ))}
    </ol>
    <p class="links">
      <a href="/settings/compliance/history">Policy history</a>
    </p>
  </section>
);

const Asked = ({ event: { model, providers, ...event } }: { event: SecurityEvent }) => (
  <>
    {model === null ? "no model named" : <code>{model}</code>}
    {providers.length > 0 && <> at {providers.map(({ id }) => id).join(", ")}</>}
    {event.repeats && <span class="repeats">, {repeatsInWords(event)}</span>}
  </>
);

const LatestTile = ({ latest }: { latest: readonly ListedEvent[] }) => (
  <section class="card" aria-labelledby="latest-title">
    <h2 id="latest-title">Latest blocks</h2>
    {latest.length === 0 ? (
      <p class="empty">No request has been blocked yet.</p>
    ) : (
      <>
        <ol class="latest">
          {latest.map((event) => (
            <li>
              <p>
                <a href={`/settings/events/${event.id}`}>
                  <Time at={event.at} />
                </a>{" "}
                <OutcomeTag event={event} />
              </p>
              <p>{isReadable(event) ? <Asked event={event} /> : UNREADABLE}</p>
            </li>
          ))}
        </ol>
        <p class="links">
          <a href="/settings/events">Security events</a>
        </p>
      </>
    )}
  </section>
);
