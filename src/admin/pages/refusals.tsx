// Whatever keeps a page from being shown, as a page of its own or, to htmx, as a fragment.
import type { Context } from "hono";
import type { Member } from "../../store/members.ts";
import type { AdminEnv, Principal } from "../authorize.ts";
import { type Problem, problemOf } from "../problem.ts";
import { document } from "./layout.tsx";

type Face = Pick<Problem, "status" | "title" | "detail">;

/** The one place that makes a response of an error of a page. */
export function refusalPage(error: Error, c: Context<AdminEnv>): Response | Promise<Response> {
  const problem = problemOf(error);
  const isFragment = c.req.header("hx-request") === "true";
  if (problem.status === 401 && c.req.method === "GET" && !isFragment) {
    const { pathname, search } = new URL(c.req.url);
    return c.redirect(`/settings/sign-in?next=${encodeURIComponent(pathname + search)}`);
  }
  const face = problem.status === 401 ? sessionEnded(problem.status, isFragment) : problem;
  return c.html(isFragment ? <Fragment {...face} /> : <RefusalPage face={face} member={signedIn(c)} />, face.status);
}

/** Somebody was at work when the session ended: say how it is not lost. */
function sessionEnded(status: Face["status"], isFragment: boolean): Face {
  const next = isFragment
    ? "go on in this one; what you entered is still here."
    : "reload this one; what you entered is sent again.";
  return {
    status,
    title: "Your session has ended",
    detail: `Nothing was saved. Sign in again in another tab, then ${next}`,
  };
}

/** Whoever had been recognized when it was refused. */
function signedIn(c: Context<AdminEnv>): Member | null {
  const principal = c.get("principal") as Principal | undefined;
  return principal?.kind === "member" ? principal.member : null;
}

const RefusalPage = ({ face: { status, title, detail }, member }: { face: Face; member: Member | null }) =>
  document({
    title,
    member,
    children: (
      <section class="card refusal">
        <h1>{title}</h1>
        <p>{detail}</p>
        {status === 401 && <SignInElsewhere />}
      </section>
    ),
  });

/** Stands where the impact would; the form beside it keeps everything typed. */
const Fragment = ({ status, title, detail }: Face) => (
  <section id="impact" class="impact" aria-labelledby="impact-title">
    <h2 id="impact-title">{title}</h2>
    <p role="alert">{detail}</p>
    {status === 401 && <SignInElsewhere />}
  </section>
);

const SignInElsewhere = () => (
  <p>
    <a href="/settings/sign-in" target="_blank" rel="noopener">
      Sign in in a new tab
    </a>
  </p>
);
