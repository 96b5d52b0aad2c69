// Tries the admitted candidates in order until one answers. Fallback ends where a 2xx begins.
import { type Attempt, type Refusal, refuse } from "../errors.ts";
import { noteFailure, noteSuccess } from "../routing/health.ts";
import { giveBack } from "./bytes.ts";
import type { Isolate } from "./context.ts";
import type { Credential } from "./credentials.ts";
import { type Admitted, type Call, callProvider } from "./upstream.ts";

/** Statuses that say the provider, not the request, is the trouble; besides these, every 5xx. */
const FALLBACK_STATUSES: ReadonlySet<number> = new Set([401, 402, 403, 404, 429]);
/** Statuses that say something of the provider's health. A 404 is about one model. */
const SICK_STATUSES: ReadonlySet<number> = new Set([401, 402, 403, 429]);

const DEFAULT_RETRY_SECONDS = 5;
const MOST_RETRY_SECONDS = 3_600;

/** How a candidate is reached, and the body it gets, made for this call alone. */
export interface Prepared {
  readonly credential: Credential;
  readonly body: Uint8Array;
}

export interface Dispatched {
  readonly provider: string;
  readonly response: Response;
}

export interface Dispatch {
  /** Null when the candidate cannot be reached. */
  readonly prepare: (admitted: Admitted) => Prepared | null;
  /**
   * The candidate by the rules of this moment, or null when it does not pass them. A provider can take minutes to
   * fail, so whatever follows the first is judged once more.
   */
  readonly readmit: (admitted: Admitted) => Promise<Admitted | null>;
  readonly call: Omit<Call, "credential" | "body">;
  readonly isolate: Isolate;
}

/** The first answer that is not the provider's own trouble. Refuses with 429, 502 or 504 when there is none. */
export async function dispatch(
  planned: readonly Admitted[],
  { prepare, readmit, call, isolate }: Dispatch,
): Promise<Dispatched> {
  const failed: Attempt[] = [];
  let retryAfterSeconds: number | null = null;
  for (const each of planned) {
    if (call.clientGone.aborted) break;
    const admitted = failed.length === 0 ? each : await readmit(each);
    const prepared = admitted && prepare(admitted);
    if (!prepared) continue;
    const provider = admitted.candidate.provider.id;
    const healthKey = healthKeyOf(provider, prepared.credential);
    const answer = await callProvider(admitted, { ...call, ...prepared });
    giveBack(prepared.body);
    if (answer.kind === "answered" && !isProvidersTrouble(answer.response.status)) {
      noteSuccess(isolate.health, healthKey);
      return { provider, response: answer.response };
    }
    // A client that hung up says nothing of the provider's health.
    if (call.clientGone.aborted) break;
    const result = answer.kind === "answered" ? answer.response.status : answer.result;
    const asked = answer.kind === "answered" ? retryAfterOf(answer.response.headers) : null;
    // Its text is not ours to repeat, and an unread body would hold the connection.
    if (answer.kind === "answered") await answer.response.body?.cancel();
    failed.push({ provider, result });
    if (asked !== null) retryAfterSeconds = Math.min(retryAfterSeconds ?? asked, asked);
    if (typeof result !== "number" || result >= 500 || SICK_STATUSES.has(result))
      noteFailure(isolate.health, healthKey, { now: Date.now(), retryAfterSeconds: asked });
  }
  return refuse(refusalOf(failed, retryAfterSeconds ?? DEFAULT_RETRY_SECONDS));
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

/** Seconds until the provider wants to be asked again; null when it does not say. */
function retryAfterOf(headers: Headers): number | null {
  const value = headers.get("retry-after");
  if (value === null) return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), 0), MOST_RETRY_SECONDS) : null;
}
