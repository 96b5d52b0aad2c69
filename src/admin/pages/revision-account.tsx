// Who saved a revision, when, from where and why: the same wherever a revision is named.
import type { Revision } from "../../store/revisions.ts";
import { provenanceInWords } from "./difference-words.ts";
import { Time } from "./time.tsx";

export const RevisionAccount = ({ revision }: { revision: Revision }) => (
  <p class="account">
    <Time at={revision.created_at} /> by {revision.created_by}, {provenanceInWords(revision)}
  </p>
);

/** Why, where somebody said so. */
export const RevisionReason = ({ reason }: Pick<Revision, "reason">) =>
  reason === null ? null : (
    <p class="why">
      <span class="unseen">Reason: </span>
      <q>{reason}</q>
    </p>
  );
