// The bar at the foot of the compliance page: the change in words, and the way to save it. When somebody else saved
// since the form was opened, it says who and when, and saving on top of theirs becomes a choice of its own.
import type { StoredPolicy } from "../../compliance/policy.ts";
import type { Revision } from "../../store/revisions.ts";
import { changeInWords } from "../change-in-words.ts";
import type { Doubt } from "../confirmation.ts";
import { Confirm } from "./confirm.tsx";
import { ORGANIZATION, type PolicyPlace } from "./policy-place.ts";
import { ReasonField, type TypedReason } from "./reason.tsx";
import { Time } from "./time.tsx";

export interface SaveView {
  /** The revision that the form was opened on. */
  base: number;
  draft: StoredPolicy;
  newest: Revision;
  /** What the draft is compared with, where that is not the newest revision's own policy. */
  inForce?: StoredPolicy;
  place?: PolicyPlace;
  /** Revisions that others saved since, newest first. */
  since: readonly Revision[];
  /** Providers allowed and blocked by the draft; null when that is not known. */
  tally: { allowed: number; blocked: number } | null;
  reason: TypedReason;
  /** Why a save of the draft has to be confirmed, and whether it has been. */
  doubt: Doubt | null;
  confirmed: boolean;
}

const FORM = "policy";

export const SaveBar = ({
  base,
  draft,
  newest,
  inForce = newest.record.policy,
  place = ORGANIZATION,
  since,
  tally,
  reason,
  doubt,
  confirmed,
}: SaveView) => {
  const change = changeInWords(inForce, draft);
  const { revision } = newest.record;
  const overtaken = revision !== base;
  return (
    <section id="save-bar" class="save-bar" aria-label="Save changes">
      <div class="change">
        {overtaken && (
          <div class="overtaken" role="alert">
            <p>
              <strong>Somebody saved before you.</strong> This page was opened on revision {base}; nothing of yours is
              lost.
            </p>
            <ul>
              {since.map(({ record, created_by, created_at, change: theirs }) => (
                <li>
                  Revision {record.revision}, by {created_by}, <Time at={created_at} />: {theirs}
                </li>
              ))}
            </ul>
          </div>
        )}
        <p class="words">
          {overtaken && <strong>Saving on top of revision {revision}: </strong>}
          {change === "" ? (overtaken ? "nothing would change." : "No changes.") : change}
        </p>
        {doubt && change !== "" && <Confirm doubt={doubt} ticked={confirmed} form={FORM} />}
      </div>
      <ReasonField typed={reason} form={FORM} />
      <div class="buttons">
        {tally && (
          <a class="tally" href="#impact">
            {tally.allowed} allowed, {tally.blocked} blocked
          </a>
        )}
        <button
          type="submit"
          form={FORM}
          name="intent"
          value="preview"
          formaction={`${place.page}#impact`}
          class="secondary unless-live"
        >
          Preview
        </button>
        <a class="button quiet" href={place.page}>
          {overtaken ? "Discard mine" : "Discard"}
        </a>
        {overtaken ? (
          <button type="submit" form={FORM} name="on-top-of" value={revision} class="primary">
            Save on top of revision {revision}
          </button>
        ) : (
          <button type="submit" form={FORM} name="intent" value="save" class="primary">
            Save
          </button>
        )}
      </div>
    </section>
  );
};
