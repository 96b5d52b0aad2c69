// Links under a list that take all of it along as a file, by the list's own filters.
import { type Days, periodOf } from "./days.ts";
import { addressOf } from "./filters.ts";

/** What a format is called. */
const LABELS = { csv: "CSV", ndjson: "NDJSON", ocsf: "OCSF" } as const;

export const Downloads = ({
  from,
  formats,
  filters,
}: {
  /** The API's address of the export. */
  from: string;
  formats: readonly (keyof typeof LABELS)[];
  filters: Readonly<Record<string, string | undefined>> & Days;
}) => (
  <p class="downloads">
    Take {Object.values(filters).some((value) => value !== undefined) ? "all that match" : "all of it"} along as{" "}
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
