// Two revisions beside each other: in words, field by field, and in what they mean by today's catalog.
import type { Settings } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import type { Revision } from "../../store/revisions.ts";
import { changeInWords } from "../change-in-words.ts";
import { differenceBetween } from "../difference.ts";
import { DifferenceTable } from "./difference-table.tsx";
import { Effect } from "./effect.tsx";
import type { ImpactOutcome } from "./impact-panel.tsx";
import { document } from "./layout.tsx";
import { RevisionAccount, RevisionReason } from "./revision-account.tsx";

export interface CompareView {
  member: Member;
  settings: Settings;
  from: Revision;
  to: Revision;
  /** The number of the newest revision. */
  newest: number;
  outcome: ImpactOutcome;
  now: number;
}

export const ComparePage = ({ member, settings, from, to, newest, outcome, now }: CompareView) => {
  const change = changeInWords(from.record.policy, to.record.policy);
  return document({
    title: `Revision ${from.record.revision} to ${to.record.revision}`,
    member,
    settings,
    current: "/settings/compliance",
    children: (
      <>
        <p class="back">
          <a href="/settings/compliance/history">Policy history</a>
        </p>
        <div class="heading">
          <h1>
            From revision {from.record.revision} to {to.record.revision}
          </h1>
          <p class="sub">{change === "" ? "The policy is the same in both." : change}</p>
        </div>
        <Choice from={from.record.revision} to={to.record.revision} newest={newest} />
        <div class="pair">
          <Side revision={from} />
          <Side revision={to} />
        </div>
        <section class="card" aria-labelledby="fields">
          <h2 id="fields">Field by field</h2>
          <DifferenceTable
            difference={differenceBetween(from.record, to.record)}
            before={`revision ${from.record.revision}`}
            after={`revision ${to.record.revision}`}
          />
        </section>
        <Effect outcome={outcome} against={from.record.revision} now={now} />
      </>
    ),
  });
};

const Choice = ({ from, to, newest }: { from: number; to: number; newest: number }) => (
  <form method="get" action="/settings/compliance/history/compare" class="choose-revisions">
    {(["from", "to"] as const).map((name) => (
      <div class="field">
        <label for={`compare-${name}`}>{name === "from" ? "From revision" : "To revision"}</label>
        <input
          type="number"
          id={`compare-${name}`}
          name={name}
          min={1}
          max={newest}
          value={name === "from" ? from : to}
          required
        />
      </div>
    ))}
    <button type="submit" class="secondary">
      Compare
    </button>
    <a class="button quiet" href={`/settings/compliance/history/compare?from=${to}&to=${from}`}>
      Swap
    </a>
  </form>
);

const Side = ({ revision }: { revision: Revision }) => (
  <div class="card">
    <h2>Revision {revision.record.revision}</h2>
    <RevisionAccount revision={revision} />
    <p>{revision.change}</p>
    <RevisionReason reason={revision.reason} />
  </div>
);
