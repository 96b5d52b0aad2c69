// Security events: the list, newest first, with its filters in the address; and the page of one event.
import { Hono } from "hono";
import * as z from "zod";
import { isReadable, SecurityEvent } from "../../store/event.ts";
import { findEvent, listEvents } from "../../store/events.ts";
import { retentionOf } from "../../store/retention.ts";
import { newestRevision } from "../../store/revisions.ts";
import { edgeOf } from "../api/edge-of.ts";
import { EVENT_FILTERS } from "../api/events.ts";
import type { AdminEnv } from "../authorize.ts";
import { healthOf } from "../health.ts";
import { readableCatalog } from "../policy.ts";
import { Problem } from "../problem.ts";
import { enter } from "./access.ts";
import { DAY_FILTERS, periodOf } from "./days.ts";
import { EventPage, UnreadableEventPage } from "./event-page.tsx";
import { EventsPage } from "./events-page.tsx";
import { readFilters } from "./filters.ts";
import { glanceAt } from "./glance.tsx";

const PER_PAGE = 50;

export const events = new Hono<AdminEnv>();

const Query = z.strictObject({
  ...EVENT_FILTERS,
  project: z.string().max(64).optional(),
  ...DAY_FILTERS,
  before: SecurityEvent.shape.id.optional(),
});

events.get("/", async (c) => {
  const member = await enter(c, "events");
  const { org } = member;
  const { before, ...filters } = readFilters(c, Query);
  const edge = edgeOf(c);
  const now = Date.now();
  const asked = { org, ...filters, ...periodOf(filters) };
  const [found, catalog, health, glance, retention] = await Promise.all([
    listEvents(c.env, { ...asked, before, limit: PER_PAGE + 1 }),
    readableCatalog(edge),
    healthOf({ env: c.env, org, now }),
    glanceAt(c.env, { org, days: filters, now }),
    retentionOf(c.env, org),
  ]);
  const shown = found.slice(0, PER_PAGE);
  const older = found.length > PER_PAGE ? shown.at(-1)?.id : undefined;
  const view = { member, settings: edge.settings, catalog, filters, before, older, health, glance, retention };
  return c.html(EventsPage({ ...view, events: shown }));
});

events.get("/:id", async (c) => {
  const member = await enter(c, "events");
  const event = await findEvent(c.env, member.org, c.req.param("id"));
  if (!event) throw new Problem({ status: 404, code: "not_found", detail: "There is no such security event." });
  const edge = edgeOf(c);
  if (!isReadable(event)) return c.html(UnreadableEventPage({ member, settings: edge.settings, event }));
  const [catalog, revision] = await Promise.all([readableCatalog(edge), newestRevision(c.env, member.org)]);
  return c.html(
    EventPage({ member, settings: edge.settings, event, catalog, record: revision?.record ?? null, now: Date.now() }),
  );
});
