// Settings → Compliance as a page: the policy on the left, what it would do on the right, the save bar below.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import type { Settings } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import type { Org } from "../../store/orgs.ts";
import type { Revision } from "../../store/revisions.ts";
import { doubtOf } from "../confirmation.ts";
import type { Draft } from "./draft.ts";
import { Exceptions } from "./exceptions.tsx";
import { Fragments } from "./fragments.tsx";
import { type ImpactOutcome, ImpactPanel } from "./impact-panel.tsx";
import { document, Notice } from "./layout.tsx";
import { Outstanding } from "./outstanding.tsx";
import { PolicyForm } from "./policy-form.tsx";
import { PostForm } from "./post-form.tsx";
import type { TypedReason } from "./reason.tsx";
import { SaveBar } from "./save-bar.tsx";
import { Time } from "./time.tsx";

/** Everything that the page shows. */
export interface ComplianceView {
  member: Member;
  settings: Settings;
  org: Org;
  catalog: CatalogIndex | null;
  newest: Revision;
  /** Revisions that others saved since the form was opened, newest first. */
  since: readonly Revision[];
  draft: Draft;
  outcome: ImpactOutcome;
  reason: TypedReason;
  /** Whether saving without any provider left was confirmed. */
  confirmed: boolean;
  /** What came of a save, where there was one. */
  message?: { kind: "good" | "warn" | "bad"; title: string; lines: readonly string[] } | undefined;
  now: number;
}

const FRESHNESS = "A change is usually in force everywhere within a minute; the platform promises no bound.";

export const CompliancePage = (view: ComplianceView) => {
  const { member, settings, org, catalog, newest, draft, message } = view;
  const readOnly = org.plan !== "enterprise";
  const { record, created_at, created_by } = newest;
  return document({
    title: "Compliance",
    member,
    settings,
    current: "/settings/compliance",
    wide: true,
    children: (
      <>
        <div class="heading">
          <h1>Compliance</h1>
          <p class="sub">
            What a provider must be before it receives a prompt of {member.org_name}. Revision {record.revision}, saved
            by {created_by}, <Time at={created_at} /> (<a href="/settings/compliance/history">history</a>). {FRESHNESS}
          </p>
        </div>
        {message && (
          <Notice kind={message.kind} title={message.title} role={message.kind === "good" ? "status" : "alert"}>
            {message.lines.map((line) => (
              <p>{line}</p>
            ))}
          </Notice>
        )}
        <Outstanding org={org} revision={record.revision} />
        {readOnly && <ReadOnly view={view} />}
        <div class={readOnly ? "split read-only" : "split"}>
          <PolicyForm draft={draft} inForce={record.policy} catalog={catalog} readOnly={readOnly} />
          <Panel {...view} />
        </div>
        {!readOnly && <Bar {...view} />}
      </>
    ),
  });
};

/** What a live preview replaces. */
export const PreviewFragments = ({ touched, ...view }: ComplianceView & { touched: ReadonlySet<string> }) => (
  <Fragments panel={<Panel {...view} />} bar={<Bar {...view} />} touched={touched}>
    {(list) => <Exceptions list={list} draft={view.draft} inForce={view.newest.record.policy} catalog={view.catalog} />}
  </Fragments>
);

const Panel = ({ outcome, draft, newest, now }: ComplianceView) => (
  <ImpactPanel outcome={outcome} enabled={draft.policy.enabled} revision={newest.record.revision} now={now} />
);

const Bar = ({ draft, newest, since, outcome, reason, confirmed }: ComplianceView) => (
  <SaveBar
    reason={reason}
    doubt={doubtOf(draft.policy, outcome.ok ? outcome.impact.summary : null)}
    confirmed={confirmed}
    base={draft.base}
    draft={draft.policy}
    newest={newest}
    since={since}
    tally={outcome.ok ? outcome.impact.summary.providers : null}
  />
);

const ReadOnly = ({ view: { member, org, newest } }: { view: ComplianceView }) => {
  const { revision, policy } = newest.record;
  return (
    <Notice kind="warn" title="The policy can be read here, not changed">
      <p>
        Editing it is part of the enterprise plan, and {member.org_name} is on the {org.plan} plan.{" "}
        {policy.enabled
          ? `The stored policy, revision ${revision}, stays enforced on every request.`
          : `The stored policy, revision ${revision}, is off.`}
      </p>
      {member.role === "owner" && policy.enabled && (
        <PostForm action="/settings/compliance/switch-off">
          <input type="hidden" name="base" value={revision} />
          <p>
            As an owner you may switch it off. Every provider then passes, and on this plan it cannot be switched on
            again.
          </p>
          <button type="submit" class="danger">
            Switch off
          </button>
        </PostForm>
      )}
    </Notice>
  );
};
