// The health of the paper trail as a line on a page: each check in a few words, and behind it in full.
import type { Health } from "../health.ts";
import type { State } from "../health-findings.ts";

const TAGS: Record<State, string> = { ok: "tag allowed", warn: "tag warn", bad: "tag blocked", unknown: "tag" };

/** Open by itself where something is to be done. */
export const HealthLine = ({ health: { state, checks } }: { health: Health }) => (
  <details class="health" open={state === "bad" || state === "unknown"}>
    <summary>
      <span class="health-title">
        Paper trail <span class={TAGS[state]}>{state}</span>
      </span>
      {checks.map((check) => (
        <span class="health-item">
          {check.state !== "ok" && (
            <>
              <strong>{check.state}:</strong>{" "}
            </>
          )}
          {check.summary}
        </span>
      ))}
    </summary>
    <dl>
      {checks.map((check) => (
        <div>
          <dt>
            {check.label} <span class={TAGS[check.state]}>{check.state}</span>
          </dt>
          <dd>
            {check.detail}
            {check.action && (
              <>
                {" "}
                <strong>{check.action}</strong>
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  </details>
);
