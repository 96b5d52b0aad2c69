// Who may see a page. Refuses by throwing; `refusals.tsx` makes pages of it.
import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import type { Member } from "../../store/members.ts";
import type { AdminEnv } from "../authorize.ts";
import { type Person, personAt } from "../person.ts";
import { invalid, Problem } from "../problem.ts";
import { may, PERMISSIONS, type Permission } from "../roles.ts";
import { changesNothing } from "../same-origin.ts";
import { ORGANIZATION_FIELD } from "./post-form.tsx";
import { postedForm } from "./posted-form.ts";

/** Which of their organizations somebody chose. A preference: it counts only among what they are a member of. */
export const ORGANIZATION_COOKIE = "__Host-portcullis-organization";

/** `__Host-` asks for the first two. */
export const COOKIE_RULES = { path: "/", secure: true, httpOnly: true, sameSite: "Lax" } as const;

/** The member who is signed in and whose role has the permission. Throws 403, and what {@link memberHere} does. */
export async function enter(c: Context<AdminEnv>, permission: Permission): Promise<Member> {
  const member = await memberHere(c);
  if (may(member.role, permission)) return member;
  throw new Problem({
    status: 403,
    code: "role_required",
    detail: `You are signed in as ${member.role === "developer" ? "a" : "an"} ${member.role}. This page of ${member.org_name} is for its ${PERMISSIONS[permission].map((role) => `${role}s`).join(" and ")}. The pages that you may see are named above.`,
  });
}

/**
 * The member who is signed in, whatever their role. Throws 401; 409 while they have to choose an organization, and for a
 * form of another organization's page; 400 for a form that names none.
 */
export async function memberHere(c: Context<AdminEnv>): Promise<Member> {
  const person = await personHere(c);
  const member = chosenOf(c, person);
  if (!member)
    throw new Problem({
      status: 409,
      code: "organization_required",
      detail: "You are a member of several organizations. Choose the one to see.",
    });
  c.set("principal", { kind: "member", member, via: person.via });
  if (!changesNothing(c)) requireOwnForm(await postedForm(c), person, member);
  return member;
}

/** Whoever is signed in. Throws 401 and 403. */
export async function personHere(c: Context<AdminEnv>): Promise<Person> {
  const person = await personAt(c, c.get("settings"));
  if (person) return person;
  throw new Problem({ status: 401, code: "not_signed_in", detail: "Sign in to see this page." });
}

/** Throws unless the form comes from a page of the member's organization: a cookie says only which is chosen now. */
function requireOwnForm(form: URLSearchParams, { memberships }: Person, { org, org_name }: Member): void {
  const opened = form.get(ORGANIZATION_FIELD);
  if (opened === org) return;
  if (!opened) {
    const message = "This form does not say which organization it is for. Nothing was changed; open its page again.";
    throw invalid([{ path: "", message }]);
  }
  const name = memberships.find((membership) => membership.org === opened)?.org_name ?? opened;
  throw new Problem({
    status: 409,
    code: "other_organization",
    detail: `This page was opened for ${name}; you are in ${org_name} now. Nothing was changed.`,
  });
}

/** The membership that counts: the only one, or the one that was chosen. */
function chosenOf(c: Context<AdminEnv>, { memberships: [first, ...others] }: Person): Member | undefined {
  if (others.length === 0) return first;
  const chosen = getCookie(c, ORGANIZATION_COOKIE);
  return [first, ...others].find(({ org }) => org === chosen);
}
