// What a list is filtered by, as SQL. Pure.

/**
 * The conditions of a WHERE clause, each with the value of its one placeholder; those without a value are left out. The
 * conditions are part of the statement, so they must be written in the code.
 */
export function conditionsOf(filters: readonly (readonly [condition: string, value: string | undefined])[]): {
  where: string;
  values: string[];
} {
  const given = filters.flatMap(([condition, value]) => (value === undefined ? [] : [{ condition, value }]));
  return { where: given.map(({ condition }) => condition).join(" AND "), values: given.map(({ value }) => value) };
}
