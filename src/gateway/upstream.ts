// The one door: the only function in the project that calls a provider. It takes nothing but a candidate with its
// passing verdict, and checks that verdict once more.
import type { Candidate } from "../catalog/lookup.ts";
import { type PassingVerdict, stillHolds } from "../compliance/evaluate.ts";
import { type Attempt, refuse } from "../errors.ts";
import { inTime, TookTooLong } from "../store/in-time.ts";
import type { ReadyCredential } from "./credentials.ts";
import type { Surface } from "./surfaces.ts";
import { upstreamHeaders, upstreamUrl } from "./upstream-request.ts";

/** A candidate that compliance lets through; there is no other way to a provider. */
export interface Admitted {
  readonly candidate: Candidate;
  readonly verdict: PassingVerdict;
}

export interface Call {
  readonly surface: Surface;
  readonly credential: ReadyCredential;
  readonly clientHeaders: Headers;
  /** With its question mark, or empty. */
  readonly query: string;
  readonly body: Uint8Array;
  readonly contentType: string;
  /** Fires when the client goes away. */
  readonly clientGone: AbortSignal;
  readonly headersTimeoutSeconds: number;
  /** Whether another candidate is tried when this one fails. */
  readonly mayFallBack: boolean;
}

/** What came back; anything but `answered` left no response to pass on. */
export type Answer =
  | { kind: "answered"; response: Response }
  | { kind: "failed"; result: Exclude<Attempt["result"], number> };

/** Sends the body to the provider and waits for its response headers. Redirects are never followed. */
export async function callProvider({ candidate, verdict }: Admitted, call: Call): Promise<Answer> {
  const { provider, model } = candidate;
  const endpoint = provider.apis[call.surface.api];
  if (!endpoint || !stillHolds(verdict, { provider: provider.id, model, now: Date.now() }))
    return refuse({
      code: "policy_unavailable",
      why: "a fact about the provider expired while the request was on its way",
    });

  const target = { provider: provider.id, path: call.surface.path, endpoint, credential: call.credential };
  // The last call ends with the request, by the runtime's own doing; one that another follows has to be given up.
  const givenUp = call.mayFallBack ? new AbortController() : null;
  try {
    const answer = fetch(upstreamUrl(target, call.query), {
      method: "POST",
      headers: upstreamHeaders(target, call.clientHeaders, call.contentType),
      body: call.body,
      redirect: "manual",
      signal: givenUp ? AbortSignal.any([call.clientGone, givenUp.signal]) : call.clientGone,
    });
    const response = await inTime(answer, call.headersTimeoutSeconds * 1000, "no response headers");
    if (response.status < 300 || response.status > 399) return { kind: "answered", response };
    await response.body?.cancel();
    return { kind: "failed", result: "redirect" };
  } catch (error) {
    // The engine's message can quote the URL or the body; that it failed is all there is to say.
    if (!(error instanceof TookTooLong)) return { kind: "failed", result: "network error" };
    givenUp?.abort();
    return { kind: "failed", result: "timeout" };
  }
}
