// Restoring a revision: what would change against the one in force, before anything does.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import type { Settings } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import type { Org } from "../../store/orgs.ts";
import type { Revision } from "../../store/revisions.ts";
import { changeInWords } from "../change-in-words.ts";
import { doubtOf } from "../confirmation.ts";
import { differenceBetween } from "../difference.ts";
import { Confirm } from "./confirm.tsx";
import { DifferenceTable } from "./difference-table.tsx";
import { unknownToday } from "./difference-words.ts";
import { Effect } from "./effect.tsx";
import type { ImpactOutcome } from "./impact-panel.tsx";
import { document, Notice } from "./layout.tsx";
import { PostForm } from "./post-form.tsx";
import { ReasonField, type TypedReason } from "./reason.tsx";
import { RevisionAccount, RevisionReason } from "./revision-account.tsx";

export interface RestoreView {
  member: Member;
  settings: Settings;
  org: Org;
  old: Revision;
  newest: Revision;
  catalog: CatalogIndex | null;
  /** What the old policy would do beside the newest. */
  outcome: ImpactOutcome;
  reason: TypedReason;
  confirmed: boolean;
  /** Why it was not restored, where that was asked for. */
  message?: { title: string; lines: readonly string[] };
  now: number;
}

const FORM = "restore";

export const RestorePage = (view: RestoreView) => {
  const { member, settings, org, old, newest, catalog, outcome, message, now } = view;
  const change = changeInWords(newest.record.policy, old.record.policy);
  const number = old.record.revision;
  const current = newest.record.revision;
  const restored = { ...newest.record, policy: old.record.policy };
  const unknown = unknownToday(old.record.policy, catalog);
  return document({
    title: `Restore revision ${number}`,
    member,
    settings,
    current: "/settings/compliance",
    children: (
      <>
        <p class="back">
          <a href="/settings/compliance/history">Policy history</a>
        </p>
        <div class="heading">
          <h1>Restore revision {number}</h1>
          <p class="sub">
            {change === "" ? `Its policy is that of revision ${current}, the newest.` : change} Only the policy comes
            back; the order of models for auto and what projects ask for stay as they are.
          </p>
        </div>
        {message && (
          <Notice kind="bad" title={message.title} role="alert">
            {message.lines.map((line) => (
              <p>{line}</p>
            ))}
          </Notice>
        )}
        {unknown.length > 0 && (
          <Notice kind="warn" title="It names what is not known today">
            <ul>
              {unknown.map((sentence) => (
                <li>{sentence}</li>
              ))}
            </ul>
          </Notice>
        )}
        <section class="card" aria-labelledby="fields">
          <h2 id="fields">What would change against revision {current}</h2>
          <RevisionAccount revision={old} />
          <RevisionReason reason={old.reason} />
          <DifferenceTable
            difference={differenceBetween(newest.record, restored)}
            before={`revision ${current}`}
            after={`revision ${number}`}
          />
        </section>
        <Effect outcome={outcome} against={current} now={now} />
        {org.plan === "enterprise" ? change !== "" && <RestoreForm {...view} /> : <PlanNotice org={org} />}
      </>
    ),
  });
};

const RestoreForm = ({ old, newest, outcome, reason, confirmed }: RestoreView) => {
  const number = old.record.revision;
  const doubt = doubtOf(old.record.policy, outcome.ok ? outcome.impact.summary : null);
  return (
    <PostForm id={FORM} action={`/settings/compliance/history/${number}/restore`} class="save-bar">
      <input type="hidden" name="base" value={newest.record.revision} />
      <div class="change">
        {outcome.ok && (
          <p>
            <a href="#effect-title">
              {outcome.impact.summary.providers.allowed} allowed, {outcome.impact.summary.providers.blocked} blocked
            </a>{" "}
            by it
          </p>
        )}
        {doubt && <Confirm doubt={doubt} ticked={confirmed} form={FORM} />}
      </div>
      <ReasonField typed={reason} form={FORM} />
      <div class="buttons">
        <a class="button quiet" href="/settings/compliance/history">
          Cancel
        </a>
        <button type="submit" class="primary">
          Restore it as revision {newest.record.revision + 1}
        </button>
      </div>
    </PostForm>
  );
};

const PlanNotice = ({ org }: { org: Org }) => (
  <Notice kind="warn" title="It can be looked at here, not restored">
    <p>
      Changing the policy is part of the enterprise plan, and {org.name} is on the {org.plan} plan.
    </p>
  </Notice>
);
