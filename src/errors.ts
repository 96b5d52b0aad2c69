// Every way the gateway says no: one tagged union, and one exhaustive switch to the wire. A leaf.
// A new refusal does not compile until it has a public face here.

/** What one attempt at a provider came to: its HTTP status, or why there is none. Never its text. */
export interface Attempt {
  readonly provider: string;
  readonly result: number | "timeout" | "network error" | "redirect" | "no access token";
}

/** The evidence of a compliance block, as the client sees it. */
export interface BlockDetails {
  readonly event_id: string;
  readonly request_id: string;
  readonly policy_revision: number | null;
  readonly catalog_version: string | null;
  readonly mode: "pinned" | "auto" | null;
  readonly model: string | null;
  readonly providers: readonly {
    readonly id: string;
    readonly failures: readonly { readonly code: string; readonly found: string | number | boolean | null }[];
  }[];
  readonly alternatives: readonly string[];
}

export type Refusal =
  | { code: "invalid_json"; why: string }
  | { code: "invalid_request"; param: string | null; why: string }
  | { code: "no_provider_matches"; model: string; why: string }
  | { code: "api_not_supported"; model: string; api: string; speaks: readonly string[] }
  | { code: "not_allowed_by_policy"; field: string; requirement: string; eventId: string }
  | { code: "invalid_api_key"; why: string }
  | { code: "provider_compliance_blocked"; message: string; details: BlockDetails }
  | { code: "model_not_found"; model: string; why: string }
  | { code: "model_retired"; model: string; retired: readonly string[] }
  | { code: "not_found"; path: string }
  | { code: "request_too_large"; why: string }
  | { code: "unsupported_encoding"; encoding: string }
  | { code: "upstream_rate_limited"; attempts: readonly Attempt[]; retryAfterSeconds: number }
  | { code: "upstream_error"; attempts: readonly Attempt[] }
  | { code: "upstream_timeout"; attempts: readonly Attempt[] }
  | { code: "policy_unavailable"; why: string }
  | { code: "no_provider_available"; model: string; providers: readonly string[] }
  | { code: "overloaded"; retryAfterSeconds: number };

/** The one error class outside pure code; `onError` alone makes a response of it. */
export class RefusalError extends Error {
  override readonly name = "RefusalError";
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

/** Refuses the request: throws. */
export function refuse(refusal: Refusal): never {
  throw new RefusalError(refusal);
}

/** The two shapes an error takes, so that each SDK can read it. */
export type Dialect = "openai" | "anthropic";

interface Face {
  status: 400 | 401 | 403 | 404 | 413 | 415 | 429 | 502 | 503 | 504;
  message: string;
  param?: string | null;
  details?: BlockDetails;
  /** False where a client that tried again would only be refused again. */
  retry?: false;
  retryAfterSeconds?: number;
}

const TYPES: Record<Face["status"], string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  415: "invalid_request_error",
  429: "rate_limit_error",
  502: "api_error",
  503: "api_error",
  504: "api_error",
};

const RETRY_POLICY_SECONDS = 5;

/** The response for a refusal, under the headers given: JSON also where a stream was asked for. */
export function toResponse(
  refusal: Refusal,
  { dialect, requestId, headers }: { dialect: Dialect; requestId: string; headers: Record<string, string> },
): Response {
  const { status, message, param = null, details, retry, retryAfterSeconds } = face(refusal);
  const type = TYPES[status];
  const error = { message, type, code: refusal.code };
  const body =
    dialect === "anthropic"
      ? { type: "error", error: { ...error, ...(details && { details }) }, request_id: requestId }
      : { error: { ...error, param, ...(details && { details }) } };
  return Response.json(body, {
    status,
    headers: {
      ...headers,
      ...(retry === false && { "x-should-retry": "false" }),
      ...(retryAfterSeconds !== undefined && { "retry-after": String(retryAfterSeconds) }),
    },
  });
}

function face(refusal: Refusal): Face {
  switch (refusal.code) {
    case "invalid_json":
      return { status: 400, message: `The request body is not valid JSON: ${refusal.why}.` };
    case "invalid_request":
      return { status: 400, message: refusal.why, param: refusal.param };
    case "no_provider_matches":
      return {
        status: 400,
        message: `No provider of ${shown(refusal.model)} matches the request's provider preferences: ${refusal.why}.`,
        param: "provider",
      };
    case "api_not_supported": {
      const speaks = refusal.speaks.length > 0 ? `It can be called through: ${refusal.speaks.join(", ")}.` : "";
      return {
        status: 400,
        message: `${shown(refusal.model)} cannot be called through ${refusal.api}. ${speaks || "No provider of it can be called through this gateway yet."}`,
        param: "model",
      };
    }
    case "not_allowed_by_policy":
      return {
        status: 400,
        message: `Your organization's policy does not allow ${refusal.field}: it asks the provider to keep something, or to look up what it kept, and the policy requires ${refusal.requirement}. Leave it out. Nothing was sent upstream. Event ${refusal.eventId}.`,
        param: refusal.field,
      };
    case "invalid_api_key":
      return { status: 401, message: refusal.why };
    case "provider_compliance_blocked":
      return { status: 403, message: refusal.message, param: "model", details: refusal.details, retry: false };
    case "model_not_found":
      return { status: 404, message: refusal.why, param: "model" };
    case "model_retired":
      return {
        status: 404,
        message: `${shown(refusal.model)} is retired: ${refusal.retired.join(", ")} no longer serve it. GET /v1/models lists what is served.`,
        param: "model",
      };
    case "not_found":
      return {
        status: 404,
        message: `This gateway does not offer ${shown(refusal.path)}; nothing was sent upstream.`,
      };
    case "request_too_large":
      return { status: 413, message: refusal.why };
    case "unsupported_encoding":
      return {
        status: 415,
        message: `The gateway reads request bodies as they are, not with content-encoding ${shown(refusal.encoding)}. Send it uncompressed.`,
      };
    case "upstream_rate_limited":
      return {
        status: 429,
        message: `Every provider that your organization's policy admits is rate limiting: ${inWords(refusal.attempts)}.`,
        retryAfterSeconds: refusal.retryAfterSeconds,
      };
    case "upstream_error":
      return {
        status: 502,
        message: `No provider that your organization's policy admits answered: ${inWords(refusal.attempts)}.`,
      };
    case "upstream_timeout":
      return {
        status: 504,
        message: `No provider that your organization's policy admits answered in time: ${inWords(refusal.attempts)}.`,
      };
    case "policy_unavailable":
      return {
        status: 503,
        message: `Your organization's policy cannot be checked right now (${refusal.why}), so nothing was sent upstream. Try again shortly.`,
        retryAfterSeconds: RETRY_POLICY_SECONDS,
      };
    case "no_provider_available":
      return {
        status: 503,
        message: `The gateway holds no usable credentials for the compliant providers of ${shown(refusal.model)}: ${refusal.providers.join(", ")}. An admin of your organization can add its own key (PUT /admin/api/orgs/{org}/credentials/{provider}), or the operator a Worker secret.`,
        retry: false,
      };
    case "overloaded":
      return {
        status: 503,
        message: "This gateway instance is handling too much at once. Try again shortly.",
        retryAfterSeconds: refusal.retryAfterSeconds,
      };
  }
}

/** A client's own words, safe to show: one line, no control characters, bounded. */
export function shown(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
  return clean.length > 256 ? `${clean.slice(0, 256)}…` : clean;
}

function inWords(attempts: readonly Attempt[]): string {
  return attempts.map(({ provider, result }) => `${provider} (${result})`).join(", ");
}
