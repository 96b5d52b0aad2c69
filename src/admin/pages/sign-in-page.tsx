// The page before sign-in.
import { document } from "./layout.tsx";

export const SignInPage = ({ error, next }: { error?: string; next: string }) =>
  document({
    title: "Sign in",
    member: null,
    children: (
      <section class="card sign-in">
        <h1>Sign in</h1>
        <p class="sub">Settings of your organization's gateway.</p>
        <form method="post" action="/settings/sign-in">
          <input type="hidden" name="next" value={next} />
          <div class="field">
            <label for="token">Admin token</label>
            <input
              type="password"
              id="token"
              name="token"
              required
              autofocus
              autocomplete="current-password"
              spellcheck={false}
              aria-invalid={error ? "true" : undefined}
              aria-describedby={error ? "token-error token-about" : "token-about"}
            />
            {error && (
              <p id="token-error" class="field-error" role="alert">
                {error}
              </p>
            )}
            <p id="token-about" class="hint">
              It begins with <code>pcladm_</code>. An owner of your organization issues it.
            </p>
          </div>
          <button type="submit" class="primary">
            Sign in
          </button>
        </form>
      </section>
    ),
  });
