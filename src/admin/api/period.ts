// A period of time, as lists are filtered by it.
import * as z from "zod";

const time = z.iso
  .datetime({ offset: true, error: "must be an RFC 3339 time, such as 2026-11-23T00:00:00Z" })
  .transform((text) => new Date(text).toISOString());

/** The query parameters of a period: from (inclusive), to (exclusive). */
export const PERIOD_QUERY = { from: time.optional(), to: time.optional() };
