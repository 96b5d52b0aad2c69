// Security events: the list with its filters, one event, and the export.
import { Hono } from "hono";
import * as z from "zod";
import { EVENT_ID_PATTERN, isReadable, type ListedEvent, SecurityEvent, UnreadableEvent } from "../../store/event.ts";
import { findEvent, listEvents } from "../../store/events.ts";
import { ocsfNotice, ocsfOf } from "../../store/ocsf.ts";
import { Id } from "../../store/records.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { Problem } from "../problem.ts";
import { EVENT_COLUMNS } from "./event-columns.ts";
import { EXPORT_FORMATS, exportRows, type FileForm, jsonLine, rowsAs } from "./export.ts";
import { PAGE_QUERY, paged, pageOf, positionOf } from "./page.ts";
import { PERIOD_QUERY } from "./period.ts";
import { readQuery } from "./request.ts";

/** What an event is found by; each is compared whole. */
export const EVENT_FILTERS = {
  model: z.string().min(1).max(256).optional(),
  provider: z.string().min(1).max(64).optional(),
  /** A failure code: a requirement's id, or such as `provider_blocked`. */
  requirement: z.string().min(1).max(64).optional(),
};
const FILTERS = {
  ...EVENT_FILTERS,
  project: Id.optional(),
  ...PERIOD_QUERY,
};

export const EVENT_EXPORT_FORMATS = [...EXPORT_FORMATS, "ocsf"] as const;

export const EventsQuery = z.strictObject({ ...FILTERS, ...PAGE_QUERY });
export const ExportQuery = z.strictObject({
  ...FILTERS,
  format: z.enum(EVENT_EXPORT_FORMATS),
  /** The last event that was received of an export that broke off. */
  cursor: z
    .string()
    .regex(EVENT_ID_PATTERN, "must be the id of the last event that was received whole, evt_ and 26 characters")
    .optional(),
});
export const EventsAnswer = pageOf(z.union([SecurityEvent, UnreadableEvent]));

/** What every event that can be read has in an export as OCSF; all of its attributes are at schema.ocsf.io. */
export const OcsfEvent = z.looseObject({
  category_uid: z.literal(6),
  class_uid: z.literal(6003),
  type_uid: z.number().int(),
  activity_id: z.number().int(),
  severity_id: z.number().int(),
  time: z.number().int(),
  message: z.string(),
  metadata: z.looseObject({ version: z.string(), uid: z.string(), product: z.looseObject({ name: z.string() }) }),
  actor: z.looseObject({}),
  api: z.looseObject({ operation: z.string() }),
  src_endpoint: z.looseObject({}),
});

/** What stands there for one that cannot. */
export const OcsfUnreadable = z.looseObject({
  class_uid: z.literal(0),
  time: z.number().int(),
  message: z.string(),
  metadata: z.looseObject({ uid: z.string(), event_code: z.literal("unreadable") }),
});

const ocsfFor = (org: string): FileForm<ListedEvent> => ({
  type: "application/x-ndjson",
  ending: "ocsf.ndjson",
  head: "",
  line: (event) => jsonLine(isReadable(event) ? ocsfOf(event) : unreadableAsOcsf(org, event)),
});

function unreadableAsOcsf(org: string, { id, at }: UnreadableEvent) {
  const message = "An event that this version cannot read.";
  return ocsfNotice({ uid: id, org, type: "unreadable", at, message, unmapped: {} });
}

export const events = new Hono<AdminEnv>();

events.get("/:org/events", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "events");
  const { limit, cursor, ...filters } = readQuery(c, EventsQuery);
  const before = positionOf({ list: "events", org }, cursor);
  const rows = await listEvents(c.env, { org, ...filters, before, limit: limit + 1 });
  const answer: z.infer<typeof EventsAnswer> = paged(rows, { list: "events", org, limit }, ({ id }) => id);
  return c.json(answer);
});

events.get("/:org/events/export", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "events");
  const { format, cursor, ...filters } = readQuery(c, ExportQuery);
  const read = (page: { before: string | undefined; limit: number }) => listEvents(c.env, { org, ...filters, ...page });
  const form = format === "ocsf" ? ocsfFor(org) : rowsAs(EVENT_COLUMNS, format);
  return exportRows({ name: `${org}-security-events`, form, read, resumable: { cursor, address: c.req.url } });
});

events.get("/:org/events/:id", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "events");
  const event = await findEvent(c.env, org, c.req.param("id"));
  if (event) return c.json(event);
  throw new Problem({ status: 404, code: "not_found", detail: "The organization has no such security event." });
});
