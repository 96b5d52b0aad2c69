// Who Cloudflare Access says somebody is: the assertion it puts on every request that it lets through. The header alone
// proves nothing, since a Worker can be reached by other names than the one that Access guards; so the signature, the
// issuer and the audience are checked each time. Off unless both of its settings are set.
import { decodeProtectedHeader, errors, importJWK, jwtVerify } from "jose";
import * as z from "zod";
import type { Env, Settings } from "../env.ts";
import { findAccessKey } from "../store/access-keys.ts";
import { Email } from "./email.ts";

export const ACCESS_HEADER = "cf-access-jwt-assertion";

/** What Access answers to on the very host it guards: ends its session. */
export const ACCESS_SIGN_OUT = "/cdn-cgi/access/logout";

/** Never the algorithm that a token asks for: `none`, or HS256 with the public key as its secret, would be anybody's. */
const ALGORITHM = "RS256";
const CLOCK_TOLERANCE_SECONDS = 5;

export interface Access {
  issuer: string;
  audience: string;
}

export type Assertion =
  | { kind: "person"; email: string }
  /** Access knows it, but it is no person: a service token. */
  | { kind: "no_email" }
  | { kind: "refused"; reason: AssertionFault }
  | { kind: "keys_unreachable" };

export type AssertionFault =
  | "malformed"
  | "algorithm"
  | "unknown_key"
  | "signature"
  | "issuer"
  | "audience"
  | "expired"
  | "not_yet_valid";

const Header = z.object({ alg: z.string(), kid: z.string().min(1).max(256) });
const Claims = z.object({ email: Email });

/** Whose assertions count, or null when Access is off. */
export function accessOf({ ACCESS_TEAM_DOMAIN: issuer, ACCESS_AUD: audience }: Settings): Access | null {
  return issuer !== undefined && audience !== undefined ? { issuer, audience } : null;
}

/** Checks an assertion. Never throws; nothing of the assertion is in what it returns but a checked address. */
export async function checkAssertion(env: Env, { issuer, audience }: Access, assertion: string): Promise<Assertion> {
  const header = headerOf(assertion);
  if (header === null) return { kind: "refused", reason: "malformed" };
  if (header.alg !== ALGORITHM) return { kind: "refused", reason: "algorithm" };
  const found = await findAccessKey(env, issuer, header.kid);
  if (found.kind === "unreachable") return { kind: "keys_unreachable" };
  if (found.kind === "unknown") return { kind: "refused", reason: "unknown_key" };
  try {
    const { payload } = await jwtVerify(assertion, await importJWK(found.key, ALGORITHM), {
      algorithms: [ALGORITHM],
      issuer,
      audience,
      requiredClaims: ["exp"],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    const claims = Claims.safeParse(payload);
    return claims.success ? { kind: "person", email: claims.data.email } : { kind: "no_email" };
  } catch (error) {
    return { kind: "refused", reason: faultOf(error) };
  }
}

function headerOf(assertion: string): z.infer<typeof Header> | null {
  try {
    return Header.safeParse(decodeProtectedHeader(assertion)).data ?? null;
  } catch {
    return null;
  }
}

function faultOf(error: unknown): AssertionFault {
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature";
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "iss") return "issuer";
    if (error.claim === "aud") return "audience";
    if (error.claim === "nbf") return "not_yet_valid";
  }
  return "malformed";
}
