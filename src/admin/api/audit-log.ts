// The audit log: who did what to the organization. The list with its filters, and the export.
import { Hono } from "hono";
import * as z from "zod";
import { listAuditLog } from "../../store/audit-log.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { AUDIT_COLUMNS } from "./audit-columns.ts";
import { EXPORT_FORMATS, exportRows, rowsAs } from "./export.ts";
import { PAGE_QUERY, paged, pageOf, positionOf } from "./page.ts";
import { PERIOD_QUERY } from "./period.ts";
import { readQuery } from "./request.ts";

/** What an act is found by; each is compared whole. */
export const ACT_FILTERS = {
  /** An email address, or `operator`. */
  actor: z.string().min(1).max(254).optional(),
  /** Such as `policy.save`. */
  action: z.string().min(1).max(64).optional(),
  /** Such as `revision 7`, or a member's address. */
  target: z.string().min(1).max(256).optional(),
};

export const AuditLogQuery = z.strictObject({ ...ACT_FILTERS, ...PERIOD_QUERY, ...PAGE_QUERY });
export const AuditLogExportQuery = z.strictObject({ ...ACT_FILTERS, ...PERIOD_QUERY, format: z.enum(EXPORT_FORMATS) });

export const AuditLogAnswer = pageOf(
  z.strictObject({
    id: z.string(),
    at: z.iso.datetime(),
    org: z.string().nullable(),
    actor: z.string(),
    action: z.string(),
    target: z.string(),
    detail: z.record(z.string(), z.unknown()),
  }),
);

export const auditLog = new Hono<AdminEnv>();

auditLog.get("/:org/audit-log", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "audit_log");
  const { limit, cursor, ...filters } = readQuery(c, AuditLogQuery);
  const before = positionOf({ list: "audit-log", org }, cursor);
  const rows = await listAuditLog(c.env, { org, ...filters, before, limit: limit + 1 });
  const answer: z.infer<typeof AuditLogAnswer> = paged(rows, { list: "audit-log", org, limit }, ({ id }) => id);
  return c.json(answer);
});

auditLog.get("/:org/audit-log/export", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "audit_log");
  const { format, ...filters } = readQuery(c, AuditLogExportQuery);
  const read = (page: { before: string | undefined; limit: number }) =>
    listAuditLog(c.env, { org, ...filters, ...page });
  return exportRows({ name: `${org}-audit-log`, form: rowsAs(AUDIT_COLUMNS, format), read });
});
