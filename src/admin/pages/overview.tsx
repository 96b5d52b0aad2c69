// The route of Settings → Overview: where an owner or admin begins.
import { Hono } from "hono";
import { countEvents } from "../../store/event-counts.ts";
import { listEvents } from "../../store/events.ts";
import { findOrg } from "../../store/orgs.ts";
import { listRevisions } from "../../store/revisions.ts";
import { edgeOf } from "../api/edge-of.ts";
import type { AdminEnv } from "../authorize.ts";
import { healthOf } from "../health.ts";
import { previewPolicy, readableCatalog, readPolicy } from "../policy.ts";
import { noSuchOrg } from "../problem.ts";
import { may } from "../roles.ts";
import { enter } from "./access.ts";
import { blockDays, daysDrawn, tallyOf, windowsAt } from "./blocks.ts";
import { mostBlocked } from "./most-blocked.ts";
import { OverviewPage } from "./overview-page.tsx";

const SHOWN = 5;

export const overview = new Hono<AdminEnv>();

overview.get("/", async (c) => {
  const member = await enter(c, "policy");
  const { org: id } = member;
  const edge = edgeOf(c);
  const now = Date.now();
  const [org, { newest, record }, catalog, changes, blocks] = await Promise.all([
    findOrg(c.env, id),
    readPolicy(c.env, id),
    readableCatalog(edge),
    listRevisions(c.env, { org: id, before: Number.MAX_SAFE_INTEGER, limit: SHOWN }),
    may(member.role, "events") ? blocksOf() : null,
  ]);
  if (!org) throw noSuchOrg();
  const summary = catalog && previewPolicy(record.policy, { record, catalog, now }).summary;
  return c.html(OverviewPage({ member, settings: edge.settings, org, newest, summary, changes, blocks }));

  async function blocksOf() {
    const { lastDay, lastDays } = windowsAt(now);
    const [recent, counts, most, latest, health] = await Promise.all([
      countEvents(c.env, { org: id, ...lastDay }),
      countEvents(c.env, { org: id, ...lastDays }),
      mostBlocked(c.env, { org: id, ...lastDays, days: {} }),
      listEvents(c.env, { org: id, limit: SHOWN }),
      healthOf({ env: c.env, org: id, now }),
    ]);
    return { recent: tallyOf(recent), days: blockDays(counts, daysDrawn(lastDays)), most, latest, health };
  }
});
