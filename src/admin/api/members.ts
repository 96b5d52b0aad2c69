// Members and their admin tokens. Owners manage them; the operator makes the first owner of an organization, and that
// owner's first token, and nothing after that.
import { type Context, Hono } from "hono";
import * as z from "zod";
import { hasOwner, issueToken, ownerHasToken, putMember, roleOf } from "../../store/members.ts";
import { findOrg } from "../../store/orgs.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { forbidden, invalid, noSuchOrg, Problem } from "../problem.ts";
import { readJson } from "./request.ts";

const MemberRole = z.enum(["owner", "admin", "developer"]);
const Email = z.email().max(254).toLowerCase();

export const MemberChange = z.strictObject({ role: MemberRole });
export const MemberAnswer = z.strictObject({ email: z.email(), role: MemberRole });
export const NewToken = z.strictObject({});
export const TokenAnswer = z.strictObject({ token: z.string() });

export const members = new Hono<AdminEnv>();

members.put("/:org/members/:email", async (c) => {
  const org = c.req.param("org");
  const by = await manages(c, org);
  const { role } = await readJson(c, MemberChange);
  const email = emailOf(c.req.param("email"));
  if (by.only === "first owner" && (role !== "owner" || (await hasOwner(c.env, org, email))))
    throw forbidden("The operator may make an organization's first owner, who then makes every other member.");
  if (!(await putMember(c.env, { org, email, role, actor: by.actor })))
    throw new Problem({
      status: 409,
      code: "last_owner",
      detail: `${email} is the last owner. Make somebody else an owner first.`,
    });
  const answer: z.infer<typeof MemberAnswer> = { email, role };
  return c.json(answer);
});

members.post("/:org/members/:email/tokens", async (c) => {
  const org = c.req.param("org");
  const by = await manages(c, org);
  await readJson(c, NewToken, { mayBeEmpty: true });
  const email = emailOf(c.req.param("email"));
  const role = await roleOf(c.env, org, email);
  if (by.only === "first owner" && role !== "owner")
    throw forbidden("The operator may issue a token to an organization's first owner, and to nobody else.");
  if (role === null)
    throw new Problem({ status: 404, code: "not_found", detail: `The organization has no member ${email}.` });
  const answer: z.infer<typeof TokenAnswer> = { token: await issueToken(c.env, { org, email, actor: by.actor }) };
  return c.json(answer, 201);
});

/** Who manages the members: an owner; or the operator, until an owner holds a token. Throws 403 and 404. */
async function manages(c: Context<AdminEnv>, org: string): Promise<{ actor: string; only: "first owner" | null }> {
  if (c.get("principal").kind !== "operator") return { actor: requireMember(c, org, "members").email, only: null };
  if (!(await findOrg(c.env, org))) throw noSuchOrg();
  if (await ownerHasToken(c.env, org))
    throw forbidden("The organization has an owner, who alone manages its members and tokens.");
  return { actor: "operator", only: "first owner" };
}

function emailOf(given: string): string {
  const parsed = Email.safeParse(given);
  if (parsed.success) return parsed.data;
  throw invalid([{ path: "email", message: "must be an email address" }]);
}
