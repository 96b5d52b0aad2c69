// The routes of Security events → Retention: how long events are kept, and changing that. What leads to removal is asked
// once more.
import { type Context, Hono } from "hono";
import * as z from "zod";
import { beginningOf } from "../../store/chain-cuts.ts";
import type { Member } from "../../store/members.ts";
import { putRetention, retentionOf } from "../../store/retention.ts";
import { RetentionRule } from "../api/retention.ts";
import type { AdminEnv } from "../authorize.ts";
import { enter } from "./access.ts";
import { readFields } from "./posted-fields.ts";
import { postedForm } from "./posted-form.ts";
import {
  CONFIRMED,
  RETENTION_ADDRESS,
  RetentionConfirmation,
  RetentionPage,
  type RetentionView,
  SET,
  versionOf,
} from "./retention-page.tsx";
import { removesMore } from "./retention-words.ts";

const RetentionForm = z.object({
  days: z
    .string()
    .regex(/^\d{1,9}$/, "must be a whole number")
    .transform(Number)
    .pipe(RetentionRule.shape.days),
  legal_hold: z.string().transform((value) => value === SET),
});

export const retention = new Hono<AdminEnv>();

retention.get("/", async (c) => {
  const view = await look(c, await enter(c, "events"));
  const change = c.req.query("saved") === versionOf(view.rule) ? "saved" : undefined;
  return c.html(RetentionPage({ ...view, change }));
});

retention.post("/", async (c) => {
  const member = await enter(c, "retention");
  const form = await postedForm(c);
  const view = await look(c, member);
  const read = readFields(form, RetentionForm);
  if (!read.ok) return c.html(RetentionPage({ ...view, refused: read.filled }), 422);
  const { rule: was } = view;
  const next = read.fields;
  if (removesMore(was, next) && form.get(CONFIRMED) !== versionOf(was))
    return c.html(
      RetentionConfirmation({ view, next, overtaken: form.has(CONFIRMED) }),
      form.has(CONFIRMED) ? 409 : 200,
    );
  const saved = await putRetention(c.env, { org: member.org, ...next, was, actor: member.email });
  if (!saved) return c.html(RetentionPage({ ...(await look(c, member)), change: "overtaken" }), 409);
  if (saved === was) return c.html(RetentionPage({ ...view, change: "unchanged" }));
  return c.redirect(`${RETENTION_ADDRESS}?saved=${encodeURIComponent(versionOf(saved))}`, 303);
});

async function look(c: Context<AdminEnv>, member: Member): Promise<RetentionView> {
  const [rule, { cut }] = await Promise.all([retentionOf(c.env, member.org), beginningOf(c.env, member.org)]);
  return { member, settings: c.get("settings"), rule, cut, now: Date.now() };
}
