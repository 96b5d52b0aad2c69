// Links under a list that take all of it along as a file, by the list's own filters.
import { type Days, periodOf } from "./days.ts";
import { addressOf } from "./filters.ts";

/** What a format is called. */
const LABELS = { csv: "CSV", ndjson: "NDJSON", ocsf: "OCSF" } as const;

export const Downloads = ({
  from,
  formats,
  filters,
  filtered,
}: {
  /** The API's address of the export. */
  from: string;
  formats: readonly (keyof typeof LABELS)[];
  filters: Readonly<Record<string, string | undefined>> & Days;
  /** Whether there are any. */
  filtered: boolean;
}) => (
  <p class="downloads">
    Take {filtered ? "all that match" : "all of it"} along as{" "}
    {formats.map((format, index) => (
      <>
        {index > 0 && (index === formats.length - 1 ? " or " : ", ")}
        <a href={addressOf(from, { ...filters, ...periodOf(filters), format })} download="">
          {LABELS[format]}
        </a>
      </>
    ))}
    .
  </p>
);
