// API keys: what a project's requests to /v1 carry. A key is shown once.
import { Hono } from "hono";
import * as z from "zod";
import { createKey, listKeys, revokeKey } from "../../store/keys.ts";
import { Id } from "../../store/records.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { Problem } from "../problem.ts";
import { PAGE_QUERY, paged, pageOf, positionOf } from "./page.ts";
import { keyPublicationOf, PUBLICATION } from "./publication.ts";
import { Name, readJson, readQuery } from "./request.ts";

export const NewKey = z.strictObject({ project: Id, name: Name });
export const NewKeyAnswer = NewKey.extend({ id: z.string(), key: z.string(), ...PUBLICATION });
export const RevokedKeyAnswer = z.strictObject({ id: z.string(), ...PUBLICATION });
export const KeysAnswer = pageOf(
  z.strictObject({
    id: z.string(),
    prefix: z.string(),
    project: Id,
    name: z.string(),
    created_at: z.iso.datetime(),
    created_by: z.string(),
    expires_at: z.iso.datetime().nullable(),
    revoked_at: z.iso.datetime().nullable(),
    published: z.boolean(),
  }),
);

export const keys = new Hono<AdminEnv>();

keys.post("/:org/keys", async (c) => {
  const { org, email } = requireMember(c, c.req.param("org"), "keys");
  const asked = await readJson(c, NewKey);
  const { id, key, published } = await createKey(c.env, { org, ...asked, actor: email });
  const publication = keyPublicationOf(published, "The key is created, but the edge does not accept it yet.");
  const answer: z.infer<typeof NewKeyAnswer> = { id, key, ...asked, ...publication };
  return c.json(answer, 201);
});

keys.get("/:org/keys", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "keys");
  const { limit, cursor } = readQuery(c, z.strictObject(PAGE_QUERY));
  const before = positionOf({ list: "keys", org }, cursor);
  const rows = await listKeys(c.env, { org, before, limit: limit + 1 });
  const answer: z.infer<typeof KeysAnswer> = paged(rows, { list: "keys", org, limit }, ({ id }) => id);
  return c.json(answer);
});

keys.delete("/:org/keys/:id", async (c) => {
  const { org, email } = requireMember(c, c.req.param("org"), "keys");
  const id = c.req.param("id");
  const revoked = await revokeKey(c.env, { org, id, actor: email });
  if (!revoked) throw new Problem({ status: 404, code: "not_found", detail: "The organization has no such key." });
  const publication = keyPublicationOf(revoked.published, "The key is revoked, but the edge may still accept it.");
  const answer: z.infer<typeof RevokedKeyAnswer> = { id, ...publication };
  return c.json(answer);
});
