// How often requests were blocked, by day, provider, requirement, model or project.
import { Hono } from "hono";
import * as z from "zod";
import { countBlocks, STATISTICS_BY } from "../../store/event-statistics.ts";
import { timestamp } from "../../store/secrets.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { invalid } from "../problem.ts";
import { PERIOD_QUERY } from "./period.ts";
import { readQuery } from "./request.ts";

const DEFAULT_DAYS = 30;
const DAY_MS = 86_400_000;
/** More than there are days in the longest retention. */
const MAX_KEYS = 4_000;

/** Of the thirty days before `to`, which is now, when nothing else is given. */
export const StatisticsQuery = z.strictObject({ by: z.enum(STATISTICS_BY), ...PERIOD_QUERY });

export const StatisticsAnswer = z.strictObject({
  by: z.enum(STATISTICS_BY),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  /** Days in their order; else the most first. An event that names several providers or requirements counts for each. */
  data: z.array(
    z.strictObject({
      /** Null where an event names no model, or no project. */
      key: z.string().nullable(),
      blocks: z.number().int(),
      /** Whether folded repeats are among them, of which only a lower bound is known. */
      at_least: z.boolean(),
    }),
  ),
  /** False where there are more events, or more keys, than are counted at once: ask for a shorter period. */
  complete: z.boolean(),
});

export const statistics = new Hono<AdminEnv>();

statistics.get("/:org/events/stats", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "events");
  const query = readQuery(c, StatisticsQuery);
  const { by, to = timestamp() } = query;
  const { from = timestamp(Date.parse(to) - DEFAULT_DAYS * DAY_MS) } = query;
  if (from >= to) throw invalid([{ path: "from", message: "must be before `to`" }]);
  const { counts, complete } = await countBlocks(c.env, { org, by, from, to, limit: MAX_KEYS + 1 });
  const data = counts.slice(0, MAX_KEYS);
  const answer: z.infer<typeof StatisticsAnswer> = {
    by,
    from,
    to,
    data,
    complete: complete && data.length === counts.length,
  };
  return c.json(answer);
});
