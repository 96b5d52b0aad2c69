// Who did what to the organization: the audit log.
import { Hono } from "hono";
import * as z from "zod";
import { listAuditLog } from "../../store/audit-log.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { PAGE_QUERY, paged, pageOf, positionOf } from "./page.ts";
import { readQuery } from "./request.ts";

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

export const history = new Hono<AdminEnv>();

history.get("/:org/audit-log", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "audit_log");
  const { limit, cursor } = readQuery(c, z.strictObject(PAGE_QUERY));
  const before = positionOf({ list: "audit-log", org }, cursor);
  const rows = await listAuditLog(c.env, { org, before, limit: limit + 1 });
  const answer: z.infer<typeof AuditLogAnswer> = paged(rows, { list: "audit-log", org, limit }, ({ id }) => id);
  return c.json(answer);
});
