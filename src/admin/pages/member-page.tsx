// One member: their role, their admin tokens, and the way to remove them.
import type { Settings } from "../../env.ts";
import type { ListedMember, Member } from "../../store/members.ts";
import type { AdminToken } from "../../store/tokens.ts";
import { document, Notice } from "./layout.tsx";
import { NewId } from "./made-once.tsx";
import { isExpired, lastActiveOn, memberPath } from "./member-words.ts";
import { NewSecret } from "./new-secret.tsx";
import { PostForm } from "./post-form.tsx";
import { RoleSelect } from "./role-select.tsx";
import { Day, Time } from "./time.tsx";

/** The admin API lists all of them. */
export const SHOWN_TOKENS = 100;

export interface MemberView {
  member: Member;
  settings: Settings;
  /** The member whose page it is. */
  shown: ListedMember;
  /** Their newest tokens; one more than are shown when there are others. */
  tokens: readonly AdminToken[];
  message?: string;
  /** A role that could not be given. */
  role?: { entered: string; error: string };
  /** A token that could not be issued. */
  issue?: { entered: { name: string; expires: string }; errors: { name?: string; expires?: string } };
  /** The token just issued: shown this once. */
  issued?: AdminToken & { token: string };
  now: number;
}

export const MemberPage = (view: MemberView) => {
  const { member, settings, shown, message, issued, role } = view;
  const { email, created_at } = shown;
  const active = lastActiveOn(shown);
  const yourself = email === member.email;
  return document({
    title: email,
    member,
    settings,
    current: "/settings/members",
    children: (
      <>
        <p class="back">
          <a href="/settings/members">Members</a>
        </p>
        <div class="heading">
          <h1>{email}</h1>
          <p class="sub">
            {shown.role} of {member.org_name} since <Time at={created_at} />,{" "}
            {active === null ? "never active" : "last active "}
            {active !== null && <Day date={active} />}.
          </p>
        </div>
        {message && <Notice kind="good" title={message} role="status" />}
        {issued && <Issued {...issued} page={memberPath(email)} />}
        <section class="card" aria-labelledby="role-title">
          <h2 id="role-title">Role</h2>
          <PostForm action={`${memberPath(email)}/role`} class="row">
            <RoleSelect chosen={role?.entered ?? shown.role} error={role?.error} />
            <button type="submit" class="secondary">
              Change role
            </button>
          </PostForm>
        </section>
        <Tokens {...view} />
        <section class="card" aria-labelledby="remove-title">
          <h2 id="remove-title">Remove</h2>
          <p class="hint">
            {yourself
              ? "Your tokens stop working and you are signed out."
              : "Their tokens stop working and they are signed out."}
          </p>
          <p>
            <a class="button danger" href={`${memberPath(email)}/remove`}>
              Remove {yourself ? "yourself" : "this member"}…
            </a>
          </p>
        </section>
      </>
    ),
  });
};

const Issued = ({ token, name, page }: { token: string; name: string | null; page: string }) => (
  <Notice
    kind="warn"
    title={`Copy the token${name === null ? "" : ` ${name}`} now: it is shown this once`}
    role="status"
  >
    <NewSecret secret={token} page={page} />
    <p>Only its hash is kept.</p>
  </Notice>
);

const Tokens = ({ shown: { email }, tokens, now, issue }: MemberView) => (
  <section class="card" aria-labelledby="tokens-title">
    <h2 id="tokens-title">Admin tokens</h2>
    {tokens.length === 0 ? (
      <p class="empty">No token. One is needed to sign in without Cloudflare Access, and for automation.</p>
    ) : (
      <table class="listing labelled">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Begins with</th>
            <th scope="col">Issued</th>
            <th scope="col">Last used</th>
            <th scope="col">Expires</th>
            <th scope="col">
              <span class="unseen">Revoke</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.slice(0, SHOWN_TOKENS).map((token) => (
            <TokenRow email={email} token={token} now={now} />
          ))}
        </tbody>
      </table>
    )}
    {tokens.length > SHOWN_TOKENS && (
      <p class="hint">These are the newest {SHOWN_TOKENS}; the admin API lists all of them.</p>
    )}
    <h3>Issue a token</h3>
    <PostForm action={`${memberPath(email)}/tokens`} class="row">
      <NewId kind="tok" />
      <Field name="name" label="Name, optional" type="text" value={issue?.entered.name} error={issue?.errors.name} />
      <Field
        name="expires"
        label="Last day, UTC, optional"
        type="date"
        value={issue?.entered.expires}
        error={issue?.errors.expires}
      />
      <button type="submit" class="secondary">
        Issue
      </button>
    </PostForm>
  </section>
);

const TokenRow = ({ email, token, now }: { email: string; token: AdminToken; now: number }) => (
  <tr>
    <td>{token.name ?? "Unnamed"}</td>
    <td>
      <code class="prefix">{token.prefix}…</code>
    </td>
    <td data-label="Issued">
      <Time at={token.created_at} /> by {token.created_by}
    </td>
    <td data-label="Last used">{token.last_used_on === null ? "never" : <Day date={token.last_used_on} />}</td>
    <td data-label="Expires">
      {token.expires_at === null ? "never" : <Time at={token.expires_at} />}
      {isExpired(token, now) && (
        <>
          {" "}
          <span class="tag blocked">expired</span>
        </>
      )}
    </td>
    <td>
      <a href={`${memberPath(email)}/tokens/${token.id}/revoke`}>
        Revoke<span class="unseen"> {token.name ?? token.prefix}</span>…
      </a>
    </td>
  </tr>
);

const Field = ({
  name,
  label,
  type,
  value = "",
  error,
}: {
  name: string;
  label: string;
  type: "text" | "date";
  value: string | undefined;
  error: string | undefined;
}) => (
  <div class="field">
    <label for={name}>{label}</label>
    <input
      type={type}
      id={name}
      name={name}
      value={value}
      autocomplete="off"
      aria-invalid={error ? "true" : undefined}
      aria-describedby={error ? `${name}-error` : undefined}
    />
    {error && (
      <p id={`${name}-error`} class="field-error" role="alert">
        {error}
      </p>
    )}
  </div>
);
