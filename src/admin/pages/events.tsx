// Security events: the list, newest first, with its filters in the address; and the page of one event.
import { Hono } from "hono";
import { SecurityEvent } from "../../store/event.ts";
import { findEvent, listEvents } from "../../store/events.ts";
import { newestRevision } from "../../store/revisions.ts";
import { edgeOf } from "../api/edge-of.ts";
import type { AdminEnv } from "../authorize.ts";
import { invalid, Problem } from "../problem.ts";
import { enter } from "./access.ts";
import { EventPage } from "./event-page.tsx";
import { EventsPage, type Filters } from "./events-page.tsx";
import { readableCatalog } from "./impact-of.ts";

const PER_PAGE = 50;

export const events = new Hono<AdminEnv>();

events.get("/", async (c) => {
  const member = await enter(c, "events");
  const asked = (name: string) => c.req.query(name)?.trim() || undefined;
  const filters: Filters = {
    model: asked("model"),
    provider: asked("provider"),
    requirement: asked("requirement"),
    project: asked("project"),
  };
  const before = asked("before");
  if (before !== undefined && !SecurityEvent.shape.id.safeParse(before).success)
    throw invalid([{ path: "before", message: "is not an event to continue after" }]);
  const edge = edgeOf(c);
  const [found, catalog] = await Promise.all([
    listEvents(c.env, { org: member.org, ...filters, before, limit: PER_PAGE + 1 }),
    readableCatalog(edge),
  ]);
  const shown = found.slice(0, PER_PAGE);
  const older = found.length > PER_PAGE ? shown.at(-1)?.id : undefined;
  return c.html(EventsPage({ member, settings: edge.settings, catalog, filters, before, older, events: shown }));
});

events.get("/:id", async (c) => {
  const member = await enter(c, "events");
  const event = await findEvent(c.env, member.org, c.req.param("id"));
  if (!event) throw new Problem({ status: 404, code: "not_found", detail: "There is no such security event." });
  const edge = edgeOf(c);
  const [catalog, revision] = await Promise.all([readableCatalog(edge), newestRevision(c.env, member.org)]);
  return c.html(
    EventPage({ member, settings: edge.settings, event, catalog, record: revision?.record ?? null, now: Date.now() }),
  );
});
