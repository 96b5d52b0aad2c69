// What a person needs of wrangler's output: the Worker's security events and signed heads as readable lines, its other
// prints and every error as they are, and nothing of the rest. Pure.
import { stripVTControlCharacters } from "node:util";
import { eventLineOf } from "./event-line.ts";
import { headLineOf } from "./head-line.ts";
import { plainText } from "./plain-text.ts";

const MAX_LINE_CHARACTERS = 2000;

/** What wrangler says that nobody has to act on, line by line. Whatever is not listed here is shown. */
const NOISE: readonly RegExp[] = [
  /^\s*$/,
  /^Using secrets defined in /,
  /^Your Worker has access to the following bindings:/,
  /^Binding\s+Resource/,
  /^env\.\w+ /,
  /^⎔ (Starting|Reloading) local server/,
  /^⎔ Connection status updated/,
  /^\[wrangler:info\] /,
  // No internet: the placeholder serves just as well.
  /^\[wrangler:warn\] Unable to fetch the `Request\.cf` object/,
  /^(\w*Error|Caused by): .*workers\.cloudflare\.com/,
  /^(TimeoutError|ConnectTimeoutError|DOMException)\b/,
  /^\s+at .*\(node:/,
  // Cron is not needed for the demo.
  /Scheduled Workers are not automatically triggered/,
  /^\s*To manually trigger a scheduled event/,
  /^\s*curl ".*\/scheduled"/,
  /^\s*For more details, see .*cron-triggers/,
  /^🪵/u,
];

/** The line to show for a line of wrangler's output, or null. */
export function shownLine(line: string): string | null {
  const text = stripVTControlCharacters(line);
  if (NOISE.some((noise) => noise.test(text))) return null;
  if (/^⎔ Local server updated/.test(text)) return "Source changed; reloaded.";
  return eventLineOf(text) ?? headLineOf(text) ?? printable(text);
}

function printable(text: string): string {
  // Indentation carries meaning in build errors; tabs would be replaced as controls.
  return plainText(text.replaceAll("\t", "  "), MAX_LINE_CHARACTERS);
}
