// What an export in each format looks like, as far as going on with one takes.
import * as z from "zod";
import { SecurityEvent } from "../../store/event.ts";
import { parseJson } from "../event-line.ts";
import { Refused } from "./halts.ts";
import type { Download } from "./resumed.ts";

export const CHAIN = "chain";
const { id: EventId } = SecurityEvent.shape;

export const FORMATS: Readonly<Record<string, Pick<Download, "placeOf" | "repeatsHead" | "judgeHead">>> = {
  ndjson: {
    placeOf: (line) => z.object({ id: EventId }).safeParse(parseJson(line)).data?.id,
    repeatsHead: false,
  },
  ocsf: {
    placeOf: (line) => z.object({ metadata: z.object({ uid: EventId }) }).safeParse(parseJson(line)).data?.metadata.uid,
    repeatsHead: false,
  },
  csv: {
    placeOf: (line) => EventId.safeParse(line.split(",")[0]).data,
    repeatsHead: false,
  },
  [CHAIN]: {
    placeOf: (line) => z.object({ seq: z.number().transform(String) }).safeParse(parseJson(line)).data?.seq,
    repeatsHead: true,
    // What retention removed behind the last line would be a gap in the file, which looks as if somebody had tampered.
    judgeHead(head, { first, behind }) {
      if (removedBefore(head) !== (behind === undefined ? removedBefore(first) : "null"))
        throw new Refused("Retention removed links meanwhile: export once more.", { passing: false });
    },
  },
};

/** The cut in a chain's head, as text to be compared: "null" where links begin right behind the place asked for. */
function removedBefore(head: string): string | undefined {
  return JSON.stringify(z.object({ removed: z.unknown() }).safeParse(parseJson(head)).data?.removed);
}
