// Every way the control plane says no: one error class, and its one wire form (RFC 9457).
import { Misconfigured } from "../env.ts";
import { RefusalError } from "../errors.ts";

export const TITLES = {
  invalid_request: "The request is not valid",
  not_signed_in: "Not signed in",
  access_refused: "Cloudflare Access could not confirm who you are",
  not_a_member: "Not a member",
  organization_required: "Choose an organization",
  other_organization: "You are in another organization now",
  too_many_attempts: "Too many attempts",
  forbidden: "Not allowed",
  role_required: "Not part of your role",
  cross_origin: "Refused: the request came from another site",
  plan_required: "Not part of the organization's plan",
  not_found: "Not found",
  conflict: "It exists already",
  key_revoked: "The key is revoked",
  project_in_use: "The project is in use",
  last_owner: "An organization keeps at least one owner",
  stale_revision: "Somebody else saved first",
  request_too_large: "The request is too large",
  unsupported_media_type: "The request's format is not supported",
  revision_required: "If-Match is required",
  confirmation_required: "It needs your confirmation",
  internal: "Portcullis failed",
  misconfigured: "Portcullis is misconfigured",
  credentials_key_missing: "Secrets cannot be stored yet",
  unavailable: "Temporarily unavailable",
} as const;
export type ProblemCode = keyof typeof TITLES;

export type ProblemStatus = 400 | 401 | 403 | 404 | 409 | 412 | 413 | 415 | 428 | 429 | 500 | 503;

/** What is wrong with one field: its path, such as `providers.block.0`, and why. */
export interface FieldError {
  path: string;
  message: string;
}

/** The one error class of the control plane; `problemResponse` alone makes a response of it. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: ProblemStatus;
  readonly code: ProblemCode;
  readonly title: string;
  readonly detail: string;
  /** More members of the answer, such as `errors`. */
  readonly extras: Readonly<Record<string, unknown>>;
  /** Where a page leads on from it; no part of the API's answer. */
  readonly wayOn: Readonly<{ href: string; label: string }> | null;
  constructor({
    status,
    code,
    title = TITLES[code],
    detail,
    extras = {},
    wayOn = null,
  }: {
    status: ProblemStatus;
    code: ProblemCode;
    title?: string;
    detail: string;
    extras?: Record<string, unknown>;
    wayOn?: { href: string; label: string } | null;
  }) {
    super(detail);
    this.status = status;
    this.code = code;
    this.title = title;
    this.detail = detail;
    this.extras = extras;
    this.wayOn = wayOn;
  }
}

/** Enough to mend a document by; a broken catalog can have thousands. */
export const MAX_FIELD_ERRORS = 20;

/** 400, naming the fields. */
export function invalid(errors: readonly FieldError[]): Problem {
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return new Problem({
    status: 400,
    code: "invalid_request",
    detail: `${first?.path ? `${first.path}: ` : ""}${first?.message ?? "The request is not valid."}${more}`,
    extras: { errors: errors.slice(0, MAX_FIELD_ERRORS) },
  });
}

export function noSuchOrg(): Problem {
  return new Problem({ status: 404, code: "not_found", detail: "There is no such organization." });
}

export function noSuchProject(): Problem {
  return new Problem({ status: 404, code: "not_found", detail: "The organization has no such project." });
}

export function noProjectPolicy(): Problem {
  return new Problem({ status: 404, code: "not_found", detail: "The project carries no policy of its own." });
}

export function noSuchKey(): Problem {
  return new Problem({ status: 404, code: "not_found", detail: "The organization has no such key." });
}

export function keyRevoked(): Problem {
  return new Problem({ status: 409, code: "key_revoked", detail: "It stays so: create another key in its place." });
}

export function forbidden(detail: string): Problem {
  return new Problem({ status: 403, code: "forbidden", detail });
}

/** What any error amounts to for the one who asked. Texts that are not ours are neither shown nor logged. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Misconfigured) return new Problem({ status: 503, code: "misconfigured", detail: error.message });
  if (error instanceof RefusalError && error.refusal.code === "policy_unavailable")
    return unavailable(`This cannot be answered right now: ${error.refusal.why}. Try again shortly.`);
  logFailure(error);
  // A mistake of ours. Anything else is the database or the edge store failing, or holding what cannot be read.
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError)
    return new Problem({
      status: 500,
      code: "internal",
      detail: "Portcullis failed. Look what was changed before you repeat this.",
    });
  return unavailable("The database did not answer as it should. Try again shortly.");
}

/** After how long it may be tried again, where that is known. */
export function retryAfterSeconds(code: ProblemCode): number | null {
  if (code === "too_many_attempts") return 60;
  return code === "unavailable" ? 5 : null;
}

/** The answer for an error. */
export function problemResponse(error: unknown): Response {
  const { status, code, title, detail, extras } = problemOf(error);
  const headers = new Headers({ "content-type": "application/problem+json", "cache-control": "no-store" });
  if (status === 401) headers.set("www-authenticate", "Bearer");
  const retryAfter = retryAfterSeconds(code);
  if (retryAfter !== null) headers.set("retry-after", String(retryAfter));
  const body = { type: `urn:portcullis:problem:${code}`, title, status, code, detail, ...extras };
  return new Response(JSON.stringify(body), { status, headers });
}

/** 503: it may well work in a moment. */
export function unavailable(detail: string): Problem {
  return new Problem({ status: 503, code: "unavailable", detail });
}

function logFailure(error: unknown): void {
  const { name, stack = "" } = error instanceof Error ? error : new Error();
  const at = stack.split("\n").filter((line) => line.startsWith("    at "));
  console.error(
    JSON.stringify({ message: "admin.failed", error: name, at: at.slice(0, 5).map((line) => line.trim()) }),
  );
}
