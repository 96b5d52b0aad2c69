// The filters of a list page: they stand in its address, so that a view can be kept and sent to somebody.
import type { Context } from "hono";
import type * as z from "zod";
import { invalidBy } from "../api/request.ts";
import type { AdminEnv } from "../authorize.ts";
import { checkGiven } from "../field-words.ts";

/** Reads what the address filters by; a field left empty is none. Throws 400 for a value that is not one. */
export function readFilters<T extends z.ZodObject>(c: Context<AdminEnv>, schema: T): z.output<T> {
  const given = Object.keys(schema.shape).flatMap((name) => {
    const value = c.req.query(name)?.trim();
    return value ? [[name, value]] : [];
  });
  const parsed = checkGiven(schema, Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  throw invalidBy(parsed.error);
}

/** The address of a list with these filters. */
export function addressOf(path: string, filters: Readonly<Record<string, string | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) if (value) query.set(name, String(value));
  return query.size > 0 ? `${path}?${query}` : path;
}
