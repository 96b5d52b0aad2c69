// Brings a database to this version's schema. `schema.sql` is the whole schema of a fresh database; an existing one gets
// the numbered migrations it lacks first, then `schema.sql`, which adds what is wholly new. All of it is one file for
// D1, which applies a file whole or not at all. Not wrangler's own migrations: those would replay every migration on a
// fresh database, where `schema.sql` has their result already.
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { Halt } from "./command.ts";
import { MIGRATIONS_DIRECTORY, SCHEMA_FILE, STATE_DIRECTORY } from "./paths.ts";
import { runWrangler } from "./wrangler.ts";

/** Which of the two databases behind the binding: this machine's or the account's. */
export type Place = keyof typeof PLACES;
const PLACES = { local: ["--local", "--persist-to", STATE_DIRECTORY], remote: ["--remote"] };

/** The database's binding in wrangler.toml. */
const BINDING = "DB";

const CREATE_HISTORY =
  "CREATE TABLE IF NOT EXISTS schema_history (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL) STRICT;";

const History = z.tuple([
  z.object({}),
  z.object({ results: z.array(z.object({ name: z.string() })) }),
  z.object({ results: z.tuple([z.object({ tables: z.number() })]) }),
]);

/** Applies what the database lacks and says what that was; does nothing when it lacks nothing. */
export async function applySchema(place: Place): Promise<string> {
  const schema = readFileSync(SCHEMA_FILE, "utf8");
  const schemaName = `schema.sql ${createHash("sha256").update(schema).digest("hex").slice(0, 16)}`;
  const { applied, fresh } = await readHistory(place);
  const migrations = migrationNames();
  const pending = migrations.filter((name) => !applied.has(name));
  if (applied.has(schemaName) && pending.length === 0) return "already up to date";

  const statements = [
    ...(fresh ? [] : pending.map((name) => readFileSync(join(MIGRATIONS_DIRECTORY, name), "utf8"))),
    schema,
    ...[...pending, schemaName].map(record),
  ];
  await executeFile(place, statements.join("\n"));
  if (fresh) return "schema applied to the new database";
  return [...pending.map((name) => `migration ${name} applied`), "schema applied"].join(", ");
}

function migrationNames(): string[] {
  if (!existsSync(MIGRATIONS_DIRECTORY)) return [];
  const names = readdirSync(MIGRATIONS_DIRECTORY).filter((name) => name.endsWith(".sql"));
  for (const name of names)
    if (!/^\d{4}_[a-z0-9_]+\.sql$/.test(name))
      throw new Halt(`The migration ${name} is not named like 0001_what_it_does.sql.`);
  return names.sort();
}

async function readHistory(place: Place): Promise<{ applied: Set<string>; fresh: boolean }> {
  const queries = [
    CREATE_HISTORY,
    "SELECT name FROM schema_history;",
    "SELECT count(*) AS tables FROM sqlite_master WHERE type = 'table' AND name = 'orgs';",
  ];
  const [, names, tables] = History.parse(JSON.parse(await execute(place, ["--json", "--command", queries.join(" ")])));
  return { applied: new Set(names.results.map(({ name }) => name)), fresh: tables.results[0].tables === 0 };
}

function record(name: string): string {
  return `INSERT OR IGNORE INTO schema_history (name, applied_at) VALUES ('${name}', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));`;
}

async function executeFile(place: Place, sql: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "portcullis-"));
  try {
    const file = join(directory, "schema.sql");
    writeFileSync(file, sql);
    await execute(place, ["--file", file]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function execute(place: Place, args: string[]): Promise<string> {
  const { ok, stdout, output } = await runWrangler(["d1", "execute", BINDING, ...PLACES[place], "--yes", ...args]);
  if (!ok) throw new Halt(`The database could not be prepared:\n\n${output}`);
  return stdout;
}
