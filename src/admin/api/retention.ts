// How long an organization's security events are kept: owners and admins see it, owners change it.
import { type Context, Hono } from "hono";
import * as z from "zod";
import { SignedCut } from "../../chain/signed-cut.ts";
import { beginningOf } from "../../store/chain-cuts.ts";
import {
  countsFrom,
  MAX_RETENTION_DAYS,
  MIN_RETENTION_DAYS,
  putRetention,
  type Retention,
  retentionOf,
} from "../../store/retention.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { Problem } from "../problem.ts";
import { readJson } from "./request.ts";

export const RetentionRule = z.strictObject({
  days: z
    .number()
    .int()
    .min(MIN_RETENTION_DAYS, `must be at least ${MIN_RETENTION_DAYS}`)
    .max(MAX_RETENTION_DAYS, `must be at most ${MAX_RETENTION_DAYS}`),
  legal_hold: z.boolean(),
});

export const RetentionAnswer = RetentionRule.extend({
  changed_at: z.iso.datetime().nullable(),
  changed_by: z.string().nullable(),
  /** Nothing is removed before that: a week after the last change. */
  counts_from: z.iso.datetime().nullable(),
  /** What stands for the events that were removed so far. */
  removed: SignedCut.nullable(),
});

export const retention = new Hono<AdminEnv>();

retention.get("/:org/retention", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "events");
  return c.json(await answerOf(c, org, await retentionOf(c.env, org)));
});

retention.put("/:org/retention", async (c) => {
  const { org, email } = requireMember(c, c.req.param("org"), "retention");
  const rule = await readJson(c, RetentionRule);
  const saved = await putRetention(c.env, { org, ...rule, actor: email });
  if (saved) return c.json(await answerOf(c, org, saved));
  throw new Problem({
    status: 409,
    code: "conflict",
    title: "Somebody else changed it at the same time",
    detail: "Nothing was saved. Look what holds now, then change it again.",
  });
});

async function answerOf(c: Context<AdminEnv>, org: string, rule: Retention): Promise<z.infer<typeof RetentionAnswer>> {
  const { cut } = await beginningOf(c.env, org);
  return { ...rule, counts_from: countsFrom(rule), removed: cut };
}
