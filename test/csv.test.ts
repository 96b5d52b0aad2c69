// CSV as a strict reader reads it, and as a spreadsheet opens it: no cell begins a formula, whatever separates the cells.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvRow } from "../src/admin/api/csv.ts";

const row = (cells: readonly (string | number | null)[]) =>
  csvRow(Object.fromEntries(cells.map((cell, index) => [`c${index}`, () => cell])), null);

/** The cells of a row, as RFC 4180 has it: quoted whole or not at all. */
function cellsOf(line: string): string[] {
  return [...`,${line}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/gy)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
  );
}

/** How a formula begins; a spreadsheet whose separator is not the comma may also pass over a quotation mark. */
const FORMULA = /^["\s]*[=+\-@＝＋－＠]/u;

describe("a cell that a spreadsheet would compute", () => {
  it.each([
    ["=1+1", "'=1+1"],
    ["  @SUM(A1)", "  '@SUM(A1)"],
    ["a;=cmd|'/C calc'!A0;b", "a;'=cmd|'/C calc'!A0;b"],
    ["a; +1", "a; '+1"],
    ['a;"=1+1"', `a;"'=1+1"`],
    ["a;;＝1", "a;;'＝1"],
    ["a;b=1; c", "a;b=1; c"],
    ["gpt-4o-mini", "gpt-4o-mini"],
  ])("%s is %s", (value, marked) => {
    expect(cellsOf(row([value, "x"]).trimEnd())).toEqual([marked, "x"]);
  });

  it("a number is left as it is", () => {
    expect(row([-1, null, 0])).toBe("-1,,0\r\n");
  });

  const hostile = fc.string({
    unit: fc.constantFrom("=", "+", "-", "@", ";", ",", '"', "'", " ", "\t", "\n", "a", "＝"),
    maxLength: 12,
  });

  it("is none, with a comma or a semicolon between cells", () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 4 }), (values) => {
        const line = row(["first", ...values]).trimEnd();
        for (const cell of cellsOf(line)) expect(cell).not.toMatch(/^\s*[=+\-@＝＋－＠]/u);
        for (const cell of line.split(";")) expect(cell).not.toMatch(FORMULA);
      }),
      { numRuns: 2000 },
    );
  });

  it("reads back whole, but for the marks, by a strict reader", () => {
    const unmarked = (text: string) => text.replaceAll("'", "");
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 4 }), (values) => {
        const read = cellsOf(row(values).replace(/\r\n$/, ""));
        expect(read.map(unmarked)).toEqual(values.map((value) => unmarked(value.replace(/[\t\n]/g, "\u{fffd}"))));
      }),
      { numRuns: 2000 },
    );
  });
});
