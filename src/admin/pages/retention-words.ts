// Retention in words. Pure.
import type { Retention } from "../../store/retention.ts";

type Rule = Pick<Retention, "days" | "legal_hold">;

/** Whether events would go under `next` that stay under `was`. */
export function removesMore(was: Rule, next: Rule): boolean {
  return next.days < was.days || (was.legal_hold && !next.legal_hold);
}

/** "Events are kept for 400 days". */
export function keptInWords({ days, legal_hold }: Rule): string {
  return legal_hold ? "A legal hold keeps all events" : `Events are kept for ${daysInWords(days)}`;
}

/** "1,825 days"; it is never one. */
export function daysInWords(days: number): string {
  return `${days.toLocaleString("en")} days`;
}

/** What is asked before a change that leads to removal. */
export function questionOf(was: Rule, next: Rule): string {
  const lifts = was.legal_hold && !next.legal_hold;
  if (next.days >= was.days) return "Lift the legal hold?";
  return `${lifts ? "Lift the legal hold, and keep" : "Keep"} events for ${daysInWords(next.days)} instead of ${was.days.toLocaleString("en")}?`;
}
