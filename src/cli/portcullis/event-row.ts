// A security event as the admin API lists it. Pure.
import * as z from "zod";
import { SecurityEvent } from "../../store/event.ts";
import { eventLine } from "../event-line.ts";

/** What following needs of an event; one of another version has more than this one knows. */
export const EventRow = z.looseObject({ id: z.string(), at: z.iso.datetime() });
export type EventRow = z.infer<typeof EventRow>;

/** One readable line. */
export function rowLine(row: EventRow): string {
  const event = SecurityEvent.safeParse(row);
  return event.success ? eventLine(event.data) : JSON.stringify(row);
}
