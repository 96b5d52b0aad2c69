// The second step before what cannot be undone: a page of its own, so that it works without JavaScript.
import type { Settings } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import { document, type Frame, Notice } from "./layout.tsx";

export const ConfirmPage = ({
  member,
  settings,
  current,
  title,
  error,
  lines,
  action,
  confirm,
  back,
}: {
  member: Member;
  settings: Settings;
  current: Frame["current"];
  /** The question. */
  title: string;
  /** Why it was not done, after it was tried. */
  error?: string | undefined;
  /** What follows from a yes. */
  lines: readonly string[];
  /** Where a yes is posted to, and what its button says. */
  action: string;
  confirm: string;
  /** Where a no leads. */
  back: string;
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
        {lines.map((line) => (
          <p>{line}</p>
        ))}
        <form method="post" action={action} class="buttons">
          <button type="submit" class="danger">
            {confirm}
          </button>
          <a class="button quiet" href={back}>
            Cancel
          </a>
        </form>
      </section>
    ),
  });
