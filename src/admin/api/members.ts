// Members. Owners manage them. While no owner can sign in the operator makes the first one, or issues an owner a token.
import { type Context, Hono } from "hono";
import * as z from "zod";
import { hasOwner, listMembers, ownerIsIn, putMember, removeMember } from "../../store/members.ts";
import { findOrg } from "../../store/orgs.ts";
import { accessOf } from "../access-jwt.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { Email } from "../email.ts";
import { forbidden, invalid, noSuchOrg, Problem } from "../problem.ts";
import { PAGE_QUERY, paged, pageOf, positionOf } from "./page.ts";
import { readJson, readQuery } from "./request.ts";

export const MemberRole = z.enum(["owner", "admin", "developer"]);

export const MemberChange = z.strictObject({ role: MemberRole });
export const MemberAnswer = z.strictObject({ email: z.email(), role: MemberRole });
export const MembersAnswer = pageOf(
  MemberAnswer.extend({
    created_at: z.iso.datetime(),
    /** Days, UTC: the last sign-in through Cloudflare Access, and the last use of any of their tokens. */
    signed_in_on: z.iso.date().nullable(),
    last_used_on: z.iso.date().nullable(),
  }),
);

export const members = new Hono<AdminEnv>();

members.get("/:org/members", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "members");
  const { limit, cursor } = readQuery(c, z.strictObject(PAGE_QUERY));
  const after = positionOf({ list: "members", org }, cursor);
  const rows = await listMembers(c.env, { org, after, limit: limit + 1 });
  const answer: z.infer<typeof MembersAnswer> = paged(rows, { list: "members", org, limit }, ({ email }) => email);
  return c.json(answer);
});

members.put("/:org/members/:email", async (c) => {
  const org = c.req.param("org");
  const by = await manages(c, org);
  const { role } = await readJson(c, MemberChange);
  const email = emailOf(c.req.param("email"));
  if (by.only === "first owner" && (role !== "owner" || (await hasOwner(c.env, org, email))))
    throw forbidden("The operator may make an organization's first owner, who then makes every other member.");
  if (!(await putMember(c.env, { org, email, role, actor: by.actor }))) throw lastOwner(email);
  const answer: z.infer<typeof MemberAnswer> = { email, role };
  return c.json(answer);
});

members.delete("/:org/members/:email", async (c) => {
  const { org, email: actor } = requireMember(c, c.req.param("org"), "members");
  const email = emailOf(c.req.param("email"));
  switch (await removeMember(c.env, { org, email, actor })) {
    case "removed":
      return c.body(null, 204);
    case "not_found":
      throw noSuchMember(email);
    case "last_owner":
      throw lastOwner(email);
  }
});

/** Who manages the members: an owner; or the operator, while no owner can sign in. Throws 403 and 404. */
export async function manages(
  c: Context<AdminEnv>,
  org: string,
): Promise<{ actor: string; only: "first owner" | null }> {
  if (c.get("principal").kind !== "operator") return { actor: requireMember(c, org, "members").email, only: null };
  if (!(await findOrg(c.env, org))) throw noSuchOrg();
  if (await ownerIsIn(c.env, org, { byAccess: accessOf(c.get("settings")) !== null }))
    throw forbidden("The organization has an owner, who alone manages its members and tokens.");
  return { actor: "operator", only: "first owner" };
}

/** The address in a path. Throws 400. */
export function emailOf(given: string): string {
  const parsed = Email.safeParse(given);
  if (parsed.success) return parsed.data;
  throw invalid([{ path: "email", message: "must be an email address" }]);
}

export function noSuchMember(email: string): Problem {
  return new Problem({ status: 404, code: "not_found", detail: `The organization has no member ${email}.` });
}

function lastOwner(email: string): Problem {
  return new Problem({
    status: 409,
    code: "last_owner",
    detail: `${email} is the last owner. Make somebody else an owner first.`,
  });
}
