// Webhooks: where an organization's events are sent as they happen. A secret is shown once.
import { Hono } from "hono";
import * as z from "zod";
import { isAccepted } from "../../store/receiver.ts";
import { WEBHOOK_FORMATS } from "../../store/webhook-message.ts";
import { sealedBy } from "../../store/webhook-secret.ts";
import { type ListedWebhook, listWebhooks } from "../../store/webhooks.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { Problem } from "../problem.ts";
import { overlapUntil, WEBHOOK_STATES, webhookState } from "../webhook-state.ts";
import {
  createWebhook,
  editWebhook,
  ROTATED_MEANWHILE,
  remove,
  requireWebhook,
  resume,
  rotateSecret,
  sendTest,
} from "../webhooks.ts";
import { pageOf } from "./page.ts";
import { readJson } from "./request.ts";

/** What is wrong with an address is said where it is checked. */
const Url = z.string("must be an address, as text");
const Format = z.enum(WEBHOOK_FORMATS);

export const NewWebhook = z.strictObject({
  url: Url,
  format: Format.default("json"),
  enabled: z.boolean().default(true),
});
export const WebhookChangeBody = z
  .strictObject({ url: Url.optional(), format: Format.optional(), enabled: z.boolean().optional() })
  .refine((change) => Object.keys(change).length > 0, "must name what to change: url, format or enabled");

const time = z.iso.datetime();
export const WebhookAnswer = z.strictObject({
  id: z.string(),
  url: z.string(),
  format: Format,
  enabled: z.boolean(),
  state: z.enum(WEBHOOK_STATES),
  /** The place in the chain of the last event that the receiver accepted, and how many sealed ones wait behind it. */
  delivered_seq: z.number().int(),
  waiting: z.number().int(),
  failing_since: time.nullable(),
  next_attempt_at: time.nullable(),
  paused_at: time.nullable(),
  last_attempt_at: time.nullable(),
  /** What the receiver answered last, or why there was no answer. */
  last_status: z.number().int().nullable(),
  last_problem: z.string().nullable(),
  /** Until when the secret before the newest signs too. */
  previous_secret_until: time.nullable(),
  encryption_key_id: z.string().nullable(),
  created_at: time,
  created_by: z.string(),
});
export const WebhooksAnswer = pageOf(WebhookAnswer);
export const WebhookSecretAnswer = WebhookAnswer.extend({ secret: z.string() });
export const WebhookRemovedAnswer = z.strictObject({ id: z.string() });
export const WebhookTestAnswer = z.strictObject({
  delivered: z.boolean(),
  status: z.number().int().nullable(),
  problem: z.string().nullable(),
});

export const webhooks = new Hono<AdminEnv>();

webhooks.post("/:org/webhooks", async (c) => {
  const member = requireMember(c, c.req.param("org"), "webhooks");
  const { webhook, secret } = await createWebhook(c.env, member, await readJson(c, NewWebhook));
  const answer: z.infer<typeof WebhookSecretAnswer> = { ...shown(webhook), secret };
  return c.json(answer, 201);
});

webhooks.get("/:org/webhooks", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "webhooks");
  // Few enough for one page.
  const answer: z.infer<typeof WebhooksAnswer> = {
    data: (await listWebhooks(c.env, org)).map(shown),
    next_cursor: null,
  };
  return c.json(answer);
});

webhooks.get("/:org/webhooks/:id", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "webhooks");
  return c.json(shown(await requireWebhook(c.env, org, c.req.param("id"))));
});

webhooks.patch("/:org/webhooks/:id", async (c) => {
  const member = requireMember(c, c.req.param("org"), "webhooks");
  const change = await readJson(c, WebhookChangeBody);
  return c.json(shown(await editWebhook(c.env, member, { id: c.req.param("id"), change })));
});

webhooks.delete("/:org/webhooks/:id", async (c) => {
  const member = requireMember(c, c.req.param("org"), "webhooks");
  const id = c.req.param("id");
  await remove(c.env, member, id);
  const answer: z.infer<typeof WebhookRemovedAnswer> = { id };
  return c.json(answer);
});

webhooks.post("/:org/webhooks/:id/resume", async (c) => {
  const member = requireMember(c, c.req.param("org"), "webhooks");
  return c.json(shown(await resume(c.env, member, c.req.param("id"))));
});

webhooks.post("/:org/webhooks/:id/rotate-secret", async (c) => {
  const member = requireMember(c, c.req.param("org"), "webhooks");
  const rotation = await rotateSecret(c.env, member, { id: c.req.param("id") });
  if (!rotation.ok)
    throw new Problem({
      status: 409,
      code: "conflict",
      title: "Another rotation came first",
      detail: ROTATED_MEANWHILE,
    });
  const { webhook, secret } = rotation;
  const answer: z.infer<typeof WebhookSecretAnswer> = { ...shown(webhook), secret };
  return c.json(answer);
});

webhooks.post("/:org/webhooks/:id/test", async (c) => {
  const member = requireMember(c, c.req.param("org"), "webhooks");
  const received = await sendTest(c.env, member, c.req.param("id"));
  const { status, problem } = received;
  const answer: z.infer<typeof WebhookTestAnswer> = { delivered: isAccepted(received), status, problem };
  return c.json(answer);
});

function shown(webhook: ListedWebhook): z.infer<typeof WebhookAnswer> {
  const { id, url, format, enabled, delivered_seq, waiting, failing_since, next_attempt_at, paused_at } = webhook;
  const { last_attempt_at, last_status, last_problem, created_at, created_by } = webhook;
  const state = webhookState(webhook);
  return {
    id,
    url,
    format,
    enabled: enabled === 1,
    state,
    delivered_seq,
    waiting,
    failing_since,
    next_attempt_at: state === "retrying" ? next_attempt_at : null,
    paused_at,
    last_attempt_at,
    last_status,
    last_problem,
    previous_secret_until: overlapUntil(webhook, Date.now()),
    encryption_key_id: sealedBy(webhook.secret),
    created_at,
    created_by,
  };
}
