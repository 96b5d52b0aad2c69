// The step before what cannot be taken back: a page that says what it would do, and the button that does it.
import type { Child } from "hono/jsx";
import type { Settings } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import { document } from "./layout.tsx";

export const ConfirmPage = ({
  member,
  settings,
  title,
  action,
  fields = {},
  button,
  back,
  children,
}: {
  member: Member;
  settings: Settings;
  title: string;
  /** Where the button posts to, with these fields. */
  action: string;
  fields?: Record<string, string | number>;
  button: string;
  back: string;
  /** What would happen. */
  children: Child;
}) =>
  document({
    title,
    member,
    settings,
    current: "/settings/projects",
    children: (
      <section class="card refusal">
        <h1>{title}</h1>
        {children}
        <form method="post" action={action} class="buttons confirm">
          {Object.entries(fields).map(([name, value]) => (
            <input type="hidden" name={name} value={value} />
          ))}
          <button type="submit" class="danger">
            {button}
          </button>
          <a class="button quiet" href={back}>
            Cancel
          </a>
        </form>
      </section>
    ),
  });
