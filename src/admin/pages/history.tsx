// The routes of Settings → Compliance → History: the revisions, the comparison of two, and restoring one.
import { type Context, Hono } from "hono";
import type { Member } from "../../store/members.ts";
import { findOrg, type Org } from "../../store/orgs.ts";
import { edgeOf } from "../api/edge-of.ts";
import type { AdminEnv } from "../authorize.ts";
import { DOUBTS } from "../confirmation.ts";
import { readableCatalog, readPolicy, restorePolicy } from "../policy.ts";
import { invalid, noSuchOrg } from "../problem.ts";
import { provenanceOf } from "../provenance.ts";
import { explainedRevision, explainedRevisions, REVISION_PATTERN, revisionNamed } from "../revisions.ts";
import { enter } from "./access.ts";
import { ComparePage } from "./compare-page.tsx";
import { isConfirmed } from "./confirm.tsx";
import { HistoryPage } from "./history-page.tsx";
import { impactOf } from "./impact-of.ts";
import { postedForm } from "./posted-form.ts";
import { NO_REASON, typedReason } from "./reason.tsx";
import { RestorePage, type RestoreView } from "./restore-page.tsx";

const PER_PAGE = 25;

export const history = new Hono<AdminEnv>();

history.get("/", async (c) => {
  const member = await enter(c, "policy");
  const before = c.req.query("before") || undefined;
  if (before !== undefined && !REVISION_PATTERN.test(before))
    throw invalid([{ path: "before", message: "is not a revision to continue after" }]);
  const [org, { newest }, found] = await Promise.all([
    orgOf(c, member),
    readPolicy(c.env, member.org),
    explainedRevisions(c.env, {
      org: member.org,
      before: Number(before ?? Number.MAX_SAFE_INTEGER),
      limit: PER_PAGE + 1,
    }),
  ]);
  const shown = found.slice(0, PER_PAGE);
  const older = found.length > PER_PAGE ? shown.at(-1)?.record.revision : undefined;
  return c.html(HistoryPage({ member, settings: c.get("settings"), org, newest, revisions: shown, before, older }));
});

history.get("/compare", async (c) => {
  const member = await enter(c, "policy");
  const edge = edgeOf(c);
  const { revision } = await readPolicy(c.env, member.org);
  const [from, to, catalog] = await Promise.all([
    revisionNamed(c.env, member.org, c.req.query("from") || String(Math.max(1, revision - 1))),
    revisionNamed(c.env, member.org, c.req.query("to") || String(revision)),
    readableCatalog(edge),
  ]);
  const now = Date.now();
  const outcome = impactOf(to.record.policy, { record: from.record, catalog, now });
  return c.html(ComparePage({ member, settings: edge.settings, from, to, newest: revision, outcome, now }));
});

history.get("/:revision/restore", async (c) => {
  const member = await enter(c, "policy");
  return c.html(RestorePage(await lookBack(c, member, null)));
});

history.post("/:revision/restore", async (c) => {
  const member = await enter(c, "policy");
  const form = await postedForm(c);
  const base = Number(form.get("base"));
  if (!Number.isSafeInteger(base) || base < 1)
    throw invalid([{ path: "", message: "This is not a form that the page sends." }]);
  const view = await lookBack(c, member, form);
  const rejected = (status: 403 | 409 | 422, title: string, lines: readonly string[], shown = view) =>
    c.html(RestorePage({ ...shown, message: { title, lines } }), status);

  const { reason, confirmed } = view;
  if (reason.error) return rejected(422, "Not restored", [reason.error]);
  const saving = { member, base, from: provenanceOf(c, "page"), reason: reason.text, confirmed };
  const result = await restorePolicy(edgeOf(c), { ...saving, revision: c.req.param("revision") });
  switch (result.kind) {
    case "saved":
      return c.redirect(`/settings/compliance?saved=${result.revision}`, 303);
    case "conflict": {
      const { created_by, record, change } = result.newest;
      const title = `Not restored: ${created_by} saved revision ${record.revision} first`;
      const lines = [change, "What restoring would change now is shown below."];
      return rejected(409, title, lines, await lookBack(c, member, form));
    }
    case "plan_required":
      return rejected(403, "Not restored", ["Changing the policy is part of the enterprise plan."]);
    case "invalid":
      return rejected(
        422,
        "Not restored",
        result.errors.map(({ path, message }) => `${path}: ${message}`),
      );
    case "unconfirmed":
      return rejected(409, "Not restored yet", [DOUBTS[result.doubt], "Confirm it below, and restore again."]);
  }
});

/** Gathers what restoring the revision in the path would do to the one in force. */
async function lookBack(c: Context<AdminEnv>, member: Member, form: URLSearchParams | null): Promise<RestoreView> {
  const edge = edgeOf(c);
  const [org, old, { newest }, catalog] = await Promise.all([
    orgOf(c, member),
    explainedRevision(c.env, member.org, c.req.param("revision") ?? ""),
    readPolicy(c.env, member.org),
    readableCatalog(edge),
  ]);
  const now = Date.now();
  const outcome = impactOf(old.record.policy, { record: newest.record, catalog, now });
  const reason = form ? typedReason(form) : NO_REASON;
  return {
    member,
    settings: edge.settings,
    org,
    old,
    newest,
    catalog,
    outcome,
    reason,
    confirmed: isConfirmed(form),
    now,
  };
}

async function orgOf(c: Context<AdminEnv>, member: Member): Promise<Org> {
  const org = await findOrg(c.env, member.org);
  if (!org) throw noSuchOrg();
  return org;
}
