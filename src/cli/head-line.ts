// A signed head, or a cut, of an event chain as one readable line, for `npm start`. Pure.
import * as z from "zod";
import { parseJson } from "./event-line.ts";
import { plainText } from "./plain-text.ts";

const DONE = { "audit.head": "sealed", "audit.cut": "removed" };

const Printed = z.looseObject({
  message: z.enum(["audit.head", "audit.cut"]),
  at: z.iso.datetime(),
  org: z.string().nullable(),
  seq: z.number(),
  hash: z.string(),
});

/** The line to show for what the Worker printed when it is one of the two, else null. */
export function headLineOf(printed: string): string | null {
  const parsed = Printed.safeParse(parseJson(printed));
  if (!parsed.success) return null;
  const { message, at, org, seq, hash } = parsed.data;
  return [
    `${at.slice(0, 10)} ${at.slice(11, 19)}Z`,
    DONE[message].padEnd(8),
    plainText(org ?? "(no organization)"),
    `events up to number ${seq}`,
    `signed at ${plainText(hash.slice(0, 12))}`,
  ].join("  ");
}
