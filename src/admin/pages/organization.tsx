// Choosing an organization, for whoever is a member of several: only an address that Cloudflare Access vouches for can be.
import { Hono } from "hono";
import { setCookie } from "hono/cookie";
import type { Member } from "../../store/members.ts";
import type { AdminEnv } from "../authorize.ts";
import { noSuchOrg } from "../problem.ts";
import { COOKIE_RULES, ORGANIZATION_COOKIE, personHere } from "./access.ts";
import { document } from "./layout.tsx";
import { nextPage } from "./next-page.ts";
import { postedForm } from "./posted-form.ts";

export const organization = new Hono<AdminEnv>();

organization.get("/", async (c) => {
  const { memberships } = await personHere(c);
  return c.html(<OrganizationPage memberships={memberships} next={nextPage(c.req.query("next"))} />);
});

organization.post("/", async (c) => {
  const { memberships } = await personHere(c);
  const form = await postedForm(c);
  const chosen = memberships.find(({ org }) => org === form.get("org"));
  if (!chosen) throw noSuchOrg();
  setCookie(c, ORGANIZATION_COOKIE, chosen.org, COOKIE_RULES);
  return c.redirect(nextPage(form.get("next")), 303);
});

const OrganizationPage = ({ memberships, next }: { memberships: readonly Member[]; next: string }) =>
  document({
    title: "Choose an organization",
    member: null,
    children: (
      <section class="card sign-in">
        <h1>Choose an organization</h1>
        <p class="sub">{memberships[0]?.email} is a member of these.</p>
        <form method="post" action="/settings/organization">
          <input type="hidden" name="next" value={next} />
          {memberships.map(({ org, org_name, role }) => (
            <button type="submit" name="org" value={org} class="secondary">
              {org_name} <span class="number">as {role}</span>
            </button>
          ))}
        </form>
      </section>
    ),
  });
