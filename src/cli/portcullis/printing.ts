// What a command prints: its answer on stdout, everything else on stderr, so that an answer can be piped on.
import { plainText } from "../plain-text.ts";

/** One line of the answer. */
export function print(line: string): void {
  process.stdout.write(`${plainText(line, 10_000)}\n`);
}

/** The answer as JSON: the same to a machine, and harmless to a terminal. */
export function printJson(value: unknown, { indent = 2 }: { indent?: number } = {}): void {
  process.stdout.write(`${JSON.stringify(value, null, indent).replace(UNSAFE, escaped)}\n`);
}

/** What plainText replaces, but for the line breaks between fields. */
const UNSAFE = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One escape for each unit of UTF-16, as JSON has them. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/** What is good to know beside the answer. */
export function remark(line: string): void {
  process.stderr.write(`${plainText(line, 10_000)}\n`);
}

/** Rows in columns. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => plainText(row[column] ?? "").length)),
  );
  for (const row of rows)
    print(
      row
        .map((cell, column) => plainText(cell).padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}
