// The step before what cannot be taken back: a page that says what it would do, and the button that does it. A page of
// its own, so that it works without JavaScript.
import type { Child } from "hono/jsx";
import type { Settings } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import { document, type Frame, Notice } from "./layout.tsx";
import { PostForm } from "./post-form.tsx";

export const ConfirmPage = ({
  member,
  settings,
  current,
  title,
  error,
  action,
  fields = {},
  button,
  back,
  children,
}: {
  member: Member;
  settings: Settings;
  current: Frame["current"];
  /** The question. */
  title: string;
  /** Why it was not done, after it was tried. */
  error?: string | undefined;
  /** Where the button posts to, with these fields. */
  action: string;
  fields?: Record<string, string | number>;
  button: string;
  /** Where a no leads. */
  back: string;
  /** What would happen. */
  children: Child;
}) =>
  document({
    title,
    member,
    settings,
    current,
    children: (
      <section class="card refusal">
        <h1>{title}</h1>
        {error && (
          <Notice kind="bad" title="Not done" role="alert">
            <p>{error}</p>
          </Notice>
        )}
        {children}
        <PostForm action={action} class="buttons">
          {Object.entries(fields).map(([name, value]) => (
            <input type="hidden" name={name} value={value} />
          ))}
          <button type="submit" class="danger">
            {button}
          </button>
          <a class="button quiet" href={back}>
            Cancel
          </a>
        </PostForm>
      </section>
    ),
  });
