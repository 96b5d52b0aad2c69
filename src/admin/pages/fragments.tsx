// What a live preview replaces: the impact, the save bar, and each list in whose input something was typed.
import type { Child } from "hono/jsx";
import { LISTS, type ListName } from "./draft.ts";
import { listElementId } from "./exceptions.tsx";

export const Fragments = ({
  panel,
  bar,
  touched,
  children,
}: {
  panel: Child;
  bar: Child;
  touched: ReadonlySet<string>;
  children: (list: ListName) => Child;
}) => (
  <>
    {panel}
    <hx-partial hx-target="#save-bar" hx-swap="outerMorph">
      {bar}
    </hx-partial>
    {LISTS.filter((list) => touched.has(list)).map((list) => (
      <hx-partial hx-target={`#${listElementId(list)}`} hx-swap="outerHTML">
        {children(list)}
      </hx-partial>
    ))}
  </>
);

/** The lists that a posted form adds to, or that showed an error when it was sent. */
export function touchedBy(form: URLSearchParams): Set<string> {
  return new Set(LISTS.filter((list) => form.get(`add.${list}`) || form.getAll("erring").includes(list)));
}
