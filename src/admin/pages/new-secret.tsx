// A secret, the once that it is shown, as text that one click selects. It is shown by the answer to the form that made
// it, which a reload would send again: `page` is where a reload goes instead, where the browser runs our script.

export const NewSecret = ({ secret, page }: { secret: string; page: string }) => (
  <p>
    <code class="secret" data-page={page}>
      {secret}
    </code>
  </p>
);
