// How much of the database the lists read.
import type { Env } from "../src/env.ts";
import { replacing } from "./replacing.ts";

/** Bindings that count the rows, of tables and indexes, that D1 reads for lists. */
export function countingRows(env: Env): { env: Env; rowsRead: () => number } {
  let rows = 0;
  const counting = (statement: D1PreparedStatement): D1PreparedStatement =>
    replacing(statement, {
      bind: (...values) => counting(statement.bind(...values)),
      all: async () => {
        const answer = await statement.all();
        rows += answer.meta.rows_read;
        return answer as never;
      },
    });
  const DB = replacing(env.DB, { prepare: (sql) => counting(env.DB.prepare(sql)) });
  return { env: { ...env, DB }, rowsRead: () => rows };
}
