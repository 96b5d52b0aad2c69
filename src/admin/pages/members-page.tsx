// Settings → Members: everybody in the organization, and a form to add somebody.
import type { Settings } from "../../env.ts";
import type { ListedMember, Member } from "../../store/members.ts";
import type { AdminToken } from "../../store/tokens.ts";
import { document, Notice } from "./layout.tsx";
import { isExpired, lastActiveOn, memberPath, ROLES } from "./member-words.ts";
import { Pager } from "./pager.tsx";
import { PostForm } from "./post-form.tsx";
import { RoleSelect } from "./role-select.tsx";
import { Day, Time } from "./time.tsx";

/** As many tokens of a member as the list names. */
export const SHOWN_TOKENS_EACH = 3;

export interface MembersView {
  member: Member;
  settings: Settings;
  members: readonly ListedMember[];
  /** The newest of each of them, with how many that member has in all. */
  tokens: readonly (AdminToken & { of: number })[];
  /** The member that this page continues after, when it is not the first; and whom the next page does. */
  after: string | undefined;
  next: string | undefined;
  message?: string | undefined;
  entered?: { email: string; role: string };
  errors?: { email?: string; role?: string };
  now: number;
}

export const MembersPage = (view: MembersView) => {
  const { member, settings, members, after, next, message } = view;
  return document({
    title: "Members",
    member,
    settings,
    current: "/settings/members",
    wide: true,
    children: (
      <>
        <div class="heading">
          <h1>Members</h1>
          <p class="sub">
            Who may sign in for {member.org_name}, and what their role lets them do. A change is in force at once.
          </p>
        </div>
        {message && <Notice kind="good" title={message} role="status" />}
        {members.length === 0 ? (
          <p class="empty">
            Nobody comes after {after}. <a href="/settings/members">Show all members</a>
          </p>
        ) : (
          <Table {...view} />
        )}
        <Pager
          of="members"
          first={after ? { href: "/settings/members", label: "First" } : null}
          next={next ? { href: `/settings/members?after=${encodeURIComponent(next)}`, label: "Next" } : null}
        />
        <Add {...view} />
      </>
    ),
  });
};

const Table = ({ members, tokens, now, member }: MembersView) => (
  <table class="listing labelled">
    <thead>
      <tr>
        <th scope="col">Member</th>
        <th scope="col">Role</th>
        <th scope="col">Since</th>
        <th scope="col">Last active</th>
        <th scope="col">Admin tokens</th>
      </tr>
    </thead>
    <tbody>
      {members.map((listed) => {
        const { email, role, created_at } = listed;
        const active = lastActiveOn(listed);
        return (
          <tr>
            <td>
              <a href={memberPath(email)}>{email}</a>
              {email === member.email && <span class="number"> you</span>}
            </td>
            <td>
              <span class="tag">{role}</span>
            </td>
            <td data-label="Since">
              <Time at={created_at} />
            </td>
            <td data-label="Last active">{active === null ? "never" : <Day date={active} />}</td>
            <td data-label="Admin tokens">
              <Tokens tokens={tokens.filter((token) => token.email === email)} now={now} />
            </td>
          </tr>
        );
      })}
    </tbody>
  </table>
);

const Tokens = ({ tokens, now }: Pick<MembersView, "tokens" | "now">) => {
  const hidden = (tokens[0]?.of ?? 0) - tokens.length;
  if (tokens.length === 0) return <>none</>;
  return (
    <ul class="tokens">
      {tokens.map((token) => (
        <li>
          {token.name ?? "Unnamed"} <code class="prefix">{token.prefix}…</code>{" "}
          <span class="number">
            {token.last_used_on === null ? (
              "never used"
            ) : (
              <>
                used <Day date={token.last_used_on} />
              </>
            )}
            {token.expires_at !== null && (
              <>
                , {isExpired(token, now) ? "expired" : "expires"} <Time at={token.expires_at} />
              </>
            )}
          </span>
        </li>
      ))}
      {hidden > 0 && <li class="more">and {hidden} more</li>}
    </ul>
  );
};

const Add = ({ settings, entered, errors }: MembersView) => (
  <section class="card after-table" aria-labelledby="add">
    <h2 id="add">Add a member</h2>
    <PostForm action="/settings/members" class="row">
      <div class="field">
        <label for="email">Email address</label>
        <input
          type="text"
          inputmode="email"
          id="email"
          name="email"
          value={entered?.email ?? ""}
          required
          maxlength={254}
          autocomplete="off"
          spellcheck={false}
          aria-invalid={errors?.email ? "true" : undefined}
          aria-describedby={errors?.email ? "email-error" : undefined}
        />
        {errors?.email && (
          <p id="email-error" class="field-error" role="alert">
            {errors.email}
          </p>
        )}
      </div>
      <RoleSelect chosen={entered?.role ?? "developer"} error={errors?.role} />
      <button type="submit" class="primary">
        Add
      </button>
    </PostForm>
    <ul class="prose hint">
      {ROLES.map(({ role, about }) => (
        <li>
          <strong>{role}</strong> {about}
        </li>
      ))}
    </ul>
    <p class="hint">
      {settings.ACCESS_AUD === undefined
        ? "They sign in with an admin token; issue one on their page once they are added."
        : "They sign in through Cloudflare Access with this address; an admin token is for automation."}
    </p>
  </section>
);
