// How a call to a provider looks on the wire: its exact URL and headers. Header lists are allow-lists in both
// directions, so that a header nobody thought of goes nowhere. Pure.
import { API_PATHS, type ApiId, type Endpoint } from "../catalog/schema.ts";
import type { Credential } from "./credentials.ts";

/** The client's headers that travel on. Its user agent does not. */
const FORWARDED = ["content-type", "accept", "anthropic-version", "anthropic-beta", "openai-beta"] as const;

/** A provider's headers that travel back. */
const RETURNED = /^(content-type|retry-after|retry-after-ms|(x-|anthropic-)?ratelimit-[a-z0-9-]+)$/;

/** Where providers put the id of a request. */
const REQUEST_ID_HEADERS = ["x-request-id", "request-id", "apim-request-id", "x-amzn-requestid", "cf-ray"] as const;

export interface UpstreamTarget {
  readonly provider: string;
  readonly api: ApiId;
  readonly endpoint: Endpoint;
  readonly credential: Credential;
}

/** The URL of the call, with the client's query string. */
export function upstreamUrl({ api, endpoint, credential }: UpstreamTarget, query: string): string {
  const base =
    credential.kind === "sandbox"
      ? credential.baseUrl
      : endpoint.url.replace(/\{(\w+)\}/g, (_, name: string) => credential.variables[name] ?? "");
  return base + API_PATHS[api] + query;
}

/** The headers of the call: what the client may say, and the provider's own authentication. */
export function upstreamHeaders({ provider, endpoint, credential }: UpstreamTarget, client: Headers): Headers {
  const headers = new Headers();
  for (const name of FORWARDED) {
    const value = client.get(name);
    if (value !== null) headers.set(name, value);
  }
  if (credential.kind === "sandbox") headers.set("x-test-id", provider);
  const secret = credential.kind === "sandbox" ? "sandbox" : credential.secret;
  switch (endpoint.auth) {
    case "x-api-key":
    case "api-key":
      headers.set(endpoint.auth, secret);
      break;
    case "bearer":
    case "google-oauth":
      headers.set("authorization", `Bearer ${secret}`);
  }
  return headers;
}

/** The provider's headers that the client may see. */
export function returnedHeaders(upstream: Headers): Headers {
  const headers = new Headers({ "cache-control": "no-store" });
  for (const [name, value] of upstream) if (RETURNED.test(name)) headers.set(name, value);
  for (const name of REQUEST_ID_HEADERS) {
    const id = upstream.get(name);
    if (id === null) continue;
    headers.set("portcullis-upstream-request-id", id);
    break;
  }
  return headers;
}
