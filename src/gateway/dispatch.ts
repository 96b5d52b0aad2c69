// Tries the admitted candidates in order until one answers. Fallback ends where a 2xx begins.
import { type Attempt, type Refusal, refuse } from "../errors.ts";
import { noteFailure, noteSuccess } from "../routing/health.ts";
import { retryAfterOf } from "../routing/retry-after.ts";
import { giveBack } from "./bytes.ts";
import type { Isolate } from "./context.ts";
import type { Credential, ReadyCredential, ServiceAccountCredential } from "./credentials.ts";
import { accessToken } from "./google-token.ts";
import { type Ending, guardBody } from "./stream-guard.ts";
import { type Admitted, type Answer, type Call, callProvider } from "./upstream.ts";

/** Statuses that say the provider, not the request, is the trouble; besides these, every 5xx. */
const FALLBACK_STATUSES: ReadonlySet<number> = new Set([401, 402, 403, 404, 429]);
/** Statuses that say something of the provider's health. A 404 is about one model. */
const SICK_STATUSES: ReadonlySet<number> = new Set([401, 402, 403, 429]);

const DEFAULT_RETRY_SECONDS = 5;

/** How a candidate is reached, and the body it gets, made for this call alone. */
export interface Prepared {
  readonly credential: Credential;
  readonly body: Uint8Array;
  readonly contentType: string;
  /** What compliance changed in the body. */
  readonly enforced: readonly string[];
}

export interface Dispatched {
  readonly provider: string;
  /** For its status and headers. */
  readonly response: Response;
  /** Its body, with an ending that is never silent. */
  readonly body: ReadableStream | null;
  /** What compliance changed in the request. */
  readonly enforced: readonly string[];
}

export interface Dispatch {
  /** Null when the candidate cannot be reached. */
  readonly prepare: (admitted: Admitted) => Prepared | null;
  /**
   * The candidate by the rules of this moment, or null when it does not pass them. A provider can take minutes to
   * fail, so whatever follows the first is judged once more.
   */
  readonly readmit: (admitted: Admitted) => Promise<Admitted | null>;
  readonly call: Omit<Call, keyof Prepared | "mayFallBack">;
  readonly idleTimeoutSeconds: number;
  readonly isolate: Isolate;
}

/** The first answer that is not the provider's own trouble. Refuses with 429, 502 or 504 when there is none. */
export async function dispatch(
  planned: readonly Admitted[],
  { prepare, readmit, call, idleTimeoutSeconds, isolate }: Dispatch,
): Promise<Dispatched> {
  const failed: Attempt[] = [];
  let retryAfterSeconds: number | null = null;
  for (const [index, each] of planned.entries()) {
    if (call.clientGone.aborted) break;
    const admitted = failed.length === 0 ? each : await readmit(each);
    const prepared = admitted && prepare(admitted);
    if (!prepared) continue;
    const provider = admitted.candidate.provider.id;
    const healthKey = healthKeyOf(provider, prepared.credential);
    const credential =
      prepared.credential.kind === "service_account"
        ? await exchanged(admitted, prepared.credential, call.clientGone)
        : prepared.credential;
    const answer: Answer = credential
      ? await callProvider(admitted, { ...call, ...prepared, credential, mayFallBack: index + 1 < planned.length })
      : { kind: "failed", result: "no access token" };
    giveBack(prepared.body);
    if (answer.kind === "answered" && !isProvidersTrouble(answer.response.status)) {
      const { response } = answer;
      const onEnd = noteEnding(isolate, healthKey);
      const { surface, clientGone } = call;
      const body = guardBody(response, { surface, idleTimeoutSeconds, clientGone, onEnd });
      return { provider, response, body, enforced: prepared.enforced };
    }
    // A client that hung up says nothing of the provider's health.
    if (call.clientGone.aborted) break;
    const result = answer.kind === "answered" ? answer.response.status : answer.result;
    const asked = answer.kind === "answered" ? retryAfterOf(answer.response.headers, Date.now()) : null;
    // Its text is not ours to repeat, and an unread body would hold the connection.
    if (answer.kind === "answered") await answer.response.body?.cancel();
    failed.push({ provider, result });
    if (asked !== null) retryAfterSeconds = Math.min(retryAfterSeconds ?? asked, asked);
    if (typeof result !== "number" || result >= 500 || SICK_STATUSES.has(result))
      noteFailure(isolate.health, healthKey, { now: Date.now(), retryAfterSeconds: asked });
  }
  return refuse(refusalOf(failed, Math.ceil(retryAfterSeconds ?? DEFAULT_RETRY_SECONDS)));
}

/** Only an answer that arrived whole clears a provider: one that breaks every stream answers each request with a 200. */
function noteEnding({ health }: Isolate, key: string): (ending: Ending) => void {
  const began = Date.now();
  return (ending) => {
    if (ending === "whole") noteSuccess(health, key, { began });
    else if (ending !== "left") noteFailure(health, key, { now: Date.now(), retryAfterSeconds: null });
  };
}

/** A service account as the access token that it is exchanged for; null when there is none to be had. */
async function exchanged(
  admitted: Admitted,
  { id, account, variables }: ServiceAccountCredential,
  clientGone: AbortSignal,
): Promise<ReadyCredential | null> {
  const secret = await accessToken(admitted, account, clientGone);
  return secret === null ? null : { kind: "secret", id, secret, variables };
}

/** Health is kept per provider and credential: one organization's exhausted key demotes nobody else's. */
export function healthKeyOf(provider: string, credential: Credential): string {
  return `${provider} ${credential.id}`;
}

function isProvidersTrouble(status: number): boolean {
  return status >= 500 || FALLBACK_STATUSES.has(status);
}

function refusalOf(attempts: readonly Attempt[], retryAfterSeconds: number): Refusal {
  if (attempts.length > 0 && attempts.every(({ result }) => result === 429))
    return { code: "upstream_rate_limited", attempts, retryAfterSeconds };
  if (attempts.length > 0 && attempts.every(({ result }) => result === "timeout"))
    return { code: "upstream_timeout", attempts };
  return { code: "upstream_error", attempts };
}
