// What the audit log holds of no organization, for the operator.
import { Hono } from "hono";
import * as z from "zod";
import { listInstallationLog } from "../../store/installation-log.ts";
import { type AdminEnv, requireOperator } from "../authorize.ts";
import type { AuditLogAnswer } from "./audit-log.ts";
import { PAGE_QUERY, paged, positionOf } from "./page.ts";
import { readQuery } from "./request.ts";

/** No organization has this id, so a cursor of one's list is none of this. */
const NO_ORG = "";

export const installationLog = new Hono<AdminEnv>();

installationLog.get("/", async (c) => {
  requireOperator(c);
  const { limit, cursor } = readQuery(c, z.strictObject(PAGE_QUERY));
  const list = { list: "audit-log", org: NO_ORG } as const;
  const rows = await listInstallationLog(c.env, { before: positionOf(list, cursor), limit: limit + 1 });
  const answer: z.infer<typeof AuditLogAnswer> = paged(rows, { ...list, limit }, ({ id }) => id);
  return c.json(answer);
});
