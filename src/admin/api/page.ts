// Lists by pages: `{ data, next_cursor }`. A cursor is opaque, belongs to one list of one organization, and only ever
// positions: what may be seen does not depend on it.
import * as z from "zod";
import { ID_PATTERN } from "../../store/records.ts";
import { invalid } from "../problem.ts";

export const MAX_LIMIT = 200;
export const DEFAULT_LIMIT = 50;
/** A model's id has at most 256 characters, of up to four bytes each. */
const MAX_CURSOR = 2048;

/** The query parameters of a list. */
export const PAGE_QUERY = {
  limit: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, `must be a number from 1 to ${MAX_LIMIT}`)
    .transform(Number)
    .refine((limit) => limit <= MAX_LIMIT, `must be at most ${MAX_LIMIT}`)
    .default(DEFAULT_LIMIT),
  cursor: z.string().max(MAX_CURSOR).optional(),
};

/** The query of a list without filters. */
export const PageQuery = z.strictObject(PAGE_QUERY);

/** A page of `item`s, as it is answered. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ data: z.array(item), next_cursor: z.string().nullable() });

/** The lists, and what the ids look like that they are ordered by. */
const LISTS = {
  events: /^evt_\w{26}$/,
  revisions: /^[1-9]\d{0,14}$/,
  keys: /^key_\w{26}$/,
  projects: ID_PATTERN,
  "audit-log": /^log_\w{26}$/,
  members: /^\S{3,254}$/,
  tokens: /^tok_\w{26}$/,
  models: /^[^\s/\p{Cc}]{1,256}$/u,
  /** By id, or by the day on which the next fact expires and then by id. */
  providers: /^(?:\d{4}-\d\d-\d\d )?[a-z0-9][a-z0-9.-]{0,63}$/,
};

/** Which list of which organization. */
export interface Listing {
  list: keyof typeof LISTS;
  org: string;
}

/** The id that a page continues after, or undefined for the first page. Throws 400 for a cursor of another list. */
export function positionOf({ list, org }: Listing, cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const [ofList, ofOrg, position, ...more] = Buffer.from(cursor, "base64url").toString().split("\n");
  if (ofList === list && ofOrg === org && position && LISTS[list].test(position) && more.length === 0) return position;
  throw invalid([{ path: "cursor", message: "is not a cursor of this list; leave it out to begin at the start" }]);
}

/** A page of at most `limit` of `rows`, which were asked for with one row more to tell whether others follow. */
export function paged<T>(rows: readonly T[], { limit, ...of }: Listing & { limit: number }, idOf: (row: T) => string) {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  const next_cursor = last && rows.length > limit ? cursorAt(of, idOf(last)) : null;
  return { data, next_cursor };
}

function cursorAt({ list, org }: Listing, position: string): string {
  return Buffer.from([list, org, position].join("\n")).toString("base64url");
}
