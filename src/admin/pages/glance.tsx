// The events of a period at a glance: blocks by day, and what was blocked most.
import type { Env } from "../../env.ts";
import { countEvents } from "../../store/event-counts.ts";
import { MostBlockedTables } from "./bars.tsx";
import { type BlockDay, blockDays, daysDrawn, windowsAt } from "./blocks.ts";
import { BlocksChart } from "./blocks-chart.tsx";
import { type Days, periodOf } from "./days.ts";
import { type MostBlocked, mostBlocked } from "./most-blocked.ts";

export interface Glance {
  /** The period in words. */
  title: string;
  /** None where the period is too long to draw. */
  days: readonly BlockDay[];
  most: readonly MostBlocked[];
}

/** What was blocked on these days, or in the last two weeks where none are given. */
export async function glanceAt(
  env: Env,
  { org, days, now }: { org: string; days: Days; now: number },
): Promise<Glance> {
  const { lastDays } = windowsAt(now);
  const asked = periodOf(days);
  const to = asked.to ?? lastDays.to;
  const from = asked.from ?? windowsAt(Date.parse(to) - 1).lastDays.from;
  const drawn = daysDrawn({ from, to });
  const [counts, most] = await Promise.all([
    drawn.length > 0 ? countEvents(env, { org, from, to }) : [],
    mostBlocked(env, { org, from, to, days }),
  ]);
  return { title: titleOf(days), days: blockDays(counts, drawn), most };
}

function titleOf({ from, to }: Days): string {
  if (from === undefined && to === undefined) return "Blocks of the last 14 days";
  if (from === to) return `Blocks on ${from} (UTC)`;
  if (from === undefined) return `Blocks of the 14 days up to ${to} (UTC)`;
  return `Blocks from ${from} to ${to ?? "now"} (UTC)`;
}

/** Nothing where nothing was blocked. */
export const GlancePanel = ({
  glance: { title, days, most },
  current,
}: {
  glance: Glance;
  current: Readonly<Record<string, string | undefined>>;
}) =>
  most.every(({ bars }) => bars.length === 0) ? null : (
    <section class="card glance" aria-labelledby="glance-title">
      <h2 id="glance-title">{title}</h2>
      {days.length > 1 && <BlocksChart days={days} />}
      <MostBlockedTables most={most} current={current} />
    </section>
  );
