// The routes of a key: create, look at, rename, set its expiry, revoke.
import { type Context, Hono } from "hono";
import * as z from "zod";
import { changeKey, createKey, findKey, revokeKey } from "../../store/keys.ts";
import type { Member } from "../../store/members.ts";
import { Id } from "../../store/records.ts";
import { keyPublicationOf } from "../api/publication.ts";
import { Name } from "../api/request.ts";
import type { AdminEnv } from "../authorize.ts";
import { keyRevoked, noSuchKey } from "../problem.ts";
import { enter } from "./access.ts";
import { ConfirmPage } from "./confirm-page.tsx";
import { KeyPage, type KeyView } from "./key-page.tsx";
import { madeOnce } from "./made-once.tsx";
import { LastDay, readFields, UNFILLED } from "./posted-fields.ts";
import { postedForm } from "./posted-form.ts";
import { lookAtProjects } from "./projects.tsx";
import { ProjectsPage } from "./projects-page.tsx";

const NewKeyForm = z.object({ project: Id, name: Name, last_day: LastDay });
const RenameForm = z.object({ name: Name });
const ExpiryForm = z.object({ last_day: LastDay });

export const keys = new Hono<AdminEnv>();

keys.get("/", (c) => c.redirect("/settings/projects"));

/** Answers with the page itself: the key is nowhere else, so there is no other page to go to. */
keys.post("/", async (c) => {
  const member = await enter(c, "keys");
  const form = await postedForm(c);
  const read = readFields(form, NewKeyForm);
  if (!read.ok) {
    const refused = { form: "key", filled: read.filled } as const;
    return c.html(ProjectsPage({ ...(await lookAtProjects(c, member)), refused }), 422);
  }
  const { project, name, last_day: expires_at } = read.fields;
  const { org, email: actor } = member;
  const { key, published } = await madeOnce(form, {
    kind: "key",
    make: (id) => createKey(c.env, { id, org, project, name, expires_at, actor }),
    found: (id) => findKey(c.env, org, id),
    page: (id) => `/settings/keys/${id}`,
  });
  const { note } = keyPublicationOf(published, "The edge does not accept it yet.");
  return c.html(ProjectsPage({ ...(await lookAtProjects(c, member)), created: { name, key, note } }));
});

keys.get("/:id", async (c) => {
  const member = await enter(c, "keys");
  return c.html(KeyPage({ ...(await look(c, member, c.req.param("id"))), saved: c.req.query("saved") !== undefined }));
});

keys.post("/:id/name", (c) => change(c, c.req.param("id"), { form: "rename", schema: RenameForm }));
keys.post("/:id/expiry", (c) => change(c, c.req.param("id"), { form: "expiry", schema: ExpiryForm }));

keys.get("/:id/revoke", async (c) => {
  const member = await enter(c, "keys");
  const { apiKey, settings } = await look(c, member, c.req.param("id"));
  const page = `/settings/keys/${apiKey.id}`;
  return c.html(
    ConfirmPage({
      member,
      settings,
      current: "/settings/projects",
      title: `Revoke ${apiKey.name}?`,
      action: `${page}/revoke`,
      button: "Revoke",
      back: page,
      children: (
        <p>
          Requests with <code>{apiKey.prefix}…</code> of project {apiKey.project} will be refused, usually everywhere
          within a minute. This cannot be undone.
        </p>
      ),
    }),
  );
});

keys.post("/:id/revoke", async (c) => {
  const { org, email: actor } = await enter(c, "keys");
  const id = c.req.param("id");
  if (!(await revokeKey(c.env, { org, id, actor }))) throw noSuchKey();
  return c.redirect(`/settings/keys/${id}?saved`, 303);
});

async function change(
  c: Context<AdminEnv>,
  id: string,
  asked: { form: "rename"; schema: typeof RenameForm } | { form: "expiry"; schema: typeof ExpiryForm },
): Promise<Response> {
  const member = await enter(c, "keys");
  const form = await postedForm(c);
  const read = asked.form === "rename" ? readFields(form, asked.schema) : readFields(form, asked.schema);
  if (!read.ok) {
    const view = await look(c, member, id);
    return c.html(KeyPage({ ...view, filled: { ...view.filled, [asked.form]: read.filled } }), 422);
  }
  const { fields } = read;
  const wanted = "name" in fields ? { name: fields.name } : { expires_at: fields.last_day };
  const changed = await changeKey(c.env, { org: member.org, id, change: wanted, actor: member.email });
  if (!changed) throw noSuchKey();
  if (changed === "revoked") throw keyRevoked();
  return c.redirect(`/settings/keys/${id}?saved`, 303);
}

async function look(c: Context<AdminEnv>, member: Member, id: string): Promise<KeyView> {
  const apiKey = await findKey(c.env, member.org, id);
  if (!apiKey) throw noSuchKey();
  const filled = { rename: UNFILLED, expiry: UNFILLED };
  return { member, settings: c.get("settings"), apiKey, filled, saved: false, now: Date.now() };
}
