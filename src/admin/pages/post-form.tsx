// A form on a member's page. It names the organization that the page was rendered for, so that what it posts goes to no
// other: in another tab the same browser may have gone over to another one meanwhile.
import { createContext, type JSX, type PropsWithChildren, useContext } from "hono/jsx";

/** The field that names it. */
export const ORGANIZATION_FIELD = "organization";

/** The organization whose page is being rendered. A form outside of any names none, and what it posts is refused. */
export const OrganizationOfPage = createContext("");

export const PostForm = ({
  children,
  ...attributes
}: PropsWithChildren<Omit<JSX.IntrinsicElements["form"], "method">>) => (
  <form method="post" {...attributes}>
    <input type="hidden" name={ORGANIZATION_FIELD} value={useContext(OrganizationOfPage)} />
    {children}
  </form>
);
