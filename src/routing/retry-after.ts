// When a provider, or the receiver of a webhook, that refuses wants to be asked again. Pure.

const LONGEST_SECONDS = 3_600;

/**
 * Seconds until then, not rounded; at most an hour; null when it does not say. `retry-after-ms` is what OpenAI and Azure send
 * beside the coarser `Retry-After` of RFC 9110, which is a number of seconds or a date.
 */
export function retryAfterOf(headers: Headers, now: number): number | null {
  const milliseconds = headers.get("retry-after-ms");
  if (milliseconds !== null && NUMBER.test(milliseconds)) return bounded(Number(milliseconds) / 1000);
  const value = headers.get("retry-after");
  if (value === null) return null;
  if (NUMBER.test(value)) return bounded(Number(value));
  return DATE.test(value) ? bounded((Date.parse(value) - now) / 1000) : null;
}

const NUMBER = /^\d+(\.\d+)?$/;
/** `Date.parse` alone would take "-5" for a month. */
const DATE = /^[A-Z][a-z]{2,8},? /;

function bounded(seconds: number): number | null {
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), LONGEST_SECONDS) : null;
}
