// The routes of one project: show, preview (a page, or fragments for htmx) and save its policy; rename and remove it.
import { type Context, Hono } from "hono";
import * as z from "zod";
import { EMPTY_POLICY, type StoredPolicy } from "../../compliance/policy.ts";
import { listKeys } from "../../store/keys.ts";
import type { Member } from "../../store/members.ts";
import { findOrg } from "../../store/orgs.ts";
import { renameProject } from "../../store/projects.ts";
import { edgeOf } from "../api/edge-of.ts";
import { Name } from "../api/request.ts";
import type { AdminEnv } from "../authorize.ts";
import { changeInWords } from "../change-in-words.ts";
import { DOUBTS } from "../confirmation.ts";
import { withoutEffect } from "../no-effect.ts";
import { type PolicySave, readableCatalog } from "../policy.ts";
import { invalid, noSuchOrg, noSuchProject } from "../problem.ts";
import { readProjectPolicy, saveProjectPolicy } from "../project-policy.ts";
import { unmakeProject } from "../projects.ts";
import { provenanceOf } from "../provenance.ts";
import { enter } from "./access.ts";
import { isConfirmed } from "./confirm.tsx";
import { ConfirmPage } from "./confirm-page.tsx";
import { LISTS, NOTHING_TYPED, readDraft } from "./draft.ts";
import { touchedBy } from "./fragments.tsx";
import { projectImpactOf } from "./impact-of.ts";
import { savedSince } from "./overtaken.ts";
import { projectPlace } from "./policy-place.ts";
import { readFields, UNFILLED } from "./posted-fields.ts";
import { postedForm } from "./posted-form.ts";
import { ProjectFragments, ProjectPage, type ProjectView } from "./project-page.tsx";
import { NO_REASON, typedReason } from "./reason.tsx";

const RenameForm = z.object({ name: Name });

export const project = new Hono<AdminEnv>();

project.get("/:project", async (c) => {
  const view = await look(c, await enter(c, "policy"), c.req.param("project"));
  const { revision } = view.newest.record;
  const saved = Number(c.req.query("saved")) === revision;
  const message = { kind: "good", title: `Saved as revision ${revision}`, lines: [view.newest.change] } as const;
  return c.html(ProjectPage(saved ? { ...view, message } : view));
});

project.post("/:project/preview", async (c) => {
  const member = await enter(c, "policy");
  const form = await postedForm(c);
  const view = await look(c, member, c.req.param("project"), form);
  return c.html(<ProjectFragments {...view} touched={touchedBy(form)} />);
});

project.post("/:project", async (c) => {
  const member = await enter(c, "policy");
  const form = await postedForm(c);
  const view = await look(c, member, c.req.param("project"), form);
  const { draft, newest, own, reason, confirmed } = view;
  if (form.get("intent") === "preview") return c.html(ProjectPage(view));
  if (reason.error) return rejected(c, view, 422, [reason.error]);
  if (LISTS.some((list) => draft.typed[list].error))
    return rejected(c, view, 422, ["An entry of the exceptions cannot be added; see below."]);
  const base = Number(form.get("on-top-of") ?? draft.base);
  if (own && changeInWords(own, draft.policy) === "" && base === newest.record.revision)
    return c.html(ProjectPage({ ...view, message: { kind: "good", title: "There is nothing to save", lines: [] } }));
  const saving = { member, base, from: provenanceOf(c, "page"), reason: reason.text, confirmed };
  const result = await saveProjectPolicy(edgeOf(c), { ...saving, project: view.project.id, policy: draft.policy });
  return answerSave(c, result, { view, again: () => look(c, member, view.project.id, form) });
});

project.post("/:project/switch-off", async (c) => {
  const member = await enter(c, "policy");
  const base = Number((await postedForm(c)).get("base"));
  const view = await look(c, member, c.req.param("project"));
  const policy = { ...(view.own ?? EMPTY_POLICY), enabled: false };
  const saving = { member, base, from: provenanceOf(c, "page") };
  const result = await saveProjectPolicy(edgeOf(c), { ...saving, project: view.project.id, policy });
  return answerSave(c, result, { view, again: () => look(c, member, view.project.id) });
});

project.get("/:project/remove-policy", async (c) => {
  const member = await enter(c, "policy");
  const { project, settings, newest } = await look(c, member, c.req.param("project"));
  const { page } = projectPlace(project.id);
  return c.html(
    ConfirmPage({
      member,
      settings,
      current: "/settings/projects",
      title: `Remove the policy of ${project.name}?`,
      action: `${page}/remove-policy`,
      fields: { base: newest.record.revision },
      button: "Remove its policy",
      back: page,
      children: (
        <p>The policy of {member.org_name} then applies to the project alone. Earlier revisions keep this one.</p>
      ),
    }),
  );
});

project.post("/:project/remove-policy", async (c) => {
  const member = await enter(c, "policy");
  const base = Number((await postedForm(c)).get("base"));
  const view = await look(c, member, c.req.param("project"));
  const saving = { member, base, from: provenanceOf(c, "page") };
  const result = await saveProjectPolicy(edgeOf(c), { ...saving, project: view.project.id, policy: null });
  return answerSave(c, result, { view, again: () => look(c, member, view.project.id) });
});

project.post("/:project/name", async (c) => {
  const member = await enter(c, "keys");
  const id = c.req.param("project");
  const read = readFields(await postedForm(c), RenameForm);
  if (!read.ok) return c.html(ProjectPage({ ...(await look(c, member, id)), renaming: read.filled }), 422);
  const renamed = await renameProject(c.env, { org: member.org, id, name: read.fields.name, actor: member.email });
  if (!renamed) throw noSuchProject();
  return c.redirect(projectPlace(id).page, 303);
});

project.get("/:project/remove", async (c) => {
  const member = await enter(c, "keys");
  const { project, settings } = await look(c, member, c.req.param("project"));
  const { page } = projectPlace(project.id);
  return c.html(
    ConfirmPage({
      member,
      settings,
      current: "/settings/projects",
      title: `Remove the project ${project.name}?`,
      action: `${page}/remove`,
      button: "Remove project",
      back: page,
      children: <p>It never had a key and carries no policy, so nothing that is enforced changes.</p>,
    }),
  );
});

project.post("/:project/remove", async (c) => {
  const { org, email: actor } = await enter(c, "keys");
  await unmakeProject(c.env, { org, id: c.req.param("project"), actor });
  return c.redirect("/settings/projects", 303);
});

/** The page after a save: of the new revision, or as it was, with what kept it from being saved. */
async function answerSave(
  c: Context<AdminEnv>,
  result: PolicySave,
  { view, again }: { view: ProjectView; again: () => Promise<ProjectView> },
): Promise<Response> {
  switch (result.kind) {
    case "saved":
      return c.redirect(`${projectPlace(view.project.id).page}?saved=${result.revision}`, 303);
    case "conflict": {
      const { created_by, record } = result.newest;
      const why = `${created_by} saved revision ${record.revision} first. Look at it, then save on top of it.`;
      return rejected(c, await again(), 409, [why]);
    }
    case "plan_required":
      return rejected(c, view, 403, [
        "Editing a project's policy is part of the enterprise plan; an owner may always switch it off.",
      ]);
    case "invalid":
      return rejected(
        c,
        view,
        422,
        result.errors.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)),
      );
    case "unconfirmed":
      return rejected(c, view, 409, [DOUBTS[result.doubt], "Confirm it at the foot of the page, and save again."]);
  }
}

function rejected(c: Context<AdminEnv>, view: ProjectView, status: 403 | 409 | 422, lines: readonly string[]) {
  return c.html(ProjectPage({ ...view, message: { kind: "bad", title: "Not saved", lines } }), status);
}

/** Gathers what the page shows: of the posted form, or of the policy in force when there is none. */
async function look(c: Context<AdminEnv>, member: Member, id: string, form?: URLSearchParams): Promise<ProjectView> {
  const edge = edgeOf(c);
  const { env } = c;
  const [org, catalog, { project, newest, policy: own }, keys] = await Promise.all([
    findOrg(env, member.org),
    readableCatalog(edge),
    readProjectPolicy(env, member.org, id),
    listKeys(env, { org: member.org, project: id, limit: 1 }),
  ]);
  if (!org) throw noSuchOrg();
  const { record } = newest;
  const policy: StoredPolicy = own ?? EMPTY_POLICY;
  const draft = form ? readDraft(form, catalog) : { base: record.revision, policy, typed: NOTHING_TYPED };
  if (!draft) throw invalid([{ path: "", message: "This is not a form that the page sends." }]);
  const now = Date.now();
  return {
    member,
    settings: edge.settings,
    org,
    project,
    neverUsed: keys.length === 0,
    catalog,
    newest,
    since: await savedSince(env, draft.base, record),
    draft,
    own,
    outcome: projectImpactOf(draft.policy, { record, project: id, catalog, now }),
    noEffect: withoutEffect(record.policy, draft.policy),
    renaming: UNFILLED,
    reason: form ? typedReason(form) : NO_REASON,
    confirmed: isConfirmed(form ?? null),
    now,
  };
}
