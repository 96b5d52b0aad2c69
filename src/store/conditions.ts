// What a list is filtered by, as SQL. Pure.
import { firstIdAt } from "./secrets.ts";

/** A condition in SQL, written in the code, with the values of its placeholders. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly (string | number | null)[];
}

/** A condition with the one value that a list is filtered by; undefined where it is not. */
type Filter = readonly [sql: string, value: string | undefined];

/**
 * The conditions of a WHERE clause, each with the value of its one placeholder; those without a value are left out. The
 * conditions are part of the statement, so they must be written in the code.
 */
export function conditionsOf(filters: readonly Filter[]): {
  where: string;
  values: string[];
} {
  const given = filters.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]));
  return { where: given.map(({ sql }) => sql).join(" AND "), values: given.map(({ value }) => value) };
}

/**
 * The ids of a page of a list by time, so that an index finds its rows at once: `from` (inclusive) and `to` (exclusive) are
 * RFC 3339, `before` is an id. An id may have a time that is earlier than its row's by less than `early`. That they are
 * likely keeps SQLite from preferring an index of nothing but the period to the one of a filter beside it.
 */
export function idRange(
  kind: "evt" | "log",
  { from, to, before }: Partial<Record<"from" | "to" | "before", string | undefined>>,
  early = 0,
): Filter[] {
  const ends = [before, to && firstIdAt(kind, Date.parse(to))].filter((end) => end !== undefined);
  return [
    ["likely(id >= ?)", from && firstIdAt(kind, Date.parse(from) - early)],
    // The lower of the two alone: of two bounds SQLite seeks by the one that it reads first.
    ["likely(id < ?)", ends.sort()[0]],
  ];
}
