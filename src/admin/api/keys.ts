// API keys: what a project's requests to /v1 carry. A key is shown once.
import { Hono } from "hono";
import * as z from "zod";
import { type ApiKey, changeKey, createKey, listKeys, revokeKey } from "../../store/keys.ts";
import { Id } from "../../store/records.ts";
import { timestamp } from "../../store/secrets.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { keyRevoked, noSuchKey } from "../problem.ts";
import { PAGE_QUERY, paged, pageOf, positionOf } from "./page.ts";
import { keyPublicationOf, PUBLICATION } from "./publication.ts";
import { Name, readJson, readQuery } from "./request.ts";

/** When a key ends. One that has ended already is what revoking is for. */
export const Expiry = z.iso
  .datetime("must be a time in UTC, such as 2027-01-31T00:00:00Z")
  .refine((at) => Date.parse(at) > Date.now(), "must lie in the future; to end a key now, revoke it")
  .nullable();

export const NewKey = z.strictObject({ project: Id, name: Name, expires_at: Expiry.optional() });
export const KeyChange = z
  .strictObject({ name: Name.optional(), expires_at: Expiry.optional() })
  .refine(
    ({ name, expires_at }) => name !== undefined || expires_at !== undefined,
    "must name what to change: name or expires_at",
  );

const KeyAnswer = z.strictObject({
  id: z.string(),
  prefix: z.string(),
  project: Id,
  name: z.string(),
  created_at: z.iso.datetime(),
  created_by: z.string(),
  expires_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
  last_used_on: z.iso.date().nullable(),
  published: z.boolean(),
});
export const KeysAnswer = pageOf(KeyAnswer);
export const KeysQuery = z.strictObject({ ...PAGE_QUERY, project: Id.optional() });
export const NewKeyAnswer = z.strictObject({
  id: z.string(),
  key: z.string(),
  project: Id,
  name: z.string(),
  expires_at: z.iso.datetime().nullable(),
  ...PUBLICATION,
});
export const ChangedKeyAnswer = KeyAnswer.extend(PUBLICATION);
export const RevokedKeyAnswer = z.strictObject({ id: z.string(), ...PUBLICATION });

export const keys = new Hono<AdminEnv>();

keys.post("/:org/keys", async (c) => {
  const { org, email } = requireMember(c, c.req.param("org"), "keys");
  const { project, name, expires_at: asked = null } = await readJson(c, NewKey);
  const expires_at = stored(asked);
  const { id, key, published } = await createKey(c.env, { org, project, name, expires_at, actor: email });
  const publication = keyPublicationOf(published, "The key is created, but the edge does not accept it yet.");
  const answer: z.infer<typeof NewKeyAnswer> = { id, key, project, name, expires_at, ...publication };
  return c.json(answer, 201);
});

keys.get("/:org/keys", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "keys");
  const { limit, cursor, project } = readQuery(c, KeysQuery);
  const before = positionOf({ list: "keys", org }, cursor);
  const rows = await listKeys(c.env, { org, project, before, limit: limit + 1 });
  const answer: z.infer<typeof KeysAnswer> = paged(rows, { list: "keys", org, limit }, ({ id }) => id);
  return c.json(answer);
});

keys.patch("/:org/keys/:id", async (c) => {
  const { org, email } = requireMember(c, c.req.param("org"), "keys");
  const { name, expires_at } = await readJson(c, KeyChange);
  const change = { name, expires_at: expires_at === undefined ? undefined : stored(expires_at) };
  const changed = await changeKey(c.env, { org, id: c.req.param("id"), change, actor: email });
  if (!changed) throw noSuchKey();
  if (changed === "revoked") throw keyRevoked();
  const answer: z.infer<typeof ChangedKeyAnswer> = {
    ...changed.key,
    ...keyPublicationOf(changed.inStep, "The key is changed, but the edge does not have it so yet."),
  };
  return c.json(answer);
});

keys.delete("/:org/keys/:id", async (c) => {
  const { org, email } = requireMember(c, c.req.param("org"), "keys");
  const id = c.req.param("id");
  const revoked = await revokeKey(c.env, { org, id, actor: email });
  if (!revoked) throw noSuchKey();
  const publication = keyPublicationOf(revoked.inStep, "The key is revoked, but the edge may still accept it.");
  const answer: z.infer<typeof RevokedKeyAnswer> = { id, ...publication };
  return c.json(answer);
});

/** As every time is stored, however precisely it was given. */
function stored(expiry: string | null): ApiKey["expires_at"] {
  return expiry === null ? null : timestamp(Date.parse(expiry));
}
