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
  /** Throws where an answer with this head does not continue what began with the `first`, from `behind` on. */
  judgeHead?(head: string, before: { first: string; behind: string | undefined }): void;
  /** Waits before it is asked for again; `why` says what happened, and where it goes on. */
  pause(milliseconds: number, why: string): Promise<unknown>;
}

/** The lines of the whole download. Ends by what does not pass, or does not in time; at once where it never began. */
export async function* resumed(download: Download): AsyncGenerator<Uint8Array> {
  const { open, placeOf, repeatsHead, pause } = download;
  let behind: string | undefined;
  let hasBegun = false;
  let first: string | undefined;
  for (let failures = 0; ; )
    try {
      const answer = await open(behind);
      hasBegun = true;
      const known = repeatsHead || behind === undefined ? first : undefined;
      const dropHead =
        known === undefined ? null : (head: string) => download.judgeHead?.(head, { first: known, behind });
      for await (const lines of wholeLines(answer, dropHead)) {
        failures = 0;
        first ??= lines.subarray(0, lines.indexOf(LINE_END)).toString();
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

/**
 * What has come in up to the last end of a line, again and again; without the first line, which is handed to `dropHead`,
 * where there is one. Rejects where the last line has no end.
 */
async function* wholeLines(
  pieces: AsyncIterable<Uint8Array>,
  dropHead: ((head: string) => void) | null,
): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let atHead = dropHead !== null;
  for await (const piece of pieces) {
    const received = Buffer.concat([rest, piece]);
    const end = received.lastIndexOf(LINE_END) + 1;
    const begin = atHead ? received.indexOf(LINE_END) + 1 : 0;
    if (atHead && begin > 0) dropHead?.(received.subarray(0, begin - 1).toString());
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
