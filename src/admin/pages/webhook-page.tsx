// One webhook: how it goes, what can be done about it, and its secret, the once that it is shown.
import type { Settings } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import { type Answer, isAccepted } from "../../store/receiver.ts";
import { hostOf, type ListedWebhook } from "../../store/webhooks.ts";
import { overlapUntil, webhookState } from "../webhook-state.ts";
import { type Fact, FactList } from "./fact-list.tsx";
import { document, Notice } from "./layout.tsx";
import { NewSecret } from "./new-secret.tsx";
import { PostForm } from "./post-form.tsx";
import { type Filled, UNFILLED } from "./posted-fields.ts";
import { Time } from "./time.tsx";
import { WebhookFields } from "./webhook-fields.tsx";
import { answerInWords, lastAnswer, waitingInWords } from "./webhook-words.ts";
import { LastAnswer, State } from "./webhooks-page.tsx";

export interface WebhookView {
  member: Member;
  settings: Settings;
  webhook: ListedWebhook;
  message?: string | undefined;
  /** A new secret: shown this once. */
  secret?: string;
  /** What came of a test. */
  tested?: Answer;
  refused?: Filled;
  now: number;
}

export const WebhookPage = (view: WebhookView) => {
  const { member, settings, webhook, message, secret, tested } = view;
  return document({
    title: `Webhook to ${hostOf(webhook)}`,
    member,
    settings,
    current: "/settings/webhooks",
    children: (
      <>
        <p class="back">
          <a href="/settings/webhooks">Webhooks</a>
        </p>
        <div class="heading">
          <h1>{hostOf(webhook)}</h1>
          <p class="sub">
            <code>{webhook.url}</code>
          </p>
        </div>
        {message && <Notice kind="good" title={message} role="status" />}
        {secret && <Secret secret={secret} page={`/settings/webhooks/${webhook.id}`} />}
        {tested && <Tested answer={tested} />}
        <Trouble webhook={webhook} />
        <Facts view={view} />
        <Actions webhook={webhook} />
        <Changes view={view} />
      </>
    ),
  });
};

const Secret = ({ secret, page }: { secret: string; page: string }) => (
  <Notice kind="warn" title="Copy the signing secret now: it is shown this once" role="status">
    <NewSecret secret={secret} page={page} />
    <p>
      Give it to a library of Standard Webhooks, which checks the headers <code>webhook-id</code>,{" "}
      <code>webhook-timestamp</code> and <code>webhook-signature</code>. An id that comes again is the same event again.
    </p>
  </Notice>
);

const Tested = ({ answer }: { answer: Answer }) =>
  isAccepted(answer) ? (
    <Notice kind="good" title={`The test was accepted: ${answerInWords(answer)}`} role="status" />
  ) : (
    <Notice kind="bad" title={`The test was not accepted: ${answerInWords(answer)}`} role="alert">
      <p>A receiver accepts with a status of 200 to 299, within ten seconds.</p>
    </Notice>
  );

/** What stands in the way, and what happens without anybody doing something. */
const Trouble = ({ webhook }: { webhook: ListedWebhook }) => {
  const waiting = `${waitingInWords(webhook.waiting)}, and none is lost.`;
  switch (webhookState(webhook)) {
    case "delivering":
      return null;
    case "retrying":
      return (
        <Notice kind="warn" title={`The receiver does not accept: ${lastAnswer(webhook)}`}>
          <p>
            {waiting} The next attempt is due at <Time at={webhook.next_attempt_at} />. After a day of failures the
            webhook pauses.
          </p>
        </Notice>
      );
    case "paused":
      return (
        <Notice kind="bad" title={`Paused: the last answer was ${lastAnswer(webhook)}`}>
          <p>{waiting} Mend the receiver, send a test, and resume.</p>
        </Notice>
      );
    case "disabled":
      return (
        <Notice kind="warn" title="Somebody paused it by hand">
          <p>{waiting}</p>
        </Notice>
      );
  }
};

const Facts = ({ view: { webhook, now } }: { view: WebhookView }) => {
  const overlap = overlapUntil(webhook, now);
  const facts: Fact[] = [
    ["State", <State webhook={webhook} />],
    ["Last answer", <LastAnswer webhook={webhook} />],
    ["Accepted up to", webhook.delivered_seq === 0 ? "nothing yet" : `number ${webhook.delivered_seq} of the chain`],
    ["Waiting", waitingInWords(webhook.waiting)],
    [
      "Secret",
      overlap === null ? (
        "signs alone"
      ) : (
        <>
          the one before signs too until <Time at={overlap} />
        </>
      ),
    ],
    [
      "Set up",
      <>
        <Time at={webhook.created_at} /> by {webhook.created_by}
      </>,
    ],
  ];
  return (
    <section class="card" aria-label="How it goes">
      <FactList facts={facts} />
    </section>
  );
};

const Actions = ({ webhook }: { webhook: ListedWebhook }) => {
  const page = `/settings/webhooks/${webhook.id}`;
  const state = webhookState(webhook);
  const stopped = state === "paused" || state === "disabled";
  return (
    <section class="card" aria-label="What to do">
      <div class="actions">
        <PostForm action={`${page}/test`}>
          <button type="submit" class="secondary">
            Send a test
          </button>
        </PostForm>
        <PostForm action={`${page}/${stopped ? "resume" : "pause"}`}>
          <button type="submit" class={stopped ? "primary" : "secondary"}>
            {stopped ? "Resume" : "Pause"}
          </button>
        </PostForm>
        <a class="button secondary" href={`${page}/rotate-secret`}>
          Rotate the secret…
        </a>
        <a class="button danger" href={`${page}/remove`}>
          Remove…
        </a>
      </div>
    </section>
  );
};

const Changes = ({ view: { webhook, refused } }: { view: WebhookView }) => (
  <section class="card" aria-labelledby="change">
    <h2 id="change">Change it</h2>
    <PostForm action={`/settings/webhooks/${webhook.id}`} class="stacked">
      <WebhookFields form="change" filled={refused ?? UNFILLED} initial={webhook} />
      <button type="submit" class="secondary">
        Save
      </button>
    </PostForm>
  </section>
);
