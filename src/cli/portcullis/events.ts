// `events list|tail|export|verify`.
import { setTimeout } from "node:timers/promises";
import { type Command, misuse } from "./asked.ts";
import { FILTERS, filtersOf } from "./event-filters.ts";
import { EventRow, rowLine } from "./event-row.ts";
import { exportCommand } from "./events-export.ts";
import { verifyCommand } from "./events-verify.ts";
import { followEvents } from "./follow-events.ts";
import { asMember } from "./gateway.ts";
import { Refused } from "./halts.ts";
import { allRows } from "./lists.ts";
import { print, printJson, remark } from "./printing.ts";

const DEFAULT_LIMIT = "20";
const POLL_MS = 2_000;
const LONGEST_PAUSE_MS = 10_000;

const list: Command = {
  name: "events list",
  summary: "List security events, newest first, one a line",
  options: { ...FILTERS, limit: { value: "N", help: `at most so many; ${DEFAULT_LIMIT} unless given` } },
  async run(asked) {
    const limit = Number(asked.text("limit") ?? DEFAULT_LIMIT);
    if (!Number.isInteger(limit) || limit < 1) throw misuse(list, "--limit takes a number, 1 or more.");
    const rows = await allRows(asMember(asked), EventRow, { path: "/events", query: filtersOf(asked), limit });
    if (asked.has("json")) return printJson({ data: rows });
    for (const row of rows) print(rowLine(row));
  },
};

const { to: _, ...LASTING_FILTERS } = FILTERS;

const tail: Command = {
  name: "events tail",
  summary: "Follow security events as they happen, one a line",
  details: "Asks every two seconds, and goes on when the gateway was away. With --json, one JSON object a line.",
  options: {
    ...LASTING_FILTERS,
    from: { value: "TIME", help: "begin with the events since this time (RFC 3339); else with the next one" },
  },
  async run(asked) {
    const gateway = asMember(asked);
    const { from: begin, ...filters } = filtersOf(asked);
    if (begin !== undefined && Number.isNaN(Date.parse(begin)))
      throw misuse(tail, "--from takes a time, such as 2026-11-23T00:00:00Z.");
    remark("Waiting for events. Ctrl-C ends this.");
    await followEvents({
      begin,
      read: ({ from, limit }) =>
        persistently(() => allRows(gateway, EventRow, { path: "/events", query: { ...filters, from }, limit })),
      show: (row) => (asked.has("json") ? printJson(row, { indent: 0 }) : print(rowLine(row))),
      pause: () => setTimeout(POLL_MS),
    });
  },
};

export const eventCommands: readonly Command[] = [list, tail, exportCommand, verifyCommand];

/** Asks again, ever more slowly, where what stands in the way may pass; says when it begins and when it ends. */
async function persistently<T>(ask: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures++)
    try {
      const answer = await ask();
      if (failures > 0) remark("The gateway answers again.");
      return answer;
    } catch (error) {
      if (!(error instanceof Refused && error.passing)) throw error;
      if (failures === 0) remark(`${error.message.split("\n")[0]} Trying again.`);
      await setTimeout(Math.min(POLL_MS * (failures + 1), LONGEST_PAUSE_MS));
    }
}
