// Times on a page: in UTC from the server, so that they mean the same without JavaScript; localized in the browser.

const dayFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });
const minuteFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

/** A moment, given as RFC 3339. */
export const Time = ({ at }: { at: string }) => (
  <time datetime={at}>{readable(at, (date) => `${minuteFormat.format(date)} UTC`)}</time>
);

/** A calendar day, given as YYYY-MM-DD; it is the same day in every zone. */
export const Day = ({ date }: { date: string }) => (
  <time datetime={date}>{readable(date, (day) => dayFormat.format(day))}</time>
);

function readable(text: string, format: (date: Date) => string): string {
  const date = new Date(text);
  return Number.isNaN(date.valueOf()) ? text : format(date);
}
