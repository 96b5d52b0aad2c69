// Settings → Compliance → History: every revision, newest first, with the choice of two to compare.
import type { Settings } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import type { Org } from "../../store/orgs.ts";
import type { Revision } from "../../store/revisions.ts";
import { changeInWords } from "../change-in-words.ts";
import type { ExplainedRevision } from "../revisions.ts";
import { document } from "./layout.tsx";
import { Outstanding } from "./outstanding.tsx";
import { Pager } from "./pager.tsx";
import { RevisionAccount, RevisionReason } from "./revision-account.tsx";

export interface HistoryView {
  member: Member;
  settings: Settings;
  org: Org;
  newest: Revision;
  revisions: readonly ExplainedRevision[];
  /** The revision that this page continues after, when it is not the first. */
  before: string | undefined;
  /** The revision that the next page continues after. */
  older: number | undefined;
}

export const HistoryPage = ({ member, settings, org, newest, revisions, before, older }: HistoryView) =>
  document({
    title: "Policy history",
    member,
    settings,
    current: "/settings/compliance",
    children: (
      <>
        <p class="back">
          <a href="/settings/compliance">Compliance</a>
        </p>
        <div class="heading">
          <h1>Policy history</h1>
          <p class="sub">
            Every change of what is enforced for {member.org_name}, newest first. A revision is never changed or
            removed; restoring one makes a new one.
          </p>
        </div>
        <Outstanding org={org} revision={newest.record.revision} />
        {revisions.length === 0 ? (
          <p class="empty">
            There is no older revision. <a href="/settings/compliance/history">Show the newest</a>
          </p>
        ) : (
          <form method="get" action="/settings/compliance/history/compare">
            <ol class="revisions">
              {revisions.map((revision, index) => (
                <Entry revision={revision} index={index} newest={newest} restorable={org.plan === "enterprise"} />
              ))}
            </ol>
            {revisions.length > 1 && (
              <div class="compare-bar">
                <button type="submit" class="secondary">
                  Compare the two chosen
                </button>
              </div>
            )}
          </form>
        )}
        <Pager
          of="revisions"
          first={before ? { href: "/settings/compliance/history", label: "Newest" } : null}
          next={older ? { href: `/settings/compliance/history?before=${older}`, label: "Older" } : null}
        />
      </>
    ),
  });

const Entry = ({
  revision,
  index,
  newest,
  restorable,
}: {
  revision: ExplainedRevision;
  index: number;
  newest: Revision;
  restorable: boolean;
}) => {
  const { record, change, reason } = revision;
  const number = record.revision;
  const isNewest = number === newest.record.revision;
  const sameAsNow = changeInWords(newest.record.policy, record.policy) === "";
  return (
    <li class="revision" id={`revision-${number}`}>
      <div class="line">
        <h2>Revision {number}</h2>
        {isNewest && <span class="tag">newest</span>}
        {!isNewest && sameAsNow && <span class="tag">same policy as now</span>}
        <fieldset class="pick">
          <legend class="unseen">Compare revision {number}</legend>
          <label>
            <input type="radio" name="from" value={number} checked={index === 1} /> from
          </label>
          <label>
            <input type="radio" name="to" value={number} checked={index === 0} /> to
          </label>
        </fieldset>
      </div>
      <RevisionAccount revision={revision} />
      <p>{change}</p>
      <RevisionReason reason={reason} />
      <p class="links">
        {number > 1 && (
          <a href={`/settings/compliance/history/compare?from=${number - 1}&to=${number}`}>
            What changed<span class="unseen"> in revision {number}</span>
          </a>
        )}
        {restorable && !sameAsNow && (
          <a href={`/settings/compliance/history/${number}/restore`}>
            Restore<span class="unseen"> revision {number}</span>…
          </a>
        )}
      </p>
    </li>
  );
};
