// Security events as a file, newest first: read from D1 page by page while it is sent, so that it never stands in memory whole.
import type { Env } from "../../env.ts";
import type { SecurityEvent } from "../../store/event.ts";
import { type EventFilter, listEvents } from "../../store/events.ts";
import { ocsfOf } from "../../store/ocsf.ts";
import { CSV_HEADER, csvRow } from "./csv.ts";
import { streamed } from "./streamed.ts";

export const EXPORT_FORMATS = ["ndjson", "csv", "ocsf"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/**
 * An event has at most 16 KB, a Worker 128 MB. The platform lets one answer ask D1 a thousand times: after half a million
 * events an export breaks off, and goes on by its cursor.
 */
const EVENTS_PER_READ = 500;

const jsonLine = (value: unknown) => `${JSON.stringify(value)}\n`;

interface Format {
  readonly type: string;
  readonly ending: string;
  readonly head: string;
  readonly line: (event: SecurityEvent) => string;
}

const FORMATS: Readonly<Record<ExportFormat, Format>> = {
  ndjson: { type: "application/x-ndjson", ending: "ndjson", head: "", line: jsonLine },
  csv: { type: "text/csv; charset=utf-8; header=present", ending: "csv", head: CSV_HEADER, line: csvRow },
  ocsf: { type: "application/x-ndjson", ending: "ocsf.ndjson", head: "", line: (event) => jsonLine(ocsfOf(event)) },
};

/**
 * The events that match, as a download; older ones than `cursor` where it is given, without the head that stood above
 * the first. Throws when D1 fails at the start; later the answer breaks off, unfinished.
 */
export async function exportEvents(
  env: Env,
  filter: Omit<EventFilter, "before" | "limit">,
  { format, cursor, address }: { format: ExportFormat; cursor: string | undefined; address: string },
): Promise<Response> {
  const { type, ending, head, line } = FORMATS[format];
  const read = (before?: string) => listEvents(env, { ...filter, before, limit: EVENTS_PER_READ });
  const first = await read(cursor);
  async function* pieces() {
    if (cursor === undefined) yield head;
    for (let events = first; events.length > 0; ) {
      yield events.map(line).join("");
      events = events.length < EVENTS_PER_READ ? [] : await read(events.at(-1)?.id);
    }
  }
  return streamed(pieces(), {
    "content-type": type,
    "content-disposition": `attachment; filename="${filter.org}-security-events.${ending}"`,
    "link-template": continuationOf(address),
  });
}

/** How an export that broke off goes on, as RFC 9652 has it: where `cursor` is the id of the last event received whole. */
function continuationOf(address: string): string {
  const url = new URL(address);
  url.searchParams.delete("cursor");
  const path = (url.pathname + url.search).replace(/[{}\\]/g, encodeURIComponent);
  return `"${path}{&cursor}"; rel="next"`;
}
