// Members and their admin tokens.
import { MemberAnswer, MemberChange, MembersAnswer } from "../../api/members.ts";
import { PageQuery } from "../../api/page.ts";
import { NewToken, TokenAnswer, TokensAnswer } from "../../api/tokens.ts";
import { AT, OWNER } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

const FIRST_OWNER = "The operator, for an organization's first owner, while no owner can sign in.";
const TOKEN = {
  id: "tok_01KAS61KM16VDC2WEWMQBCQ9Z6",
  prefix: "pcladm_3fQx",
  email: OWNER,
  name: "Deployment pipeline",
  created_at: AT,
  created_by: OWNER,
  expires_at: null,
  last_used_on: null,
};
const MEMBER_PATH = `${ORG_PATH}/members/{email}`;

export const members: Group = {
  title: "Members",
  description: "Who may sign in, as what, and with which tokens.",
  operations: [
    {
      id: "listMembers",
      method: "get",
      path: `${ORG_PATH}/members`,
      summary: "List the members, by address",
      who: "members",
      query: PageQuery,
      answer: {
        schema: { MembersAnswer },
        example: {
          data: [{ email: OWNER, role: "owner", created_at: AT, signed_in_on: null, last_used_on: "2026-11-23" }],
          next_cursor: null,
        },
      },
    },
    {
      id: "putMember",
      method: "put",
      path: MEMBER_PATH,
      summary: "Make somebody a member, or change their role",
      who: "members",
      also: FIRST_OWNER,
      body: { schema: { MemberChange }, example: { role: "admin" } },
      answer: { schema: { MemberAnswer }, example: { email: OWNER, role: "admin" } },
      problems: { 409: ["last_owner"] },
    },
    {
      id: "removeMember",
      method: "delete",
      path: MEMBER_PATH,
      summary: "Remove a member, with their tokens and sessions",
      who: "members",
      answer: { empty: true },
      problems: { 400: ["invalid_request"], 409: ["last_owner"] },
    },
    {
      id: "createToken",
      method: "post",
      path: `${MEMBER_PATH}/tokens`,
      summary: "Create an admin token for a member",
      details: "The token is in this answer and nowhere else: only its hash is stored.",
      who: "members",
      also: FIRST_OWNER,
      body: { schema: { NewToken }, example: { name: "Deployment pipeline" }, optional: true },
      answer: { status: 201, schema: { TokenAnswer }, example: { ...TOKEN, token: "pcladm_…" } },
    },
    {
      id: "listTokens",
      method: "get",
      path: `${MEMBER_PATH}/tokens`,
      summary: "List a member's tokens, newest first",
      details: "Of somebody else, an owner alone may.",
      who: "own_tokens",
      query: PageQuery,
      answer: { schema: { TokensAnswer }, example: { data: [TOKEN], next_cursor: null } },
    },
    {
      id: "revokeToken",
      method: "delete",
      path: `${MEMBER_PATH}/tokens/{id}`,
      summary: "Revoke a token",
      details: "Of somebody else, an owner alone may. It ends the sessions that began with it.",
      who: "own_tokens",
      parameters: { id: { description: "The token's id.", example: TOKEN.id } },
      answer: { empty: true },
      problems: { 400: ["invalid_request"] },
    },
  ],
};
