// A link to somebody else's site: it is told neither where the reader came from, nor given a hold on this page.

/** `href` is an http or https address: the catalog's schema accepts no other. */
export const ExternalLink = ({ href, children }: { href: string; children?: string }) => (
  <a href={href} rel="noreferrer noopener">
    {children ?? new URL(href).hostname}
  </a>
);
