// Blocks by day: bars, each a link to the events of its day, and the same as a table. The picture is stretched to the
// width at hand, so it holds no text.
import type { BlockDay } from "./blocks.ts";
import { addressOf } from "./filters.ts";
import { EVENTS_ADDRESS } from "./most-blocked.ts";
import { Day } from "./time.tsx";

const SLOT = 20;
const GAP = 4;
const HEIGHT = 100;
/** So that a day with one block is seen beside one with thousands. */
const LEAST_HEIGHT = 2;

const dayAddress = (day: string) => addressOf(EVENTS_ADDRESS, { from: day, to: day });

export const BlocksChart = ({ days }: { days: readonly BlockDay[] }) => {
  const most = Math.max(1, ...days.map(({ blocked }) => blocked));
  const total = days.reduce((sum, { blocked }) => sum + blocked, 0);
  const width = days.length * SLOT;
  const last = days.at(-1);
  return (
    <figure class="blocks-chart">
      <svg aria-labelledby="blocks-title blocks-about" viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none">
        <title id="blocks-title">Blocks on each of {days.length} days</title>
        <desc id="blocks-about">
          {total} in all, at most {most} in a day. Each bar leads to the events of its day; the table below has them
          too.
        </desc>
        {days.map(({ day, blocked, atLeast }, index) => {
          const height = blocked === 0 ? 0 : Math.max(LEAST_HEIGHT, (blocked / most) * HEIGHT);
          const words = `${day}: ${atLeast ? "at least " : ""}${blocked}`;
          return (
            <a href={dayAddress(day)} aria-label={words}>
              <title>{words}</title>
              <rect class="slot" x={index * SLOT} y={0} width={SLOT} height={HEIGHT} />
              <rect
                class="bar-of-day"
                x={index * SLOT + GAP / 2}
                y={HEIGHT - height}
                width={SLOT - GAP}
                height={height}
              />
            </a>
          );
        })}
      </svg>
      <figcaption>
        <span>{days[0] && <Day date={days[0].day} />}</span>
        <span>at most {most} a day</span>
        <span>{last && <Day date={last.day} />}</span>
      </figcaption>
      <details>
        <summary>As a table</summary>
        <table class="days">
          <thead>
            <tr>
              <th scope="col">Day, UTC</th>
              <th scope="col">Refused</th>
              <th scope="col">Rerouted</th>
            </tr>
          </thead>
          <tbody>
            {days.toReversed().map(({ day, refused, rerouted }) => (
              <tr>
                <th scope="row">
                  <a href={dayAddress(day)}>
                    <Day date={day} />
                  </a>
                </th>
                <td>{refused}</td>
                <td>{rerouted}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
};
