// The routes of Settings → Members: the list, and adding to it; one member, their role and tokens, and their removal.
import { type Context, Hono } from "hono";
import * as z from "zod";
import { findMember, listMembers, type Member, putMember, removeMember } from "../../store/members.ts";
import { issueToken, listTokens, newestTokens, revokeToken, wasIssued } from "../../store/tokens.ts";
import { MemberRole } from "../api/members.ts";
import { Name } from "../api/request.ts";
import type { AdminEnv } from "../authorize.ts";
import { Email } from "../email.ts";
import { invalid, Problem } from "../problem.ts";
import { enter } from "./access.ts";
import { ConfirmPage } from "./confirm-page.tsx";
import { madeOnce } from "./made-once.tsx";
import { MemberPage, type MemberView, SHOWN_TOKENS } from "./member-page.tsx";
import { memberPath } from "./member-words.ts";
import { MembersPage, type MembersView, SHOWN_TOKENS_EACH } from "./members-page.tsx";
import { postedForm } from "./posted-form.ts";

const PER_PAGE = 50;

export const members = new Hono<AdminEnv>();

members.get("/", async (c) => {
  const member = await enter(c, "members");
  const [added, removed] = [c.req.query("added"), c.req.query("removed")];
  const done = added ?? removed;
  const found = done === undefined ? null : await findMember(c.env, member.org, done);
  // Only what is so is said: an address in a link proves nothing.
  const message =
    added !== undefined && found
      ? `${found.email} is a member now, as ${found.role}.`
      : removed !== undefined && !found && Email.safeParse(removed).success
        ? `${removed} is no member any more.`
        : undefined;
  return c.html(MembersPage({ ...(await look(c, member)), message }));
});

members.post("/", async (c) => {
  const member = await enter(c, "members");
  const form = await postedForm(c);
  const entered = { email: (form.get("email") ?? "").trim(), role: form.get("role") ?? "" };
  const rejected = async (status: 409 | 422, errors: Partial<typeof entered>) =>
    c.html(MembersPage({ ...(await look(c, member)), entered, errors }), status);
  const email = Email.safeParse(entered.email);
  const role = MemberRole.safeParse(entered.role);
  if (!email.success || !role.success)
    return rejected(422, {
      ...(!email.success && { email: "Enter an email address, such as name@example.com." }),
      ...(!role.success && { role: "Choose owner, admin or developer." }),
    });
  if (await findMember(c.env, member.org, email.data))
    return rejected(409, { email: `${email.data} is a member already; open their page to change the role.` });
  await putMember(c.env, { org: member.org, email: email.data, role: role.data, actor: member.email });
  return c.redirect(`/settings/members?added=${encodeURIComponent(email.data)}`, 303);
});

members.get("/:email", async (c) => {
  const view = await lookAt(c);
  const { role } = view.shown;
  return c.html(MemberPage(c.req.query("role") === role ? { ...view, message: `The role is ${role} now.` } : view));
});

members.post("/:email/role", async (c) => {
  const view = await lookAt(c);
  const { member, shown } = view;
  const role = MemberRole.safeParse((await postedForm(c)).get("role"));
  if (!role.success) throw invalid([{ path: "role", message: "must be owner, admin or developer" }]);
  const { email } = shown;
  if (await putMember(c.env, { org: member.org, email, role: role.data, actor: member.email }))
    return c.redirect(`${memberPath(email)}?role=${role.data}`, 303);
  return c.html(MemberPage({ ...view, role: { entered: role.data, error: LAST_OWNER } }), 409);
});

members.post("/:email/tokens", async (c) => {
  const view = await lookAt(c);
  const { member, shown } = view;
  const form = await postedForm(c);
  const entered = { name: (form.get("name") ?? "").trim(), expires: form.get("expires") ?? "" };
  const name = Name.safeParse(entered.name);
  const expires = expiryOf(entered.expires, Date.now());
  if ((entered.name !== "" && !name.success) || !expires.ok) {
    const errors = {
      ...(entered.name !== "" && !name.success && { name: "At most 100 characters, on one line." }),
      ...(!expires.ok && { expires: "Choose a day that is not over yet, or none." }),
    };
    return c.html(MemberPage({ ...view, issue: { entered, errors } }), 422);
  }
  const { org } = member;
  const asked = { name: name.success ? name.data : null, expires_at: expires.at };
  const issued = await madeOnce(form, {
    kind: "tok",
    make: (id) => issueToken(c.env, { id, org, email: shown.email, ...asked, actor: member.email }),
    found: (id) => wasIssued(c.env, org, id),
    page: () => memberPath(shown.email),
  });
  // Shown in this answer and never again, so it does not redirect.
  return c.html(MemberPage({ ...view, tokens: [issued, ...view.tokens], issued }), 201);
});

members.get("/:email/remove", async (c) => {
  return c.html(removal(await lookAt(c)));
});

members.post("/:email/remove", async (c) => {
  const view = await lookAt(c);
  const { member } = view;
  const { email } = view.shown;
  switch (await removeMember(c.env, { org: member.org, email, actor: member.email })) {
    case "last_owner":
      return c.html(removal(view, LAST_OWNER), 409);
    case "removed":
    // Somebody else was quicker.
    case "not_found":
      return c.redirect(`/settings/members?removed=${encodeURIComponent(email)}`, 303);
  }
});

members.get("/:email/tokens/:id/revoke", async (c) => {
  const { member, settings, shown, tokens } = await lookAt(c);
  const token = tokens.find(({ id }) => id === c.req.param("id"));
  if (!token) throw noSuchToken();
  const path = memberPath(shown.email);
  return c.html(
    ConfirmPage({
      member,
      settings,
      current: "/settings/members",
      title: `Revoke ${token.name ?? "the token"} ${token.prefix}…?`,
      action: `${path}/tokens/${token.id}/revoke`,
      button: "Revoke",
      back: path,
      children: (
        <>
          <p>
            Whatever signs in or calls the admin API with this token of {shown.email} is refused from then on, and
            sessions opened with it end.
          </p>
          <p>It cannot be undone; issue another one instead.</p>
        </>
      ),
    }),
  );
});

members.post("/:email/tokens/:id/revoke", async (c) => {
  const view = await lookAt(c);
  const { member, shown } = view;
  const id = c.req.param("id");
  const revoked = await revokeToken(c.env, { org: member.org, email: shown.email, id, actor: member.email });
  if (!revoked) throw noSuchToken();
  const tokens = view.tokens.filter((token) => token.id !== id);
  return c.html(MemberPage({ ...view, tokens, message: "The token is revoked, and its sessions have ended." }));
});

const LAST_OWNER = "This is the last owner, and an organization keeps at least one. Make somebody else an owner first.";

function removal({ member, settings, shown: { email, role } }: MemberView, error?: string) {
  const yourself = email === member.email;
  return ConfirmPage({
    member,
    settings,
    current: "/settings/members",
    title: `Remove ${email}?`,
    error,
    action: `${memberPath(email)}/remove`,
    button: yourself ? "Remove myself" : "Remove",
    back: memberPath(email),
    children: (
      <>
        <p>
          {yourself ? "You are" : `${email} is`} {role} of {member.org_name}. {yourself ? "Your" : "Their"} admin tokens
          stop working and {yourself ? "you are" : "they are"} signed out, at once.
        </p>
        <p>API keys stay: they belong to projects.</p>
      </>
    ),
  });
}

/** What the list shows. */
async function look(c: Context<AdminEnv>, member: Member): Promise<MembersView> {
  const after = c.req.query("after")?.trim() || undefined;
  const { org } = member;
  const found = await listMembers(c.env, { org, after, limit: PER_PAGE + 1 });
  const shown = found.slice(0, PER_PAGE);
  const emails = shown.map(({ email }) => email);
  const tokens = await newestTokens(c.env, { org, emails, each: SHOWN_TOKENS_EACH });
  const next = found.length > PER_PAGE ? emails.at(-1) : undefined;
  return { member, settings: c.get("settings"), members: shown, tokens, after, next, now: Date.now() };
}

/** The member whose page it is, for an owner. Throws 404 when the organization has none of that address. */
async function lookAt(c: Context<AdminEnv>): Promise<MemberView> {
  const member = await enter(c, "members");
  const email = Email.safeParse(c.req.param("email"));
  const shown = email.success ? await findMember(c.env, member.org, email.data) : null;
  if (!shown) throw new Problem({ status: 404, code: "not_found", detail: "There is no such member." });
  const tokens = await listTokens(c.env, { org: member.org, email: shown.email, limit: SHOWN_TOKENS + 1 });
  return { member, settings: c.get("settings"), shown, tokens, now: Date.now() };
}

/** The end of a day as a form has it, YYYY-MM-DD in UTC, or none. */
function expiryOf(entered: string, now: number): { ok: true; at: string | null } | { ok: false; at: null } {
  if (entered === "") return { ok: true, at: null };
  const at = z.iso.date().safeParse(entered).success ? `${entered}T23:59:59.999Z` : "";
  return Date.parse(at) > now ? { ok: true, at } : { ok: false, at: null };
}

function noSuchToken(): Problem {
  return new Problem({ status: 404, code: "not_found", detail: "There is no such token." });
}
