// A list as a file, newest first: read from D1 page by page while it is sent, so that it never stands in memory whole.
import { type Columns, csvHeader, csvRow } from "./csv.ts";
import { streamed } from "./streamed.ts";

export const EXPORT_FORMATS = ["ndjson", "csv"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** A row has at most some tens of KB. */
const ROWS_PER_READ = 200;

export interface Exported<Row> {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly columns: Columns<Row>;
  /** The rows after `before`, the id of a row, or from the newest on. */
  readonly read: (page: { before: string | undefined; limit: number }) => Promise<readonly Row[]>;
}

/** All rows, as a download. Throws when D1 fails at the start; later the answer breaks off, unfinished. */
export async function exportRows<Row extends { readonly id: string }>(
  { name, columns, read }: Exported<Row>,
  format: ExportFormat,
): Promise<Response> {
  const { type, head, line } = formatOf(columns, format);
  const readAfter = (before?: string) => read({ before, limit: ROWS_PER_READ });
  const first = await readAfter();
  async function* pieces() {
    yield head;
    for (let rows = first; rows.length > 0; ) {
      yield rows.map(line).join("");
      rows = rows.length < ROWS_PER_READ ? [] : await readAfter(rows.at(-1)?.id);
    }
  }
  return streamed(pieces(), {
    "content-type": type,
    "content-disposition": `attachment; filename="${name}.${format}"`,
  });
}

function formatOf<Row>(columns: Columns<Row>, format: ExportFormat) {
  switch (format) {
    case "ndjson":
      return { type: "application/x-ndjson", head: "", line: (row: Row) => `${JSON.stringify(row)}\n` };
    case "csv":
      return {
        type: "text/csv; charset=utf-8; header=present",
        head: csvHeader(columns),
        line: (row: Row) => csvRow(columns, row),
      };
  }
}
