// A verdict in a table's cell: allowed or blocked, and every reason.
import type { Verdict as Judgement } from "../../compliance/evaluate.ts";
import { Reason } from "./evidence.tsx";

/** Stands where verdicts are shown while nothing is asked of a provider. */
export const POLICY_OFF = "The policy is off: every provider passes";

export const Verdict = ({ verdict: { allowed, failures } }: { verdict: Judgement }) => (
  <>
    <span class={`mark ${allowed ? "allowed" : "blocked"}`}>{allowed ? "Allowed" : "Blocked"}</span>
    {failures.length > 0 && (
      <ul class="reasons">
        {failures.map((failure) => (
          <Reason failure={failure} />
        ))}
      </ul>
    )}
  </>
);
