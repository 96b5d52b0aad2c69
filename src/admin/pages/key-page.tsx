// One key: what is known of it, and what can be changed. Never the key itself.
import type { Settings } from "../../env.ts";
import type { ApiKey } from "../../store/keys.ts";
import type { Member } from "../../store/members.ts";
import { type Fact, FactList } from "./fact-list.tsx";
import { Field } from "./field.tsx";
import { edgeLag, lastDayOf } from "./key-words.ts";
import { KeyState, LastUsed } from "./keys-table.tsx";
import { document, Notice } from "./layout.tsx";
import { PostForm } from "./post-form.tsx";
import type { Filled } from "./posted-fields.ts";
import { Time } from "./time.tsx";

export interface KeyView {
  member: Member;
  settings: Settings;
  apiKey: ApiKey;
  filled: { rename: Filled; expiry: Filled };
  /** Whether this page follows a change. */
  saved: boolean;
  now: number;
}

export const KeyPage = (view: KeyView) => {
  const { member, settings, apiKey, saved } = view;
  const lag = edgeLag(apiKey);
  return document({
    title: `Key ${apiKey.name}`,
    member,
    settings,
    current: "/settings/projects",
    children: (
      <>
        <p class="back">
          <a href="/settings/projects">Projects & keys</a>
        </p>
        <div class="heading">
          <h1>{apiKey.name}</h1>
          <p class="sub">
            A key of project <a href={`/settings/projects/${apiKey.project}`}>{apiKey.project}</a>. Only its hash is
            kept.
          </p>
        </div>
        {lag ? (
          <Notice kind="warn" title="The edge is not in step with this yet" role="status">
            <p>
              {apiKey.revoked_at === null
                ? "The key, or its expiry as it is here, has not reached the gateway."
                : "The key is revoked, but the gateway may still accept it."}{" "}
              It is tried again every few minutes.
            </p>
          </Notice>
        ) : (
          saved && (
            <Notice kind="good" title="Saved" role="status">
              <p>It is usually in force everywhere within a minute; the platform promises no bound.</p>
            </Notice>
          )
        )}
        <Facts view={view} />
        {apiKey.revoked_at === null && <Changes view={view} />}
      </>
    ),
  });
};

const Facts = ({ view: { apiKey, now } }: { view: KeyView }) => {
  const facts: Fact[] = [
    ["Begins with", <code>{apiKey.prefix}</code>],
    ["State", <KeyState apiKey={apiKey} now={now} />],
    ["Last used (noted once a day, not guaranteed)", <LastUsed on={apiKey.last_used_on} />],
    ["Expires", apiKey.expires_at === null ? "never" : <Time at={apiKey.expires_at} />],
    [
      "Created",
      <>
        <Time at={apiKey.created_at} /> by {apiKey.created_by}
      </>,
    ],
    ...(apiKey.revoked_at === null ? [] : [["Revoked", <Time at={apiKey.revoked_at} />] satisfies Fact]),
    ["Id, as events name it", <code>{apiKey.id}</code>],
  ];
  return (
    <section class="card" aria-label="What is known of it">
      <FactList facts={facts} />
    </section>
  );
};

const Changes = ({ view: { apiKey, filled } }: { view: KeyView }) => (
  <section class="card changes" aria-label="Change it">
    <PostForm action={`/settings/keys/${apiKey.id}/name`} class="line-form">
      <Field form="rename" name="name" label="Name" filled={filled.rename} initial={apiKey.name} />
      <button type="submit" class="secondary">
        Rename
      </button>
    </PostForm>
    <PostForm action={`/settings/keys/${apiKey.id}/expiry`} class="line-form">
      <Field
        form="expiry"
        name="last_day"
        label="Last day"
        type="date"
        filled={filled.expiry}
        initial={apiKey.expires_at === null ? "" : lastDayOf(apiKey.expires_at)}
        required={false}
        about="It works through the end of that day, UTC. Empty: it never expires."
      />
      <button type="submit" class="secondary">
        Set expiry
      </button>
    </PostForm>
    <p>
      <a class="button danger" href={`/settings/keys/${apiKey.id}/revoke`}>
        Revoke…
      </a>
    </p>
  </section>
);
