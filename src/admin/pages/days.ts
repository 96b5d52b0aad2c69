// Days by which a page is filtered: UTC, both included.
import * as z from "zod";
import { endOfDay } from "../../compliance/facts.ts";
import { timestamp } from "../../store/secrets.ts";

const day = z.iso.date("must be a day, such as 2026-11-23").optional();

/** The fields of such a filter. */
export const DAY_FILTERS = { from: day, to: day };

export interface Days {
  from?: string | undefined;
  to?: string | undefined;
}

/** The same days as moments, the end excluded. */
export function periodOf({ from, to }: Days): Days {
  return { from: from && timestamp(Date.parse(from)), to: to && timestamp(endOfDay(to)) };
}
