// Settings → Webhooks: where events are sent, and how that goes.
import type { Settings } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import { hostOf, type ListedWebhook } from "../../store/webhooks.ts";
import { webhookState } from "../webhook-state.ts";
import { MAX_WEBHOOKS } from "../webhooks.ts";
import { document, Notice } from "./layout.tsx";
import { NewId } from "./made-once.tsx";
import { PostForm } from "./post-form.tsx";
import { type Filled, UNFILLED } from "./posted-fields.ts";
import { Time } from "./time.tsx";
import { WebhookFields } from "./webhook-fields.tsx";
import { lastAnswer, pathOf, STATES } from "./webhook-words.ts";

export interface WebhooksView {
  member: Member;
  settings: Settings;
  webhooks: readonly ListedWebhook[];
  /** Whether a secret could be stored. */
  canSeal: boolean;
  message?: string | undefined;
  refused?: Filled;
}

export const WebhooksPage = ({ member, settings, webhooks, canSeal, message, refused }: WebhooksView) =>
  document({
    title: "Webhooks",
    member,
    settings,
    current: "/settings/webhooks",
    wide: true,
    children: (
      <>
        <div class="heading">
          <h1>Webhooks</h1>
          <p class="sub">
            Each security event of {member.org_name} is sent here as it happens: signed, at least once, and in the order
            of the chain. What a receiver does not accept waits for it.
          </p>
        </div>
        {message && <Notice kind="good" title={message} role="status" />}
        <Maker canSeal={canSeal} full={webhooks.length >= MAX_WEBHOOKS} refused={refused} />
        <h2 class="list-title">Receivers</h2>
        {webhooks.length === 0 ? <p class="empty">No event is sent anywhere yet.</p> : <Table webhooks={webhooks} />}
      </>
    ),
  });

const Maker = ({ canSeal, full, refused }: { canSeal: boolean; full: boolean; refused: Filled | undefined }) => {
  if (!canSeal)
    return (
      <Notice kind="warn" title="No webhook can be set up yet">
        <p>
          Their secrets are stored only under encryption, and this installation has no key for it. The operator sets{" "}
          <code>CREDENTIALS_KEY</code>.
        </p>
      </Notice>
    );
  if (full) return <p class="hint">An organization has at most {MAX_WEBHOOKS}. Remove one to set up another.</p>;
  return (
    <div class="makers">
      <details class="maker" open={refused !== undefined}>
        <summary class="button secondary">New webhook</summary>
        <PostForm action="/settings/webhooks" class="card" aria-label="New webhook">
          <NewId kind="whk" />
          <WebhookFields form="new" filled={refused ?? UNFILLED} />
          <button type="submit" class="primary">
            Set up
          </button>
        </PostForm>
      </details>
    </div>
  );
};

const Table = ({ webhooks }: { webhooks: readonly ListedWebhook[] }) => (
  <table class="listing webhooks">
    <thead>
      <tr>
        <th scope="col">Receiver</th>
        <th scope="col">State</th>
        <th scope="col">Last answer</th>
        <th scope="col">Waiting</th>
        <th scope="col">Format</th>
        <th scope="col">Set up</th>
      </tr>
    </thead>
    <tbody>
      {webhooks.map((webhook) => (
        <tr>
          <td>
            <a href={`/settings/webhooks/${webhook.id}`}>{hostOf(webhook)}</a>
            <br />
            <code>{pathOf(webhook)}</code>
          </td>
          <td data-label="State">
            <State webhook={webhook} />
          </td>
          <td data-label="Last answer">
            <LastAnswer webhook={webhook} />
          </td>
          <td data-label="Waiting">{webhook.waiting.toLocaleString("en")}</td>
          <td data-label="Format">{webhook.format === "ocsf" ? "OCSF" : "JSON"}</td>
          <td data-label="Set up">
            <Time at={webhook.created_at} /> <span class="by">by {webhook.created_by}</span>
          </td>
        </tr>
      ))}
    </tbody>
  </table>
);

/** The state, and since when it is not a good one. */
export const State = ({ webhook }: { webhook: ListedWebhook }) => {
  const state = webhookState(webhook);
  const { label, tag } = STATES[state];
  const since = state === "retrying" ? webhook.failing_since : state === "paused" ? webhook.paused_at : null;
  return (
    <>
      <span class={tag}>{label}</span>
      {since !== null && (
        <>
          {" "}
          since <Time at={since} />
        </>
      )}
    </>
  );
};

export const LastAnswer = ({ webhook }: { webhook: ListedWebhook }) => (
  <>
    {lastAnswer(webhook)}
    {webhook.last_attempt_at !== null && (
      <>
        , <Time at={webhook.last_attempt_at} />
      </>
    )}
  </>
);
