// Access tokens for Google: a service account signs an assertion, and Google's token endpoint exchanges it. The exchange
// carries no prompt, but it too stands behind a passing verdict: a provider that the policy excludes is not even
// announced. A token is kept in the isolate until shortly before it expires.
import { importPKCS8, SignJWT } from "jose";
import * as z from "zod";
import { stillHolds } from "../compliance/evaluate.ts";
import { refuse } from "../errors.ts";
import { type ServiceAccount, TOKEN_URI } from "../store/service-account.ts";
import type { Admitted } from "./upstream.ts";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/** The longest that Google allows. */
const ASSERTION_SECONDS = 3_600;
const TIMEOUT_MS = 10_000;
/** With less than this left one request gets a new token; with less than that nobody uses the old one any more. */
const RENEW_MS = 300_000;
const MARGIN_MS = 60_000;

interface Token {
  readonly value: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  renewingSince: number;
}

/**
 * By the account as this isolate holds it, and not by its name: anybody can write the name of another's account into a
 * JSON. No promise is kept: its I/O belongs to the request that began it.
 */
const tokens = new WeakMap<ServiceAccount, Token>();

/** https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests */
const TokenAnswer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,8192}$/),
  expires_in: z.number().positive().max(43_200),
  token_type: z.string().regex(/^bearer$/i),
});

/** The access token for an admitted candidate, or null when Google gives none in time. */
export async function accessToken(
  { candidate: { provider, model }, verdict }: Admitted,
  account: ServiceAccount,
  clientGone: AbortSignal,
): Promise<string | null> {
  const now = Date.now();
  if (!stillHolds(verdict, { provider: provider.id, model, now }))
    return refuse({ code: "policy_unavailable", why: "a fact about the provider expired while the request waited" });
  const held = tokens.get(account);
  const left = held ? held.expiresAt - now : 0;
  if (held && left > RENEW_MS) return held.value;
  if (held && left > MARGIN_MS && now - held.renewingSince < TIMEOUT_MS) return held.value;
  if (held) held.renewingSince = now;
  const renewed = await exchange(account, now, clientGone);
  if (renewed) tokens.set(account, renewed);
  return renewed?.value ?? (held && held.expiresAt - Date.now() > MARGIN_MS ? held.value : null);
}

/** What the service account says to Google at `now` (epoch milliseconds), signed. */
export async function signAssertion(account: ServiceAccount, now: number): Promise<string> {
  const issuedAt = Math.floor(now / 1000);
  return new SignJWT({ scope: SCOPE })
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: account.private_key_id })
    .setIssuer(account.client_email)
    .setAudience(TOKEN_URI)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ASSERTION_SECONDS)
    .sign(await importPKCS8(account.private_key, "RS256"));
}

async function exchange(account: ServiceAccount, now: number, clientGone: AbortSignal): Promise<Token | null> {
  try {
    const assertion = await signAssertion(account, now);
    const response = await fetch(TOKEN_URI, {
      method: "POST",
      body: new URLSearchParams({ grant_type: GRANT_TYPE, assertion }),
      redirect: "manual",
      signal: AbortSignal.any([clientGone, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return null;
    }
    const { access_token, expires_in } = TokenAnswer.parse(await response.json());
    return { value: access_token, expiresAt: now + expires_in * 1000, renewingSince: 0 };
  } catch {
    // The engine's message can quote what was sent; that there is no token is all there is to say.
    return null;
  }
}
