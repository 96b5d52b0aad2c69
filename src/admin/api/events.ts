// Security events: the list with its filters, one event, and the export.
import { Hono } from "hono";
import * as z from "zod";
import { SecurityEvent } from "../../store/event.ts";
import { findEvent, listEvents } from "../../store/events.ts";
import { Id } from "../../store/records.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { Problem } from "../problem.ts";
import { EXPORT_FORMATS, exportEvents } from "./export.ts";
import { PAGE_QUERY, paged, pageOf, positionOf } from "./page.ts";
import { readQuery } from "./request.ts";

const time = z.iso
  .datetime({ offset: true, error: "must be an RFC 3339 time, such as 2026-11-23T00:00:00Z" })
  .transform((text) => new Date(text).toISOString());

const FILTERS = {
  model: z.string().min(1).max(256).optional(),
  provider: z.string().min(1).max(64).optional(),
  /** A failure code: a requirement's id, or such as `provider_blocked`. */
  requirement: z.string().min(1).max(64).optional(),
  project: Id.optional(),
  /** Inclusive. */
  from: time.optional(),
  /** Exclusive. */
  to: time.optional(),
};

export const EventsQuery = z.strictObject({ ...FILTERS, ...PAGE_QUERY });
export const ExportQuery = z.strictObject({
  ...FILTERS,
  format: z.enum(EXPORT_FORMATS),
  /** The last event that was received of an export that broke off. */
  cursor: SecurityEvent.shape.id.optional(),
});
export const EventsAnswer = pageOf(SecurityEvent);

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
  return exportEvents(c.env, { org, ...filters }, { format, cursor, address: c.req.url });
});

events.get("/:org/events/:id", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "events");
  const event = await findEvent(c.env, org, c.req.param("id"));
  if (event) return c.json(event);
  throw new Problem({ status: 404, code: "not_found", detail: "The organization has no such security event." });
});
