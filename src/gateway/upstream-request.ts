// How a call to a provider looks on the wire: its exact URL and headers. Header lists are allow-lists in both
// directions, so that a header nobody thought of goes nowhere. Pure.
import type { Endpoint } from "../catalog/schema.ts";
import type { ReadyCredential } from "./credentials.ts";

/** The client's headers that travel on. Its user agent does not. */
const FORWARDED = ["accept", "anthropic-version", "anthropic-beta", "openai-beta"] as const;

/** A provider's headers that travel back. */
const RETURNED = /^(content-type|retry-after|retry-after-ms|(x-|anthropic-)?ratelimit-[a-z0-9-]+)$/;

/** Where providers put the id of a request; the first counts. */
const REQUEST_ID_HEADERS = ["x-request-id", "request-id", "apim-request-id", "x-amzn-requestid", "cf-ray"];

/** Plain fields, by lower-case name: each call on a `Headers` crosses into the runtime, and costs a microsecond. */
export type HeaderFields = Record<string, string>;

export interface UpstreamTarget {
  readonly provider: string;
  /** Of the surface that was called. */
  readonly path: string;
  readonly endpoint: Endpoint;
  readonly credential: ReadyCredential;
}

/** The URL of the call, with the client's query string. */
export function upstreamUrl({ path, endpoint, credential }: UpstreamTarget, query: string): string {
  const base =
    credential.kind === "sandbox"
      ? credential.baseUrl
      : endpoint.url.replace(/\{(\w+)\}/g, (_, name: string) => credential.variables[name] ?? "");
  return base + path + query;
}

/**
 * The headers of the call: what the client may say, and the provider's own authentication. The content type is that of
 * the body as it was judged, never the client's: under another one, a provider could read another body.
 */
export function upstreamHeaders(
  { provider, endpoint, credential }: UpstreamTarget,
  client: Headers,
  contentType: string,
): HeaderFields {
  const headers: HeaderFields = { "content-type": contentType };
  for (const name of FORWARDED) {
    const value = client.get(name);
    if (value !== null) headers[name] = value;
  }
  if (credential.kind === "sandbox") headers["x-test-id"] = provider;
  const secret = credential.kind === "sandbox" ? "sandbox" : credential.secret;
  switch (endpoint.auth) {
    case "x-api-key":
    case "api-key":
      headers[endpoint.auth] = secret;
      break;
    case "bearer":
    case "google-oauth":
      headers.authorization = `Bearer ${secret}`;
  }
  return headers;
}

/** Adds to `headers` those of the provider that the client may see. */
export function returnedHeaders(upstream: Headers, headers: HeaderFields): HeaderFields {
  let foundAt = REQUEST_ID_HEADERS.length;
  upstream.forEach((value, name) => {
    if (RETURNED.test(name)) headers[name] = value;
    const at = REQUEST_ID_HEADERS.indexOf(name);
    if (at < 0 || at >= foundAt) return;
    foundAt = at;
    headers["portcullis-upstream-request-id"] = value;
  });
  return headers;
}
