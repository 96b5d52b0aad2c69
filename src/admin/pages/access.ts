// Who may see a page. Refuses by throwing; `refusals.tsx` makes pages of it.
import type { Context } from "hono";
import type { Member } from "../../store/members.ts";
import { type AdminEnv, signedInMember } from "../authorize.ts";
import { Problem } from "../problem.ts";
import { may, type Permission } from "../roles.ts";

/** The member who is signed in and whose role has the permission. Throws 401 and 403. */
export async function enter(c: Context<AdminEnv>, permission: Permission): Promise<Member> {
  const member = await signedInMember(c);
  if (!member) throw new Problem({ status: 401, code: "not_signed_in", detail: "Sign in to see this page." });
  c.set("principal", { kind: "member", member, via: "session" });
  if (may(member.role, permission)) return member;
  throw new Problem({
    status: 403,
    code: "role_required",
    detail: `You are signed in as a ${member.role}. The policy and the security events of ${member.org_name} are for its owners and admins.`,
  });
}
