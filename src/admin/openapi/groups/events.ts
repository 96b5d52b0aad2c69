// Security events.
import { SecurityEvent, UnreadableEvent } from "../../../store/event.ts";
import { EventsAnswer, EventsQuery, ExportQuery, OcsfEvent, OcsfUnreadable } from "../../api/events.ts";
import { CSV, EVENT } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

export const events: Group = {
  title: "Security events",
  description:
    "Every request that the policy blocked or rerouted, with each provider's failures. Never what was asked. One that this version cannot read stands in its place all the same, with `unreadable`.",
  operations: [
    {
      id: "listEvents",
      method: "get",
      path: `${ORG_PATH}/events`,
      summary: "List security events, newest first",
      who: "events",
      query: EventsQuery,
      answer: { schema: { EventsAnswer }, example: { data: [EVENT], next_cursor: null } },
    },
    {
      id: "exportEvents",
      method: "get",
      path: `${ORG_PATH}/events/export`,
      summary: "Download security events",
      details:
        "Newest first, as they are read: an answer that breaks off is incomplete, and goes on where `cursor` is the id of the last event received whole.",
      who: "events",
      query: ExportQuery,
      answer: {
        texts: {
          "application/x-ndjson": {
            description: "One security event a line, as it is or as OCSF 1.8.0 has it (API Activity).",
            lines: { SecurityEvent, UnreadableEvent, OcsfEvent, OcsfUnreadable },
          },
          "text/csv": { description: CSV },
        },
      },
    },
    {
      id: "readEvent",
      method: "get",
      path: `${ORG_PATH}/events/{id}`,
      summary: "Read one security event",
      who: "events",
      parameters: { id: { description: "The event's id.", example: EVENT.id } },
      answer: { schema: { SecurityEvent, UnreadableEvent }, example: EVENT },
    },
  ],
};
