// The columns of the audit log as CSV. Pure.
import type { AuditRow } from "../../store/audit-log.ts";
import { actInWords } from "../act-in-words.ts";
import type { Columns } from "./csv.ts";

export const AUDIT_COLUMNS = {
  id: ({ id }) => id,
  at: ({ at }) => at,
  org: ({ org }) => org,
  actor: ({ actor }) => actor,
  action: ({ action }) => action,
  target: ({ target }) => target,
  /** What was done, in words. */
  change: actInWords,
  /** As JSON. */
  detail: ({ detail }) => JSON.stringify(detail),
} satisfies Columns<AuditRow>;
