// What somebody does who writes to the database past the Worker.
import type { Env } from "../src/env.ts";

/** Runs statements with the triggers removed, and puts those back. */
export async function tamper({ DB }: Env, ...statements: string[]): Promise<void> {
  const triggers = await DB.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all<{
    name: string;
    sql: string;
  }>();
  for (const { name } of triggers.results) await DB.prepare(`DROP TRIGGER ${name}`).run();
  for (const sql of statements) await DB.prepare(sql).run();
  for (const { sql } of triggers.results) await DB.prepare(sql).run();
}
