// Revisions and the audit log.
import { AuditLogAnswer, AuditLogExportQuery, AuditLogQuery } from "../../api/audit-log.ts";
import { PageQuery } from "../../api/page.ts";
import { PolicyQuery, PolicySavedAnswer } from "../../api/policy.ts";
import { ComparisonAnswer, RestoreBody, RevisionAnswer, RevisionsAnswer } from "../../api/revisions.ts";
import { AT, CSV, CURSOR, OWNER, POLICY, PREVIEW, REVISED } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

const CHANGE = "Now blocks xai.";
const DIFFERENCE = [{ path: "policy.providers.block", added: ["xai"], removed: [] }];
const ENTRY = {
  id: "log_01KAS61KM16VDC2WEWMQBCQ9Z6",
  at: AT,
  org: "acme",
  actor: OWNER,
  action: "policy.save",
  target: "acme",
  detail: { revision: 7, change: CHANGE },
};
const REVISION = {
  revision: 7,
  policy: POLICY,
  routing: { auto: [] },
  change: CHANGE,
  difference: DIFFERENCE,
  reason: "Decided by the risk committee",
  restores: null,
  via: "api",
  country: "FR",
  created_at: AT,
  created_by: OWNER,
};

export const history: Group = {
  title: "History",
  description: "Every revision of the policy, with who, when, from where and why; and every administrative act.",
  operations: [
    {
      id: "listRevisions",
      method: "get",
      path: `${ORG_PATH}/policy/revisions`,
      summary: "List the revisions, newest first",
      who: "policy",
      query: PageQuery,
      answer: { schema: { RevisionsAnswer }, example: { data: [REVISION], next_cursor: null } },
    },
    {
      id: "readRevision",
      method: "get",
      path: `${ORG_PATH}/policy/revisions/{revision}`,
      summary: "Read one revision",
      who: "policy",
      answer: { schema: { RevisionAnswer }, example: REVISION },
    },
    {
      id: "compareRevisions",
      method: "get",
      path: `${ORG_PATH}/policy/revisions/{from}/compare/{to}`,
      summary: "Compare two revisions",
      details: "In words, as data, and by its effect on the catalog in force today.",
      who: "policy",
      answer: {
        schema: { ComparisonAnswer },
        example: { from: 6, to: 7, change: CHANGE, difference: DIFFERENCE, effect: PREVIEW },
      },
      problems: { 503: ["unavailable"] },
    },
    {
      id: "restoreRevision",
      method: "post",
      path: `${ORG_PATH}/policy/revisions/{revision}/restore`,
      summary: "Bring a revision's policy back, as a new revision",
      details: "The policy alone, as it was; all else stays as it is now.",
      who: "policy",
      query: PolicyQuery,
      ifMatch: "required",
      body: { schema: { RestoreBody }, example: {}, optional: true },
      answer: {
        schema: { PolicySavedAnswer },
        example: { policy: POLICY, ...REVISED, change: `Restored revision 5. ${CHANGE}`, published: true },
        headers: ["etag"],
      },
      problems: { 403: ["plan_required"], 409: ["confirmation_required"] },
    },
    {
      id: "listAuditLog",
      method: "get",
      path: `${ORG_PATH}/audit-log`,
      summary: "List what was done to the organization, newest first",
      who: "audit_log",
      query: AuditLogQuery,
      answer: { schema: { AuditLogAnswer }, example: { data: [ENTRY], next_cursor: CURSOR } },
    },
    {
      id: "exportAuditLog",
      method: "get",
      path: `${ORG_PATH}/audit-log/export`,
      summary: "Download the audit log",
      details: "Newest first, as it is read: an answer that breaks off is incomplete.",
      who: "audit_log",
      query: AuditLogExportQuery,
      answer: {
        texts: {
          "application/x-ndjson": {
            description: "One entry a line.",
            lines: { AuditLogEntry: AuditLogAnswer.shape.data.element },
          },
          "text/csv": { description: CSV },
        },
      },
    },
    {
      id: "listInstallationLog",
      method: "get",
      path: "/admin/api/audit-log",
      summary: "List what was done to no organization, newest first",
      details: "Such as refused sign-ins of nobody known.",
      who: "operator",
      query: PageQuery,
      answer: {
        schema: { AuditLogAnswer },
        example: {
          data: [
            {
              ...ENTRY,
              org: null,
              actor: "anonymous",
              action: "sign_in.refuse",
              target: "unknown",
              detail: { way: "bearer", reason: "unknown_token" },
            },
          ],
          next_cursor: null,
        },
      },
    },
  ],
};
