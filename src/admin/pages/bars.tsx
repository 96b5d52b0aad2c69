// What was blocked most: tables whose rows are bars, each a link to the events behind it. The bars repeat the numbers.
import type { MostBlocked } from "./most-blocked.ts";

/** So that one block is seen beside thousands. */
const LEAST_WIDTH = 1;

/** `current` are the filters in force: their rows are marked. */
export const MostBlockedTables = ({
  most,
  current = {},
}: {
  most: readonly MostBlocked[];
  current?: Readonly<Record<string, string | undefined>>;
}) => (
  <>
    <div class="statistics">
      {most.map((each) => (
        <BarTable {...each} current={current[each.subject]} />
      ))}
    </div>
    {most.some(({ complete }) => !complete) && (
      <p class="aside">There were more events than are counted at once: these are the latest of the period.</p>
    )}
  </>
);

const BarTable = ({ title, bars, current }: MostBlocked & { current: string | undefined }) => {
  const highest = Math.max(1, ...bars.map(({ blocks }) => blocks));
  return (
    <table class="bars">
      <caption>{title}</caption>
      <tbody>
        {bars.map(({ key, label, href, blocks, at_least }) => (
          <tr>
            <th scope="row">
              {href === null ? (
                label
              ) : (
                <a href={href} aria-current={key === current ? "true" : undefined}>
                  {label}
                </a>
              )}
              <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                <rect width={Math.max(LEAST_WIDTH, (blocks / highest) * 100)} height="4" />
              </svg>
            </th>
            <td>
              <Amount of={blocks} atLeast={at_least} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
};

/** A number of blocks, which is a lower bound where repeats are folded in it. */
export const Amount = ({ of, atLeast }: { of: number; atLeast: boolean }) => (
  <>
    {atLeast && (
      <>
        <span class="unseen">at least </span>
        <span aria-hidden="true" title="at least">
          ≥{" "}
        </span>
      </>
    )}
    {of}
  </>
);
