// The frame of every page: head, header with navigation, banners, and the place for content.
import { html } from "hono/html";
import type { PropsWithChildren } from "hono/jsx";
import type { Settings } from "../../env.ts";
import type { Member, Role } from "../../store/members.ts";
import { may, type Permission } from "../roles.ts";
import { ASSETS } from "./assets.ts";
import { OrganizationOfPage } from "./post-form.tsx";

/** Where a signed-in person can go. */
const NAVIGATION = [
  { permission: "policy", href: "/settings/overview", label: "Overview" },
  { permission: "policy", href: "/settings/compliance", label: "Compliance" },
  { permission: "models", href: "/settings/models", label: "Models" },
  { permission: "providers", href: "/settings/providers", label: "Providers" },
  { permission: "events", href: "/settings/events", label: "Security events" },
  { permission: "webhooks", href: "/settings/webhooks", label: "Webhooks" },
  { permission: "keys", href: "/settings/projects", label: "Projects & keys" },
  { permission: "members", href: "/settings/members", label: "Members" },
  { permission: "audit_log", href: "/settings/audit-log", label: "Audit log" },
] as const satisfies { permission: Permission; href: string; label: string }[];

/** Where somebody of that role begins: the first page that they may see. */
export function landingOf(role: Role): string {
  return (NAVIGATION.find(({ permission }) => may(role, permission)) ?? NAVIGATION[0]).href;
}

export interface Frame {
  title: string;
  /** Null on pages before sign-in. */
  member: Member | null;
  /** The entry of the navigation that the page belongs to. */
  current?: (typeof NAVIGATION)[number]["href"] | undefined;
  settings?: Settings | undefined;
  wide?: boolean;
}

/**
 * No styles or scripts of htmx's own making, and nothing it would have to eval: the content security policy forbids
 * both. `open` is left alone when morphing, so that a preview does not close what somebody is reading.
 */
const HTMX_CONFIG = JSON.stringify({
  includeIndicatorCSS: false,
  history: false,
  defaultTimeout: 15_000,
  morphIgnore: ["data-htmx-powered", "open"],
});

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='%232563b0' stroke-width='2.2' stroke-linecap='round'%3E%3Cpath d='M4 21V10a8 8 0 0 1 16 0v11M9.3 4.5V18M14.7 4.5V18M4 11h16M4 16h16'/%3E%3C/svg%3E";

/** A whole HTML document. */
export function document({ title, member, current, settings, wide, children }: PropsWithChildren<Frame>) {
  const page = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="htmx-config" content={HTMX_CONFIG} />
        <title>{title} · Portcullis</title>
        <link rel="icon" href={ICON} />
        <link rel="stylesheet" href={ASSETS["app.css"].url} />
        <script src={ASSETS["htmx.js"].url} defer />
        <script src={ASSETS["app.js"].url} defer />
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header class="top">
          <div class="bar">
            <Wordmark />
            {member && <Identity member={member} />}
          </div>
          {member && <Navigation role={member.role} current={current} />}
        </header>
        {settings?.SANDBOX_UPSTREAM && (
          <aside class="banner sandbox" aria-label="Sandbox">
            <strong>Sandbox.</strong> Every provider is replaced by a stand-in on this machine; no prompt reaches a real
            one. Policies, blocks and events are real.
          </aside>
        )}
        <main id="main" tabindex={-1} class={wide ? "wide" : undefined}>
          <OrganizationOfPage.Provider value={member?.org ?? ""}>{children}</OrganizationOfPage.Provider>
        </main>
      </body>
    </html>
  );
  return html`<!doctype html>${page}`;
}

const Wordmark = () => (
  <a class="wordmark" href="/settings">
    <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" focusable="false">
      <path
        fill="none"
        stroke="currentColor"
        stroke-width="2"
        stroke-linecap="round"
        d="M4 21V10a8 8 0 0 1 16 0v11M9.3 4.5V18M14.7 4.5V18M4 11h16M4 16h16"
      />
    </svg>
    Portcullis
  </a>
);

const Identity = ({ member }: { member: Member }) => (
  <div class="identity">
    <span class="org">{member.org_name}</span>
    {member.memberships > 1 && <a href="/settings/organization">Switch</a>}
    <span class="email">
      <span class="unseen">Signed in as </span>
      {member.email}
    </span>
    <form method="post" action="/settings/sign-out">
      <button type="submit" class="quiet">
        Sign out
      </button>
    </form>
  </div>
);

const Navigation = ({ role, current }: { role: Role; current: Frame["current"] }) => (
  <nav aria-label="Settings">
    <ul>
      {NAVIGATION.filter(({ permission }) => may(role, permission)).map(({ href, label }) => (
        <li>
          <a href={href} aria-current={href === current ? "page" : undefined}>
            {label}
          </a>
        </li>
      ))}
    </ul>
  </nav>
);

/** A notice above a page's content. `role` "alert" interrupts a screen reader, "status" waits for its turn. */
export const Notice = ({
  kind,
  title,
  role,
  id,
  children,
}: PropsWithChildren<{ kind: "good" | "warn" | "bad"; title: string; role?: "alert" | "status"; id?: string }>) => (
  <div class={`notice ${kind}`} role={role} id={id}>
    <p class="notice-title">{title}</p>
    {children}
  </div>
);
