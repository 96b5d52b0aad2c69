// Admin tokens of members. Owners issue them; everybody may list and revoke their own, an owner anybody's.
import { type Context, Hono } from "hono";
import * as z from "zod";
import { roleOf } from "../../store/members.ts";
import { issueToken, listTokens, revokeToken } from "../../store/tokens.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { forbidden, invalid, Problem } from "../problem.ts";
import { emailOf, manages, noSuchMember } from "./members.ts";
import { PAGE_QUERY, paged, pageOf, positionOf } from "./page.ts";
import { Name, readJson, readQuery } from "./request.ts";

export const NewToken = z.strictObject({
  name: Name.optional(),
  expires_at: z.iso
    .datetime({ offset: true, error: "must be an RFC 3339 time, such as 2027-06-30T00:00:00Z" })
    .transform((text) => new Date(text).toISOString())
    .optional(),
});

const TOKEN = {
  id: z.string(),
  /** Its first characters, to recognize it by. */
  prefix: z.string(),
  email: z.email(),
  name: z.string().nullable(),
  created_at: z.iso.datetime(),
  created_by: z.string(),
  expires_at: z.iso.datetime().nullable(),
  /** A day, UTC. */
  last_used_on: z.iso.date().nullable(),
};
export const TokenAnswer = z.strictObject({ ...TOKEN, token: z.string() });
export const TokensAnswer = pageOf(z.strictObject(TOKEN));

export const tokens = new Hono<AdminEnv>();

tokens.post("/:org/members/:email/tokens", async (c) => {
  const org = c.req.param("org");
  const by = await manages(c, org);
  const { name = null, expires_at = null } = await readJson(c, NewToken, { mayBeEmpty: true });
  if (expires_at !== null && Date.parse(expires_at) <= Date.now())
    throw invalid([{ path: "expires_at", message: "must be in the future" }]);
  const email = emailOf(c.req.param("email"));
  const role = await roleOf(c.env, org, email);
  if (by.only === "first owner" && role !== "owner")
    throw forbidden("The operator may issue a token to an organization's first owner, and to nobody else.");
  if (role === null) throw noSuchMember(email);
  const answer: z.infer<typeof TokenAnswer> = await issueToken(c.env, {
    org,
    email,
    name,
    expires_at,
    actor: by.actor,
  });
  return c.json(answer, 201);
});

tokens.get("/:org/members/:email/tokens", async (c) => {
  const { org, email } = requireTokensOf(c, c.req.param("org"), c.req.param("email"));
  const { limit, cursor } = readQuery(c, z.strictObject(PAGE_QUERY));
  const before = positionOf({ list: "tokens", org }, cursor);
  if ((await roleOf(c.env, org, email)) === null) throw noSuchMember(email);
  const rows = await listTokens(c.env, { org, email, before, limit: limit + 1 });
  const answer: z.infer<typeof TokensAnswer> = paged(rows, { list: "tokens", org, limit }, ({ id }) => id);
  return c.json(answer);
});

tokens.delete("/:org/members/:email/tokens/:id", async (c) => {
  const { org, email, actor } = requireTokensOf(c, c.req.param("org"), c.req.param("email"));
  const revoked = await revokeToken(c.env, { org, email, id: c.req.param("id"), actor });
  if (revoked) return c.body(null, 204);
  throw new Problem({
    status: 404,
    code: "not_found",
    detail: `${email} has no such token, or it is revoked already.`,
  });
});

/** Whose tokens are asked about, and by whom: anybody may ask about their own, an owner about anybody's. */
function requireTokensOf(c: Context<AdminEnv>, asked: string, address: string) {
  const { org, email: actor } = requireMember(c, asked, "own_tokens");
  const email = emailOf(address);
  if (email !== actor) requireMember(c, asked, "members");
  return { org, email, actor };
}
