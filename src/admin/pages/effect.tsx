// What going from one policy to another means today: who becomes allowed and blocked, by the catalog in force.
import { Counts, type ImpactOutcome, ModelIds, Rows, Unreachable } from "./impact-panel.tsx";

export const Effect = ({
  outcome,
  against,
  now,
}: {
  outcome: ImpactOutcome;
  /** The revision that changes are told against. */
  against: number;
  now: number;
}) => (
  <section class="impact whole" aria-labelledby="effect-title">
    <h2 id="effect-title">Effect on providers and models</h2>
    {outcome.ok ? (
      <>
        <p class="aside">By the catalog in force today, whatever it was when the revisions were saved.</p>
        <Counts impact={outcome.impact} revision={against} />
        <Unreachable newly={outcome.impact.unreachable.newly} already={[]} />
        {outcome.impact.regained.length > 0 && (
          <details class="plain">
            <summary>
              {outcome.impact.regained.length} model{outcome.impact.regained.length === 1 ? "" : "s"} without a provider
              would have one
            </summary>
            <ModelIds ids={outcome.impact.regained} />
          </details>
        )}
        <Rows
          id="changed"
          title={`Changes against revision ${against}`}
          rows={outcome.impact.changed}
          impact={outcome.impact}
          now={now}
        />
      </>
    ) : (
      <p class="empty" role="status">
        The effect cannot be shown: {outcome.why}.
      </p>
    )}
  </section>
);
