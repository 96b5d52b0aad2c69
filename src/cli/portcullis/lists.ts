// Lists of the admin API, read page by page.
import * as z from "zod";
import type { Call, Gateway } from "./gateway.ts";

const PER_PAGE = 200;

/** The rows of a list in its order, up to `limit`. */
export async function allRows<T>(
  gateway: Gateway,
  row: z.ZodType<T>,
  { query = {}, limit = Number.POSITIVE_INFINITY, ...call }: Call & { limit?: number | undefined },
): Promise<T[]> {
  const Page = z.object({ data: z.array(row), next_cursor: z.string().nullable() });
  const rows: T[] = [];
  let cursor: string | undefined;
  do {
    const asked = String(Math.min(PER_PAGE, limit - rows.length));
    const page = await gateway.ask(Page, { ...call, query: { ...query, limit: asked, cursor } });
    rows.push(...page.data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && rows.length < limit);
  return rows;
}
