// Whatever keeps a page from being shown, as a page of its own or, to htmx, as a fragment.
import type { Context } from "hono";
import type { Member } from "../../store/members.ts";
import { ACCESS_SIGN_OUT } from "../access-jwt.ts";
import type { AdminEnv, Principal } from "../authorize.ts";
import { type Problem, type ProblemCode, problemOf, retryAfterSeconds } from "../problem.ts";
import { document } from "./layout.tsx";

type Face = Pick<Problem, "status" | "code" | "title" | "detail" | "wayOn">;

interface Refused {
  face: Face;
  member: Member | null;
  /** Whether it stands in a page that is still there, with what was entered. */
  isFragment: boolean;
}

/** Where somebody is led who cannot see a page yet. */
const FIRST: Partial<Record<ProblemCode, string>> = {
  not_signed_in: "/settings/sign-in",
  organization_required: "/settings/organization",
};

/** The one place that makes a response of an error of a page. */
export function refusalPage(error: Error, c: Context<AdminEnv>): Response | Promise<Response> {
  const problem = problemOf(error);
  const isFragment = c.req.header("hx-request") === "true";
  const first = FIRST[problem.code];
  if (first && c.req.method === "GET" && !isFragment) {
    const { pathname, search } = new URL(c.req.url);
    return c.redirect(`${first}?next=${encodeURIComponent(pathname + search)}`);
  }
  const face = problem.code === "not_signed_in" ? sessionEnded(problem, isFragment) : problem;
  const retryAfter = retryAfterSeconds(problem.code);
  if (retryAfter !== null) c.header("retry-after", String(retryAfter));
  const view: Refused = { face, member: signedIn(c), isFragment };
  return c.html(isFragment ? <Fragment {...view} /> : <RefusalPage {...view} />, face.status);
}

/** Somebody was at work when the session ended: say how it is not lost. */
function sessionEnded(problem: Problem, isFragment: boolean): Face {
  const next = isFragment
    ? "go on in this one; what you entered is still here."
    : "reload this one; what you entered is sent again.";
  return {
    ...problem,
    title: "Your session has ended",
    detail: `Nothing was saved. Sign in again in another tab, then ${next}`,
  };
}

/** Whoever had been recognized when it was refused. */
function signedIn(c: Context<AdminEnv>): Member | null {
  const principal = c.get("principal") as Principal | undefined;
  return principal?.kind === "member" ? principal.member : null;
}

const RefusalPage = (refused: Refused) => {
  const { title, detail } = refused.face;
  return document({
    title,
    member: refused.member,
    children: (
      <section class="card refusal">
        <h1>{title}</h1>
        <p>{detail}</p>
        <WayOn {...refused} />
      </section>
    ),
  });
};

/** Stands where the impact would; the form beside it keeps everything typed. */
const Fragment = (refused: Refused) => (
  <section id="impact" class="impact" aria-labelledby="impact-title">
    <h2 id="impact-title">{refused.face.title}</h2>
    <p role="alert">{refused.face.detail}</p>
    <WayOn {...refused} />
  </section>
);

const WayOn = ({ face: { code, wayOn }, member, isFragment }: Refused) => {
  if (code === "not_signed_in")
    return (
      <p>
        <a href="/settings/sign-in" target="_blank" rel="noopener">
          Sign in in a new tab
        </a>
      </p>
    );
  if (code === "organization_required")
    return (
      <p>
        <a href="/settings/organization" target="_blank" rel="noopener">
          Choose an organization in a new tab
        </a>
      </p>
    );
  if (code === "other_organization" && member) return <WayBack member={member} isFragment={isFragment} />;
  if (wayOn)
    return (
      <p>
        <a href={wayOn.href}>{wayOn.label}</a>
      </p>
    );
  if (code === "access_refused" || code === "not_a_member")
    return (
      <p>
        <a href={ACCESS_SIGN_OUT}>Sign in to Cloudflare Access as somebody else</a>
      </p>
    );
  return null;
};

/** Into the organization that one is in, or back into the one that the page was opened for. */
const WayBack = ({ member, isFragment }: { member: Member; isFragment: boolean }) => (
  <>
    <p>
      <a href="/settings">Go on in {member.org_name}</a>
    </p>
    <p>
      Or{" "}
      {member.memberships > 1 ? (
        <a href="/settings/organization" target="_blank" rel="noopener">
          choose the other one in a new tab
        </a>
      ) : (
        <a href="/settings/sign-in" target="_blank" rel="noopener">
          sign in for the other one in a new tab
        </a>
      )}
      , then{" "}
      {isFragment ? "go on here; what you entered is still here." : "reload this page; what you entered is sent again."}
    </p>
  </>
);
