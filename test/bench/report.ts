// What the bench prints: a table of costs, and each target with what was measured.
import type { PromptResults } from "./data-plane.ts";
import type { Result } from "./rounds.ts";

/** A promise of the project in numbers. */
export interface Target {
  what: string;
  measured: string;
  atMost: string;
  met: boolean;
}

/** A target on a number, both in `unit`. */
export function target(
  what: string,
  { measured, atMost, unit, digits = 2 }: { measured: number; atMost: number; unit: string; digits?: number },
): Target {
  const shown = (value: number) => `${value.toFixed(digits)}${unit}`;
  return { what, measured: shown(measured), atMost: `≤ ${shown(atMost)}`, met: measured <= atMost };
}

/** The targets on what an allowed request costs. */
export function promptTargets({ prompt, results }: PromptResults): Target[] {
  return results
    .filter(({ name }) => name.startsWith("allowed"))
    .map(({ name, ratio }) => target(`${prompt.name}, ${name}`, { measured: ratio, atMost: prompt.atMost, unit: "×" }));
}

export function promptTable({ prompt, results }: PromptResults): string {
  const head = ["CPU µs/request", "× bare", "of quartiles", "requests/s"];
  const cells = ({ cpuMicroseconds, ratio, ratioOfQuartiles, requestsPerSecond }: Result) => [
    cpuMicroseconds.toFixed(0),
    ratio.toFixed(2),
    ratioOfQuartiles.map((ratio) => ratio.toFixed(2)).join(" "),
    requestsPerSecond.toFixed(0),
  ];
  return table([[prompt.name, ...head], ...results.map((result) => [`  ${result.name}`, ...cells(result)])]);
}

export function targetTable(targets: readonly Target[]): string {
  const rows = targets.map(({ what, measured, atMost, met }) => [what, measured, atMost, met ? "met" : "MISSED"]);
  return table([["Targets", "measured", "target", ""], ...rows]);
}

/** Rows aligned in columns: the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  return rows.map((row) => line(row).trimEnd()).join("\n");
}
