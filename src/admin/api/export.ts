// A list as a file, newest first: read from D1 page by page while it is sent, so that it never stands in memory whole.
import { type Columns, csvHeader, csvRow } from "./csv.ts";
import { streamed } from "./streamed.ts";

export const EXPORT_FORMATS = ["ndjson", "csv"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/**
 * A row has at most some tens of KB, a Worker 128 MB. The platform lets one answer ask D1 a thousand times: after half a
 * million rows an export breaks off.
 */
const ROWS_PER_READ = 500;

/** How rows are written. */
export interface FileForm<Row> {
  readonly type: string;
  /** Of the file's name. */
  readonly ending: string;
  readonly head: string;
  readonly line: (row: Row) => string;
}

export interface Exported<Row> {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly form: FileForm<Row>;
  /** The rows after `before`, the id of a row, or from the newest on. */
  readonly read: (page: { before: string | undefined; limit: number }) => Promise<readonly Row[]>;
  /** Where an export that broke off can go on: behind which row this one begins, and the address that was called. */
  readonly resumable?: { readonly cursor: string | undefined; readonly address: string };
}

export const jsonLine = (value: unknown) => `${JSON.stringify(value)}\n`;

/** Rows as JSON, or as the cells of these columns. */
export function rowsAs<Row>(columns: Columns<Row>, format: ExportFormat): FileForm<Row> {
  switch (format) {
    case "ndjson":
      return { type: "application/x-ndjson", ending: format, head: "", line: jsonLine };
    case "csv":
      return {
        type: "text/csv; charset=utf-8; header=present",
        ending: format,
        head: csvHeader(columns),
        line: (row) => csvRow(columns, row),
      };
  }
}

/**
 * All rows, as a download; only older ones, and without the head, where it goes on behind a cursor. Throws when D1 fails
 * at the start; later the answer breaks off, unfinished.
 */
export async function exportRows<Row extends { readonly id: string }>({
  name,
  form: { type, ending, head, line },
  read,
  resumable,
}: Exported<Row>): Promise<Response> {
  const readAfter = (before?: string) => read({ before, limit: ROWS_PER_READ });
  const first = await readAfter(resumable?.cursor);
  async function* pieces() {
    if (resumable?.cursor === undefined) yield head;
    for (let rows = first; rows.length > 0; ) {
      yield rows.map(line).join("");
      rows = rows.length < ROWS_PER_READ ? [] : await readAfter(rows.at(-1)?.id);
    }
  }
  return streamed(pieces(), {
    "content-type": type,
    "content-disposition": `attachment; filename="${name}.${ending}"`,
    ...(resumable && { "link-template": continuationOf(resumable.address) }),
  });
}

/** How an export that broke off goes on, as RFC 9652 has it: where `cursor` is the id of the last row received whole. */
function continuationOf(address: string): string {
  const url = new URL(address);
  url.searchParams.delete("cursor");
  const path = (url.pathname + url.search).replace(/[{}\\]/g, encodeURIComponent);
  return `"${path}{&cursor}"; rel="next"`;
}
