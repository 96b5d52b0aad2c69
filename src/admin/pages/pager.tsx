// From one page of a list to the next, and back to its beginning.

interface Way {
  readonly href: string;
  readonly label: string;
}

/** `of` names what the pages hold. Nothing, where there is no other page. */
export const Pager = ({ of, first, next }: { of: string; first: Way | null; next: Way | null }) =>
  first || next ? (
    <nav class="pager" aria-label={`Pages of ${of}`}>
      {first && <a href={first.href}>{first.label}</a>}
      {next && (
        <a href={next.href} rel="next">
          {next.label}
        </a>
      )}
    </nav>
  ) : null;
