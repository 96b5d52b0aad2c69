// Two revisions side by side: only the fields that differ, and in them only what the other side does not have.
import type { Difference } from "../difference.ts";
import { fieldOf } from "./difference-words.ts";

export const DifferenceTable = ({
  difference,
  before,
  after,
}: {
  difference: readonly Difference[];
  /** The headings of the two sides. */
  before: string;
  after: string;
}) =>
  difference.length === 0 ? (
    <p class="empty">Both are the same.</p>
  ) : (
    <table class="difference">
      <thead>
        <tr>
          <th scope="col">What differs</th>
          <th scope="col">Only in {before}</th>
          <th scope="col">Only in {after}</th>
        </tr>
      </thead>
      <tbody>
        {difference.map(fieldOf).map((field) => (
          <tr>
            <th scope="row">{field.label}</th>
            <Side entries={field.before} sign="removed" label={`Only in ${before}`} />
            <Side entries={field.after} sign="added" label={`Only in ${after}`} />
          </tr>
        ))}
      </tbody>
    </table>
  );

const Side = ({ entries, sign, label }: { entries: readonly string[]; sign: "added" | "removed"; label: string }) => (
  <td class={sign} data-label={label}>
    {entries.length === 0 ? (
      <span class="number">nothing</span>
    ) : (
      <ul>
        {entries.map((entry) => (
          <li>{entry}</li>
        ))}
      </ul>
    )}
  </td>
);
