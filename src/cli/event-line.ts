// A security event as one readable line, for `npm start` and `npm run tail`. Pure.
import * as z from "zod";
import { failureInWords } from "../compliance/words.ts";
import { SecurityEvent } from "../store/event.ts";
import { repeatsInWords } from "../store/event-repeats.ts";
import { plainText } from "./plain-text.ts";

/** More would push the event's id off the screen; the event itself has them all. */
const MAX_PROVIDERS_SHOWN = 3;
const MAX_UNREAD_CHARACTERS = 4000;

/** What the Worker prints for an event: the event, with its type once more as `message`. */
const Printed = z.looseObject({ message: z.string() });

const EVENT_MESSAGES: readonly string[] = SecurityEvent.shape.type.options;

/** The line to show for what the Worker printed when it is a security event, else null. */
export function eventLineOf(printed: string): string | null {
  if (!printed.startsWith("{")) return null;
  const parsed = Printed.safeParse(parseJson(printed));
  if (!parsed.success || !EVENT_MESSAGES.includes(parsed.data.message)) return null;
  const { message, ...rest } = parsed.data;
  const event = SecurityEvent.safeParse(rest);
  // An event of another version is still an event: show it as it came.
  return event.success ? eventLine(event.data) : plainText(printed, MAX_UNREAD_CHARACTERS);
}

/** `2026-11-23 20:33:05Z  blocked   acme/web  deepseek/deepseek-v3.2  deepseek (SOC 2: unknown)  evt_…` */
export function eventLine(event: SecurityEvent): string {
  return [
    `${event.at.slice(0, 10)} ${event.at.slice(11, 19)}Z`,
    outcomeOf(event).padEnd(8),
    plainText(`${event.org ?? "?"}/${event.project ?? "?"}`),
    plainText(targetOf(event)),
    reasonsOf(event),
    ...(event.repeats ? [`(${repeatsInWords(event)})`] : []),
    event.id,
  ].join("  ");
}

function outcomeOf({ type, outcome }: SecurityEvent): string {
  if (outcome === "rerouted") return "rerouted";
  return type === "policy.unavailable" ? "refused" : "blocked";
}

/** What the client asked for: a pinned request names its provider. */
function targetOf({ mode, model, providers }: SecurityEvent): string {
  if (model === null) return "(no model)";
  return mode === "pinned" && providers.length === 1 ? `${providers[0]?.id}/${model}` : model;
}

function reasonsOf({ providers, providers_omitted = 0, reason }: SecurityEvent): string {
  if (providers.length === 0) return plainText(reason ?? "no reason given");
  const shown = providers
    .slice(0, MAX_PROVIDERS_SHOWN)
    .map(({ id, failures }) => plainText(`${id} (${failures.map(failureInWords).join(", ")})`, 200));
  const more = providers.length - shown.length + providers_omitted;
  return shown.join("; ") + (more > 0 ? `; and ${more} more` : "");
}

/** What a printed line holds as JSON; null where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
