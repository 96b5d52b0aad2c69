// The routes of webhooks: set up, look at, change, test, pause, resume, rotate the secret, remove.
import { type Context, Hono } from "hono";
import * as z from "zod";
import type { Env } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import { checkReceiverUrl } from "../../store/receiver-url.ts";
import { keyringOf } from "../../store/sealing.ts";
import { WEBHOOK_FORMATS } from "../../store/webhook-message.ts";
import { inSandbox } from "../../store/webhook-receiver.ts";
import { findWebhook, hostOf, type ListedWebhook, listWebhooks } from "../../store/webhooks.ts";
import type { AdminEnv } from "../authorize.ts";
import { overlapUntil } from "../webhook-state.ts";
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
import { enter } from "./access.ts";
import { ConfirmPage } from "./confirm-page.tsx";
import { madeOnce } from "./made-once.tsx";
import { readFields } from "./posted-fields.ts";
import { postedForm } from "./posted-form.ts";
import { Time } from "./time.tsx";
import { WebhookPage, type WebhookView } from "./webhook-page.tsx";
import { waitingInWords } from "./webhook-words.ts";
import { WebhooksPage, type WebhooksView } from "./webhooks-page.tsx";

/** What a page says after a change that it was led here by. */
const DONE: Readonly<Record<string, string>> = {
  changed: "The change is saved.",
  paused: "It is paused. What happens meanwhile waits.",
  resumed: "It goes on within a minute, behind the last event that was accepted.",
  removed: "The webhook is removed.",
};

const formOf = (env: Env) =>
  z.object({
    url: z.string().superRefine((url, context) => {
      const checked = checkReceiverUrl(url, { sandbox: inSandbox(env) });
      if (!checked.ok) context.addIssue({ code: "custom", message: checked.why });
    }),
    format: z.enum(WEBHOOK_FORMATS),
  });

export const webhooks = new Hono<AdminEnv>();

webhooks.get("/", async (c) => {
  const member = await enter(c, "webhooks");
  return c.html(WebhooksPage({ ...(await lookAtAll(c, member)), message: doneAt(c) }));
});

/** Answers with the webhook's page itself: the secret is nowhere else. */
webhooks.post("/", async (c) => {
  const member = await enter(c, "webhooks");
  const form = await postedForm(c);
  const read = readFields(form, formOf(c.env));
  if (!read.ok) return c.html(WebhooksPage({ ...(await lookAtAll(c, member)), refused: read.filled }), 422);
  const { webhook, secret } = await madeOnce(form, {
    kind: "whk",
    make: (id) => createWebhook(c.env, member, { id, ...read.fields, enabled: true }),
    found: (id) => findWebhook(c.env, member.org, id),
    page: (id) => `/settings/webhooks/${id}`,
  });
  return c.html(WebhookPage({ ...viewOf(c, member, webhook), secret, message: "The webhook is set up." }));
});

webhooks.get("/:id", async (c) => {
  const member = await enter(c, "webhooks");
  return c.html(WebhookPage({ ...(await look(c, member, c.req.param("id"))), message: doneAt(c) }));
});

webhooks.post("/:id", async (c) => {
  const member = await enter(c, "webhooks");
  const id = c.req.param("id");
  const view = await look(c, member, id);
  const read = readFields(await postedForm(c), formOf(c.env));
  if (!read.ok) return c.html(WebhookPage({ ...view, refused: read.filled }), 422);
  await editWebhook(c.env, member, { id, change: read.fields });
  return c.redirect(`/settings/webhooks/${id}?done=changed`, 303);
});

webhooks.post("/:id/test", async (c) => {
  const member = await enter(c, "webhooks");
  const id = c.req.param("id");
  const tested = await sendTest(c.env, member, id);
  return c.html(WebhookPage({ ...(await look(c, member, id)), tested }));
});

webhooks.post("/:id/pause", async (c) => {
  const member = await enter(c, "webhooks");
  const { id } = await editWebhook(c.env, member, { id: c.req.param("id"), change: { enabled: false } });
  return c.redirect(`/settings/webhooks/${id}?done=paused`, 303);
});

webhooks.post("/:id/resume", async (c) => {
  const member = await enter(c, "webhooks");
  const { id } = await resume(c.env, member, c.req.param("id"));
  return c.redirect(`/settings/webhooks/${id}?done=resumed`, 303);
});

webhooks.get("/:id/rotate-secret", async (c) => {
  return c.html(rotation(await look(c, await enter(c, "webhooks"), c.req.param("id"))));
});

/** Answers with the page itself: the secret is nowhere else. */
webhooks.post("/:id/rotate-secret", async (c) => {
  const member = await enter(c, "webhooks");
  const form = await postedForm(c);
  const rotated = await rotateSecret(c.env, member, { id: c.req.param("id"), seen: form.get(SEEN) });
  const view = viewOf(c, member, rotated.webhook);
  if (!rotated.ok) return c.html(rotation(view, ROTATED_MEANWHILE), 409);
  return c.html(WebhookPage({ ...view, secret: rotated.secret, message: "The secret is rotated." }));
});

webhooks.get("/:id/remove", async (c) => {
  const { member, settings, webhook } = await look(c, await enter(c, "webhooks"), c.req.param("id"));
  return c.html(
    ConfirmPage({
      member,
      settings,
      current: "/settings/webhooks",
      title: `Remove the webhook to ${hostOf(webhook)}?`,
      action: `/settings/webhooks/${webhook.id}/remove`,
      button: "Remove",
      back: `/settings/webhooks/${webhook.id}`,
      children: (
        <p>
          {waitingInWords(webhook.waiting)} for it, and will not be sent; they stay in the organization's events. Its
          secret is deleted. This cannot be undone.
        </p>
      ),
    }),
  );
});

webhooks.post("/:id/remove", async (c) => {
  const member = await enter(c, "webhooks");
  await remove(c.env, member, c.req.param("id"));
  return c.redirect("/settings/webhooks?done=removed", 303);
});

/** The field that says which rotation the page knew of, by the end of its overlap. */
const SEEN = "overlap-until";

function rotation({ member, settings, webhook, now }: WebhookView, error?: string) {
  const overlap = overlapUntil(webhook, now);
  return ConfirmPage({
    member,
    settings,
    current: "/settings/webhooks",
    title: `Rotate the secret of ${hostOf(webhook)}?`,
    error,
    action: `/settings/webhooks/${webhook.id}/rotate-secret`,
    fields: { [SEEN]: webhook.previous_until ?? "" },
    button: "Rotate",
    back: `/settings/webhooks/${webhook.id}`,
    children: (
      <>
        <p>
          A new secret is shown once. For 24 hours every message carries both signatures, so that the receiver can
          change over in between.
        </p>
        {overlap !== null && (
          <p>
            It was rotated less than a day ago: the secret from before that, which signs until <Time at={overlap} />,
            stops at once.
          </p>
        )}
      </>
    ),
  });
}

async function lookAtAll(c: Context<AdminEnv>, member: Member): Promise<WebhooksView> {
  const listed = await listWebhooks(c.env, member.org);
  return { member, settings: c.get("settings"), webhooks: listed, canSeal: keyringOf(c.env).sealing !== null };
}

async function look(c: Context<AdminEnv>, member: Member, id: string): Promise<WebhookView> {
  return viewOf(c, member, await requireWebhook(c.env, member.org, id));
}

function viewOf(c: Context<AdminEnv>, member: Member, webhook: ListedWebhook): WebhookView {
  return { member, settings: c.get("settings"), webhook, now: Date.now() };
}

function doneAt(c: Context<AdminEnv>): string | undefined {
  const done = c.req.query("done") ?? "";
  return Object.hasOwn(DONE, done) ? DONE[done] : undefined;
}
