// A project's own policy: read, save on top of a known revision of the organization, preview, take away.
import { type Context, Hono } from "hono";
import * as z from "zod";
import { StoredPolicy } from "../../compliance/policy.ts";
import { loadCatalog } from "../../store/edge.ts";
import { Id } from "../../store/records.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { withoutEffect } from "../no-effect.ts";
import { draftErrors } from "../policy.ts";
import { invalid } from "../problem.ts";
import { previewProjectPolicy, readProjectPolicy, saveProjectPolicy } from "../project-policy.ts";
import { provenanceOf } from "../provenance.ts";
import { edgeOf } from "./edge-of.ts";
import { PolicyAnswer, PolicyBody, PolicyQuery, PolicySavedAnswer, savedBy } from "./policy.ts";
import { PreviewAnswer } from "./preview.ts";
import { readIfMatch, readJson, readQuery } from "./request.ts";

/** What in the project's policy asks for less than the organization's, and so changes nothing. */
const NO_EFFECT = {
  no_effect: z.array(z.strictObject({ path: z.string(), entries: z.array(z.string()), message: z.string() })),
};
/** `policy` is null while the organization's applies to the project alone. */
const OF_PROJECT = { project: Id, policy: StoredPolicy.nullable(), ...NO_EFFECT };

export const ProjectPolicyAnswer = PolicyAnswer.extend(OF_PROJECT);
export const ProjectPolicySavedAnswer = PolicySavedAnswer.extend(OF_PROJECT);
export const ProjectPreviewAnswer = PreviewAnswer.extend(NO_EFFECT);

export const projectPolicy = new Hono<AdminEnv>();

projectPolicy.get("/:org/projects/:project/policy", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "policy");
  const { newest, record, policy, project } = await readProjectPolicy(c.env, org, c.req.param("project"));
  const answer: z.infer<typeof ProjectPolicyAnswer> = {
    project: project.id,
    policy,
    revision: record.revision,
    updated_at: newest.created_at,
    updated_by: newest.created_by,
    no_effect: policy ? withoutEffect(record.policy, policy) : [],
  };
  return c.json(answer, 200, { etag: `"${record.revision}"` });
});

projectPolicy.put("/:org/projects/:project/policy", async (c) => {
  requireMember(c, c.req.param("org"), "policy");
  return change(c, c.req.param(), await readJson(c, PolicyBody));
});

projectPolicy.delete("/:org/projects/:project/policy", (c) => change(c, c.req.param(), null));

projectPolicy.post("/:org/projects/:project/policy/preview", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "policy");
  const draft = await readJson(c, PolicyBody);
  const edge = edgeOf(c);
  const { record, policy, project } = await readProjectPolicy(c.env, org, c.req.param("project"));
  const errors = await draftErrors(edge, draft, policy ?? undefined);
  if (errors.length > 0) throw invalid(errors);
  const judged = { record, project: project.id, catalog: await loadCatalog(edge), now: Date.now() };
  const answer: z.infer<typeof ProjectPreviewAnswer> = {
    ...previewProjectPolicy(draft, judged),
    no_effect: withoutEffect(record.policy, draft),
  };
  return c.json(answer);
});

async function change(
  c: Context<AdminEnv>,
  { org, project }: { org: string; project: string },
  policy: StoredPolicy | null,
): Promise<Response> {
  const member = requireMember(c, org, "policy");
  const { reason, confirm } = readQuery(c, PolicyQuery);
  const saving = { member, base: readIfMatch(c), from: provenanceOf(c, "api"), reason, confirmed: !!confirm };
  const { record, revised } = savedBy(await saveProjectPolicy(edgeOf(c), { ...saving, project, policy }));
  const answer: z.infer<typeof ProjectPolicySavedAnswer> = {
    project,
    policy,
    ...revised,
    no_effect: policy ? withoutEffect(record.policy, policy) : [],
  };
  return c.json(answer, 200, { etag: `"${record.revision}"` });
}
