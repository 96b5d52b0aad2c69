// Organizations: the operator creates them and sets their plan, and sees nothing of what they decide.
import { Hono } from "hono";
import * as z from "zod";
import { Policy } from "../../compliance/policy.ts";
import { changeOrg, createOrg, findOrg } from "../../store/orgs.ts";
import { publishOrg } from "../../store/publish.ts";
import { Id } from "../../store/records.ts";
import { type AdminEnv, requireOperator } from "../authorize.ts";
import { draftErrors } from "../policy.ts";
import { invalid, noSuchOrg, Problem } from "../problem.ts";
import { provenanceOf } from "../provenance.ts";
import { edgeOf } from "./edge-of.ts";
import { PUBLICATION, publicationOf } from "./publication.ts";
import { Name, readJson } from "./request.ts";

const Plan = z.enum(["free", "pro", "enterprise"]);

export const NewOrg = z.strictObject({
  id: Id,
  name: Name,
  plan: Plan,
  /** The organization's first policy; without one it starts with none in force. */
  policy: Policy.optional(),
});

export const OrgChange = z
  .strictObject({ name: Name.optional(), plan: Plan.optional() })
  .refine(({ name, plan }) => name !== undefined || plan !== undefined, "must name what to change: name or plan");

export const OrgAnswer = z.strictObject({ id: Id, name: z.string(), plan: Plan, created_at: z.iso.datetime() });
export const NewOrgAnswer = OrgAnswer.extend({ revision: z.literal(1), ...PUBLICATION });

export const orgs = new Hono<AdminEnv>();

orgs.post("/", async (c) => {
  requireOperator(c);
  const asked = await readJson(c, NewOrg);
  const errors = asked.policy ? await draftErrors(edgeOf(c), asked.policy) : [];
  if (errors.length > 0) throw invalid(errors.map(({ path, message }) => ({ path: `policy.${path}`, message })));
  const org = (await createOrg(c.env, { ...asked, from: provenanceOf(c, "api") }))
    ? await findOrg(c.env, asked.id)
    : null;
  if (!org)
    throw new Problem({
      status: 409,
      code: "conflict",
      detail: `There is an organization ${asked.id} already.`,
      extras: { errors: [{ path: "id", message: "is taken" }] },
    });
  const { id, name, plan, created_at } = org;
  const publication = publicationOf(await publishOrg(c.env, id), "The organization was created");
  const answer: z.infer<typeof NewOrgAnswer> = { id, name, plan, created_at, revision: 1, ...publication };
  return c.json(answer, 201, { location: `/admin/api/orgs/${id}` });
});

orgs.patch("/:org", async (c) => {
  requireOperator(c, c.req.param("org"));
  const change = await readJson(c, OrgChange);
  const org = await findOrg(c.env, c.req.param("org"));
  if (!org) throw noSuchOrg();
  const { id, name, plan, created_at } = await changeOrg(c.env, org, change);
  const answer: z.infer<typeof OrgAnswer> = { id, name, plan, created_at };
  return c.json(answer);
});
