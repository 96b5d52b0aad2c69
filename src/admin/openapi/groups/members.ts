// Members and their admin tokens.
import { MemberAnswer, MemberChange, NewToken, TokenAnswer } from "../../api/members.ts";
import { OWNER } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

const FIRST_OWNER = "The operator, for an organization's first owner, until an owner holds a token.";

export const members: Group = {
  title: "Members",
  description: "Who may sign in, as what, and with which tokens.",
  operations: [
    {
      id: "putMember",
      method: "put",
      path: `${ORG_PATH}/members/{email}`,
      summary: "Make somebody a member, or change their role",
      who: "members",
      also: FIRST_OWNER,
      body: { schema: { MemberChange }, example: { role: "admin" } },
      answer: { schema: { MemberAnswer }, example: { email: OWNER, role: "admin" } },
      problems: { 409: ["last_owner"] },
    },
    {
      id: "createToken",
      method: "post",
      path: `${ORG_PATH}/members/{email}/tokens`,
      summary: "Create an admin token for a member",
      details: "The token is in this answer and nowhere else: only its hash is stored.",
      who: "members",
      also: FIRST_OWNER,
      body: { schema: { NewToken }, example: {}, optional: true },
      answer: { status: 201, schema: { TokenAnswer }, example: { token: "pcla_…" } },
    },
  ],
};
