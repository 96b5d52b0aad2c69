// The fields of a posted form by a schema: what was typed is kept, with what is wrong beside each field.
import * as z from "zod";
import { Expiry } from "../api/keys.ts";
import { checkGiven } from "../field-words.ts";
import { expiryAfter } from "./key-words.ts";

/** What stands in a form's fields, and what is wrong with each. */
export interface Filled {
  readonly values: Readonly<Record<string, string>>;
  readonly errors: Readonly<Record<string, string>>;
}
export const UNFILLED: Filled = { values: {}, errors: {} };

/** A key's last day as a form gives it: empty for none, else YYYY-MM-DD in UTC; becomes the moment after it. */
export const LastDay = z
  .string()
  .transform((day, context) => {
    const expiry = day === "" ? null : expiryAfter(day);
    if (day !== "" && expiry === null)
      context.addIssue({ code: "custom", message: "must be a day, such as 2027-01-31" });
    return expiry;
  })
  .pipe(Expiry);

/** Reads the fields that the schema names. */
export function readFields<T extends z.ZodObject>(
  form: URLSearchParams,
  schema: T,
): { ok: true; fields: z.output<T> } | { ok: false; filled: Filled } {
  const values = Object.fromEntries(Object.keys(schema.shape).map((name) => [name, form.get(name)?.trim() ?? ""]));
  const parsed = checkGiven(schema, values);
  if (parsed.success) return { ok: true, fields: parsed.data };
  const errors = Object.fromEntries(
    parsed.error.issues.map(({ path, message }) => [String(path[0]), message]).reverse(),
  );
  return { ok: false, filled: { values, errors } };
}
