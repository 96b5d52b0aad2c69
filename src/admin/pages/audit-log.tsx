// Settings → Audit log: the list, newest first, with its filters in the address.
import { Hono } from "hono";
import * as z from "zod";
import { auditLogValues, listAuditLog } from "../../store/audit-log.ts";
import { ACT_FILTERS } from "../api/audit-log.ts";
import type { AdminEnv } from "../authorize.ts";
import { enter } from "./access.ts";
import { AuditLogPage } from "./audit-log-page.tsx";
import { DAY_FILTERS, periodOf } from "./days.ts";
import { readFilters } from "./filters.ts";

const PER_PAGE = 50;
/** As many actors and actions as are offered to choose from; others may be typed into the address. */
const MAX_OFFERED = 200;

const Query = z.strictObject({
  ...ACT_FILTERS,
  ...DAY_FILTERS,
  before: z
    .string()
    .regex(/^log_\w{26}$/, "is not an entry to continue after")
    .optional(),
});

export const auditLog = new Hono<AdminEnv>();

auditLog.get("/", async (c) => {
  const member = await enter(c, "audit_log");
  const { org } = member;
  const { before, ...filters } = readFilters(c, Query);
  const asked = { org, ...filters, ...periodOf(filters) };
  const [found, actors, actions] = await Promise.all([
    listAuditLog(c.env, { ...asked, before, limit: PER_PAGE + 1 }),
    auditLogValues(c.env, { org, column: "actor", limit: MAX_OFFERED }),
    auditLogValues(c.env, { org, column: "action", limit: MAX_OFFERED }),
  ]);
  const acts = found.slice(0, PER_PAGE);
  const older = found.length > PER_PAGE ? acts.at(-1)?.id : undefined;
  return c.html(
    AuditLogPage({
      member,
      settings: c.get("settings"),
      filters,
      before,
      older,
      acts,
      actors,
      actions,
    }),
  );
});
