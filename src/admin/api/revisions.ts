// Revisions: the list, one of them, the comparison of two, and restoring one as a new one.
import { Hono } from "hono";
import * as z from "zod";
import { loadCatalog } from "../../store/edge.ts";
import { OrgRecord } from "../../store/records.ts";
import { DOORS } from "../../store/revisions.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { changeInWords } from "../change-in-words.ts";
import { Difference, differenceBetween } from "../difference.ts";
import { previewPolicy, restorePolicy } from "../policy.ts";
import { provenanceOf } from "../provenance.ts";
import { type ExplainedRevision, explainedRevision, explainedRevisions, revisionNamed } from "../revisions.ts";
import { edgeOf } from "./edge-of.ts";
import { PAGE_QUERY, paged, pageOf, positionOf } from "./page.ts";
import { PolicyQuery, type PolicySavedAnswer, savedBy } from "./policy.ts";
import { PreviewAnswer } from "./preview.ts";
import { readIfMatch, readJson, readQuery } from "./request.ts";

export const RevisionAnswer = OrgRecord.pick({ revision: true, policy: true, routing: true }).extend({
  /** Against the revision before, in words and as data. */
  change: z.string(),
  difference: z.array(Difference),
  reason: z.string().nullable(),
  restores: z.number().int().nullable(),
  via: z.enum(DOORS),
  country: z.string().nullable(),
  created_at: z.iso.datetime(),
  created_by: z.string(),
});
export const RevisionsAnswer = pageOf(RevisionAnswer);

/** How `to` differs from `from`; `effect` is what a preview of the one over the other says. */
export const ComparisonAnswer = z.strictObject({
  from: z.number().int(),
  to: z.number().int(),
  change: z.string(),
  difference: z.array(Difference),
  effect: PreviewAnswer,
});

export const RestoreBody = z.strictObject({});

export const revisions = new Hono<AdminEnv>();

revisions.get("/:org/policy/revisions", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "policy");
  const { limit, cursor } = readQuery(c, z.strictObject(PAGE_QUERY));
  const before = Number(positionOf({ list: "revisions", org }, cursor) ?? Number.MAX_SAFE_INTEGER);
  const rows = (await explainedRevisions(c.env, { org, before, limit: limit + 1 })).map(answerOf);
  const answer: z.infer<typeof RevisionsAnswer> = paged(rows, { list: "revisions", org, limit }, ({ revision }) =>
    String(revision),
  );
  return c.json(answer);
});

revisions.get("/:org/policy/revisions/:revision", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "policy");
  return c.json(answerOf(await explainedRevision(c.env, org, c.req.param("revision"))));
});

revisions.get("/:org/policy/revisions/:from/compare/:to", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "policy");
  const [from, to] = await Promise.all([
    revisionNamed(c.env, org, c.req.param("from")),
    revisionNamed(c.env, org, c.req.param("to")),
  ]);
  const catalog = await loadCatalog(edgeOf(c));
  const answer: z.infer<typeof ComparisonAnswer> = {
    from: from.record.revision,
    to: to.record.revision,
    change: changeInWords(from.record.policy, to.record.policy),
    difference: differenceBetween(from.record, to.record),
    effect: previewPolicy(to.record.policy, { record: from.record, catalog, now: Date.now() }),
  };
  return c.json(answer);
});

revisions.post("/:org/policy/revisions/:revision/restore", async (c) => {
  const member = requireMember(c, c.req.param("org"), "policy");
  const { reason, confirm } = readQuery(c, PolicyQuery);
  await readJson(c, RestoreBody, { mayBeEmpty: true });
  const saving = { member, base: readIfMatch(c), from: provenanceOf(c, "api"), reason, confirmed: !!confirm };
  const { record, revised } = savedBy(await restorePolicy(edgeOf(c), { ...saving, revision: c.req.param("revision") }));
  const answer: z.infer<typeof PolicySavedAnswer> = { policy: record.policy, ...revised };
  return c.json(answer, 200, { etag: `"${record.revision}"` });
});

function answerOf({ record, ...rest }: ExplainedRevision): z.infer<typeof RevisionAnswer> {
  const { revision, policy, routing } = record;
  return { revision, policy, routing, ...rest };
}
