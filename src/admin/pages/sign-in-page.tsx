// The pages before sign-in and after it.
import { ACCESS_SIGN_OUT } from "../access-jwt.ts";
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

/** Leads on by itself, without JavaScript too; the link is for where it does not. */
export const SignedOutOfAccessPage = () =>
  document({
    title: "Signing out",
    member: null,
    children: (
      <section class="card refusal">
        <h1>Signing out</h1>
        <p>
          You are signed out here. <a href={ACCESS_SIGN_OUT}>Sign out of Cloudflare Access</a> as well, which signed you
          in.
        </p>
      </section>
    ),
  });
