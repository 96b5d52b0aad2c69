// Security events as a file, newest first: read from D1 page by page while it is sent, so that it never stands in memory whole.
import type { Env } from "../../env.ts";
import type { SecurityEvent } from "../../store/event.ts";
import { type EventFilter, listEvents } from "../../store/events.ts";
import { CSV_HEADER, csvRow } from "./csv.ts";

export const EXPORT_FORMATS = ["ndjson", "csv"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** An event has at most 16 KB. */
const EVENTS_PER_READ = 200;

const FORMATS = {
  ndjson: { type: "application/x-ndjson", head: "", line: (event: SecurityEvent) => `${JSON.stringify(event)}\n` },
  csv: { type: "text/csv; charset=utf-8; header=present", head: CSV_HEADER, line: csvRow },
} as const;

/** The events that match, as a download. Throws when D1 fails at the start; later the answer breaks off, unfinished. */
export async function exportEvents(
  env: Env,
  filter: Omit<EventFilter, "before" | "limit">,
  format: ExportFormat,
): Promise<Response> {
  const { type, head, line } = FORMATS[format];
  const read = (before?: string) => listEvents(env, { ...filter, before, limit: EVENTS_PER_READ });
  const first = await read();
  async function* pieces() {
    yield head;
    for (let events = first; events.length > 0; ) {
      yield events.map(line).join("");
      events = events.length < EVENTS_PER_READ ? [] : await read(events.at(-1)?.id);
    }
  }
  const text = pieces();
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await text.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
  return new Response(body, {
    headers: {
      "content-type": type,
      "content-disposition": `attachment; filename="${filter.org}-security-events.${format}"`,
    },
  });
}
