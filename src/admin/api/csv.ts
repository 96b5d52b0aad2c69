// Rows of CSV (RFC 4180), safe to open in a spreadsheet. Pure.

/** By its name, what a column says of a row. */
export type Columns<Row> = Readonly<Record<string, (row: Row) => string | number | null>>;

/** The first line, with its line end. */
export function csvHeader(columns: Columns<never>): string {
  return `${Object.keys(columns).join(",")}\r\n`;
}

/** One row, with its line end. */
export function csvRow<Row>(columns: Columns<Row>, row: Row): string {
  const cells = Object.values(columns).map((column) => cell(column(row)));
  return `${cells.join(",")}\r\n`;
}

/**
 * Where a spreadsheet would begin a formula: at the beginning, and behind a semicolon, which is what separates cells where
 * a decimal is written with a comma. Quotation marks do not keep it from that, since the cell does not begin with one.
 */
const FORMULA = /(^\s*|;["\s]*)(?=[=+\-@＝＋－＠])/gu;

/**
 * One line, quoted where RFC 4180 asks for it. What a spreadsheet would take for a formula is marked as text by an
 * apostrophe: somebody outside chooses a model's name or an address, and somebody else opens the file.
 */
function cell(value: string | number | null): string {
  if (value === null) return "";
  const line = String(value).replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
  const text = typeof value === "string" ? line.replace(FORMULA, "$1'") : line;
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
