// A page of rows that are at hand in memory, in the order of a key that no two share. Pure.

/** At most `limit` of `rows` whose key is greater than `after`. Keys are compared by code unit, in every locale alike. */
export function rowsAfter<T>(
  rows: readonly T[],
  { keyOf, after, limit }: { keyOf: (row: T) => string; after: string | undefined; limit: number },
): T[] {
  const inOrder = rows.map((row) => ({ row, key: keyOf(row) }));
  inOrder.sort((a, b) => (a.key < b.key ? -1 : 1));
  const rest = after === undefined ? inOrder : inOrder.filter(({ key }) => key > after);
  return rest.slice(0, limit).map(({ row }) => row);
}
