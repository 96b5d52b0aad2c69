// A download of lines that goes on by itself where it broke off: handed on in whole lines alone, and asked for again
// behind the last of them. One answer of the gateway holds half a million events at most; a network may end it sooner.
import { Refused } from "./halts.ts";

const FIRST_PAUSE_MS = 1_000;
/** Without a line between them: half a minute in all. */
const MAX_ATTEMPTS = 5;
const LINE_END = 0x0a;

export interface Download {
  /** The answer behind a place, or from the beginning. */
  open(behind: string | undefined): Promise<AsyncIterable<Uint8Array>>;
  /** The place that a line is; none of what is no row, such as the head. */
  placeOf(line: string): string | undefined;
  /** Whether an answer from behind a place begins with the head again. */
  readonly repeatsHead: boolean;
  /** Waits before it is asked for again; `why` says what happened, and where it goes on. */
  pause(milliseconds: number, why: string): Promise<unknown>;
}

/** The lines of the whole download. Ends by what does not pass, or does not in time; at once where it never began. */
export async function* resumed({ open, placeOf, repeatsHead, pause }: Download): AsyncGenerator<Uint8Array> {
  let behind: string | undefined;
  let hasBegun = false;
  let hasHead = false;
  for (let failures = 0; ; )
    try {
      const answer = await open(behind);
      hasBegun = true;
      const withoutHead = hasHead && (repeatsHead || behind === undefined);
      for await (const lines of wholeLines(answer, { withoutHead })) {
        failures = 0;
        hasHead = true;
        behind = lastPlaceIn(lines, placeOf) ?? behind;
        yield lines;
      }
      return;
    } catch (error) {
      if (!(hasBegun && error instanceof Refused && error.passing && failures < MAX_ATTEMPTS)) throw error;
      const milliseconds = Math.max(FIRST_PAUSE_MS * 2 ** failures++, error.retryAfterSeconds * 1000);
      const next = behind === undefined ? "Beginning again" : `Going on behind ${behind}`;
      await pause(milliseconds, `${error.message.split("\n")[0]} ${next} in ${milliseconds / 1000} s.`);
    }
}

/** What has come in up to the last end of a line, again and again. Rejects where the last line has no end. */
async function* wholeLines(
  pieces: AsyncIterable<Uint8Array>,
  { withoutHead }: { withoutHead: boolean },
): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let atHead = withoutHead;
  for await (const piece of pieces) {
    const received = Buffer.concat([rest, piece]);
    const end = received.lastIndexOf(LINE_END) + 1;
    const begin = atHead ? received.indexOf(LINE_END) + 1 : 0;
    if (end > begin) yield received.subarray(begin, end);
    if (end > 0) atHead = false;
    rest = received.subarray(end);
  }
  if (rest.length > 0) throw new Refused("The answer ended in the middle of a line.", { passing: true });
}

function lastPlaceIn(lines: Buffer, placeOf: Download["placeOf"]): string | undefined {
  for (const line of lines.toString().trimEnd().split("\n").reverse()) {
    const place = placeOf(line);
    if (place !== undefined) return place;
  }
  return undefined;
}
