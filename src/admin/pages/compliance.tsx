// The routes of Settings → Compliance: show, preview (a page, or fragments for htmx) and save.
import { type Context, Hono } from "hono";
import type { Member } from "../../store/members.ts";
import { findOrg } from "../../store/orgs.ts";
import { edgeOf } from "../api/edge-of.ts";
import type { AdminEnv } from "../authorize.ts";
import { changeInWords } from "../change-in-words.ts";
import { DOUBTS } from "../confirmation.ts";
import { readableCatalog, readPolicy, savePolicy } from "../policy.ts";
import { invalid, noSuchOrg } from "../problem.ts";
import { provenanceOf } from "../provenance.ts";
import { enter } from "./access.ts";
import { CompliancePage, type ComplianceView, PreviewFragments } from "./compliance-page.tsx";
import { isConfirmed } from "./confirm.tsx";
import { type Draft, LISTS, NOTHING_TYPED, readDraft } from "./draft.ts";
import { touchedBy } from "./fragments.tsx";
import { impactOf } from "./impact-of.ts";
import { savedSince } from "./overtaken.ts";
import { postedForm } from "./posted-form.ts";
import { NO_REASON, typedReason } from "./reason.tsx";

export const compliance = new Hono<AdminEnv>();

compliance.get("/", async (c) => {
  const member = await enter(c, "policy");
  const { view } = await look(c, member, null);
  const saved = Number(c.req.query("saved"));
  const { revision } = view.newest.record;
  return c.html(
    CompliancePage(
      saved === revision
        ? { ...view, message: { kind: "good", title: `Saved as revision ${revision}`, lines: [view.newest.change] } }
        : view,
    ),
  );
});

compliance.post("/preview", async (c) => {
  const member = await enter(c, "policy");
  const form = await postedForm(c);
  const { view } = await look(c, member, form);
  return c.html(<PreviewFragments {...view} touched={touchedBy(form)} />);
});

compliance.post("/", async (c) => {
  const member = await enter(c, "policy");
  const form = await postedForm(c);
  const { view, onTopOf } = await look(c, member, form);
  const { draft, newest, reason, confirmed } = view;
  if (form.get("intent") === "preview") return c.html(CompliancePage(view));

  const rejected = (status: 403 | 409 | 422, title: string, lines: readonly string[]) =>
    c.html(CompliancePage({ ...view, message: { kind: "bad", title, lines } }), status);

  if (reason.error) return rejected(422, "Not saved", [reason.error]);
  if (LISTS.some((list) => draft.typed[list].error))
    return rejected(422, "Not saved", ["An entry of the exceptions cannot be added; see below."]);
  if (changeInWords(newest.record.policy, draft.policy) === "" && onTopOf === newest.record.revision)
    return c.html(CompliancePage({ ...view, message: { kind: "good", title: "There is nothing to save", lines: [] } }));

  const saving = { member, base: onTopOf, from: provenanceOf(c, "page"), reason: reason.text, confirmed };
  const result = await savePolicy(edgeOf(c), { ...saving, policy: draft.policy });
  switch (result.kind) {
    case "saved":
      return c.redirect(`/settings/compliance?saved=${result.revision}`, 303);
    case "conflict": {
      const { view: current } = await look(c, member, form);
      const { created_by, record } = result.newest;
      const title = `Not saved: ${created_by} saved revision ${record.revision} first`;
      const lines = ["Everything you entered is still here. The difference is at the foot of the page."];
      return c.html(CompliancePage({ ...current, message: { kind: "bad", title, lines } }), 409);
    }
    case "plan_required":
      return rejected(403, "Not saved", ["Editing the policy is part of the enterprise plan."]);
    case "invalid":
      return rejected(
        422,
        "Not saved",
        result.errors.map(({ path, message }) => `${path}: ${message}`),
      );
    case "unconfirmed":
      return rejected(409, "Not saved yet", [
        DOUBTS[result.doubt],
        "Confirm it at the foot of the page, and save again.",
      ]);
  }
});

compliance.post("/switch-off", async (c) => {
  const member = await enter(c, "policy");
  const base = Number((await postedForm(c)).get("base"));
  const { view } = await look(c, member, null);
  const policy = { ...view.newest.record.policy, enabled: false };
  const result = await savePolicy(edgeOf(c), { member, base, from: provenanceOf(c, "page"), policy });
  if (result.kind === "saved") return c.redirect(`/settings/compliance?saved=${result.revision}`, 303);
  const overtaken = result.kind === "conflict";
  const why = overtaken
    ? "The policy was changed meanwhile; look at it again first."
    : "Only an owner may switch it off.";
  const message = { kind: "bad", title: "Not switched off", lines: [why] } as const;
  return c.html(CompliancePage({ ...view, message }), overtaken ? 409 : 403);
});

/** Gathers what the page shows: of the posted form, or of the policy in force when there is none. */
async function look(
  c: Context<AdminEnv>,
  member: Member,
  form: URLSearchParams | null,
): Promise<{ view: ComplianceView; onTopOf: number }> {
  const edge = edgeOf(c);
  const [org, catalog, { newest }] = await Promise.all([
    findOrg(c.env, member.org),
    readableCatalog(edge),
    readPolicy(c.env, member.org),
  ]);
  if (!org) throw noSuchOrg();
  const { revision, policy } = newest.record;
  const draft: Draft | null = form ? readDraft(form, catalog) : { base: revision, policy, typed: NOTHING_TYPED };
  if (!draft) throw invalid([{ path: "", message: "This is not a form that the page sends." }]);
  const since = await savedSince(c.env, draft.base, newest.record);
  const now = Date.now();
  const outcome = impactOf(draft.policy, { record: newest.record, catalog, now });
  const reason = form ? typedReason(form) : NO_REASON;
  const confirmed = isConfirmed(form);
  const view = { member, settings: edge.settings, org, catalog, newest, since, draft, outcome, reason, confirmed, now };
  return { view, onTopOf: Number(form?.get("on-top-of") ?? draft.base) };
}
