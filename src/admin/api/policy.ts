// The policy: read, save on top of a known revision, preview. And routing, which is part of the same revisions.
import { Hono } from "hono";
import * as z from "zod";
import { StoredPolicy } from "../../compliance/policy.ts";
import { resolveTarget } from "../../routing/target.ts";
import { loadCatalog } from "../../store/edge.ts";
import { OrgRecord } from "../../store/records.ts";
import type { Revision } from "../../store/revisions.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { CONFIRM_NO_PROVIDERS, DOUBTS } from "../confirmation.ts";
import { draftErrors, type PolicySave, previewPolicy, readPolicy, savePolicy, saveRouting } from "../policy.ts";
import { invalid, Problem } from "../problem.ts";
import { provenanceOf } from "../provenance.ts";
import { edgeOf } from "./edge-of.ts";
import type { PreviewAnswer } from "./preview.ts";
import { PUBLICATION, publicationOf } from "./publication.ts";
import { Reason, readIfMatch, readJson, readQuery } from "./request.ts";

/** Names that a build does not know are refused after this, with what it does know; those in force may stay. */
export const PolicyBody = StoredPolicy;
export const RoutingBody = OrgRecord.shape.routing;

/** What may be said beside a change; in the query, since a header takes no more than Latin letters. */
export const RoutingQuery = z.strictObject({ reason: Reason.optional() });
export const PolicyQuery = RoutingQuery.extend({ confirm: z.literal(CONFIRM_NO_PROVIDERS).optional() });

const REVISED = { revision: z.number().int(), updated_at: z.iso.datetime(), updated_by: z.string() };
export const PolicyAnswer = z.strictObject({ policy: StoredPolicy, ...REVISED });
export const PolicySavedAnswer = PolicyAnswer.extend({ change: z.string(), ...PUBLICATION });
export const RoutingSavedAnswer = z.strictObject({
  routing: RoutingBody,
  ...REVISED,
  change: z.string(),
  ...PUBLICATION,
});

export const policy = new Hono<AdminEnv>();

policy.get("/:org/policy", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "policy");
  const { policy: inForce, revision, updated_at, updated_by } = await readPolicy(c.env, org);
  const answer: z.infer<typeof PolicyAnswer> = { policy: inForce, revision, updated_at, updated_by };
  return c.json(answer, 200, { etag: `"${revision}"` });
});

policy.put("/:org/policy", async (c) => {
  const member = requireMember(c, c.req.param("org"), "policy");
  const { reason, confirm } = readQuery(c, PolicyQuery);
  const draft = await readJson(c, PolicyBody);
  const saving = { member, base: readIfMatch(c), from: provenanceOf(c, "api"), reason, confirmed: !!confirm };
  const { record, revised } = savedBy(await savePolicy(edgeOf(c), { ...saving, policy: draft }));
  const answer: z.infer<typeof PolicySavedAnswer> = { policy: record.policy, ...revised };
  return c.json(answer, 200, { etag: `"${record.revision}"` });
});

policy.post("/:org/policy/preview", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "policy");
  const draft = await readJson(c, PolicyBody);
  const edge = edgeOf(c);
  const { record } = await readPolicy(c.env, org);
  const errors = await draftErrors(edge, draft, record.policy);
  if (errors.length > 0) throw invalid(errors);
  const catalog = await loadCatalog(edge);
  const answer: z.infer<typeof PreviewAnswer> = previewPolicy(draft, { record, catalog, now: Date.now() });
  return c.json(answer);
});

policy.put("/:org/routing", async (c) => {
  const member = requireMember(c, c.req.param("org"), "policy");
  const { reason } = readQuery(c, RoutingQuery);
  const routing = await readJson(c, RoutingBody);
  const edge = edgeOf(c);
  const catalog = await loadCatalog(edge);
  const errors = routing.auto.flatMap((name, index) => {
    const target = resolveTarget(name, catalog);
    return target.kind === "found" ? [] : [{ path: `auto.${index}`, message: target.why }];
  });
  if (errors.length > 0) throw invalid(errors);
  const base = c.req.header("if-match") === undefined ? undefined : readIfMatch(c);
  const saving = { member, base, from: provenanceOf(c, "api"), reason };
  const { record, revised } = savedBy(await saveRouting(edge, { ...saving, routing }));
  const answer: z.infer<typeof RoutingSavedAnswer> = { routing: record.routing, ...revised };
  return c.json(answer, 200, { etag: `"${record.revision}"` });
});

/** What was saved, as it is answered. Throws the problem that kept it from being saved. */
export function savedBy(result: PolicySave) {
  switch (result.kind) {
    case "saved": {
      const { record, created_at, created_by, change } = result.saved;
      const publication = publicationOf(result.published, `Revision ${record.revision} is saved`);
      const revised = { revision: record.revision, updated_at: created_at, updated_by: created_by, change };
      return { record, revised: { ...revised, ...publication } };
    }
    case "conflict":
      throw stale(result.newest);
    case "plan_required":
      throw new Problem({
        status: 403,
        code: "plan_required",
        detail:
          "Changing the policy is part of the enterprise plan. What is stored stays enforced; an owner may switch it off.",
      });
    case "invalid":
      throw invalid(result.errors);
    case "unconfirmed":
      throw new Problem({
        status: 409,
        code: "confirmation_required",
        detail: `${DOUBTS[result.doubt]} Nothing was saved. To save it all the same, repeat the call with ?confirm=${CONFIRM_NO_PROVIDERS}.`,
        extras: { doubt: result.doubt },
      });
  }
}

function stale({ record: { revision }, created_at, created_by, change }: Revision): Problem {
  return new Problem({
    status: 412,
    code: "stale_revision",
    detail: `${created_by} saved revision ${revision} at ${created_at}: ${change} Read it, and make your change on top of it.`,
    extras: { revision, updated_at: created_at, updated_by: created_by, change },
  });
}
