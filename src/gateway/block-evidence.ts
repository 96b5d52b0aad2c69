// The evidence of a compliance block, as data for the event and as words for the client. Pure, and bounded in size.
import type { Failure } from "../compliance/evaluate.ts";
import { foundInWords } from "../compliance/words.ts";
import { MAX_TEXT_LENGTH, type SecurityEvent } from "../store/event.ts";
import type { Removed } from "./plan.ts";

/** A whole event, as JSON. */
const MAX_EVENT_BYTES = 16 * 1024;
const MAX_MESSAGE_BYTES = 2 * 1024;

/** Every removed provider with all of its failures, as many as an event holds; the rest is counted. */
export function blockedProviders(
  removed: readonly Removed[],
  model: string,
): Pick<SecurityEvent, "providers" | "providers_omitted"> {
  const providers = removed.map(({ candidate, verdict }) => ({
    id: candidate.provider.id,
    ...(candidate.model !== model && { model: candidate.model }),
    failures: verdict.failures.map(({ code, found }) => ({ code, found: bounded(found) })),
  }));
  let bytes = 2048;
  const kept = providers.filter((provider) => {
    bytes += new TextEncoder().encode(JSON.stringify(provider)).byteLength + 1;
    return bytes <= MAX_EVENT_BYTES;
  });
  const omitted = providers.length - kept.length;
  return omitted > 0 ? { providers: kept, providers_omitted: omitted } : { providers: kept };
}

function bounded(found: Failure["found"]): Failure["found"] {
  return typeof found === "string" ? found.slice(0, MAX_TEXT_LENGTH) : found;
}

/** The message of the 403: who fails, by what, that nothing was sent, and where it is recorded. */
export function blockMessage(event: Pick<SecurityEvent, "id" | "model" | "providers" | "providers_omitted">): string {
  const { providers, providers_omitted: omitted = 0 } = event;
  const total = providers.length + omitted;
  const name = event.model ?? "the request";
  const intro = "Blocked by your organization's provider compliance policy: ";
  const outro = ` Nothing was sent upstream. Event ${event.id}.`;
  const reasons = providers.map(({ id, model, failures }) => {
    const unmet = failures.map((failure) => `${failure.code}: ${foundInWords(failure)}`).join("; ");
    if (total === 1) return `${id} does not meet it for ${model ?? name} (${unmet}).`;
    return `${model ? `${id}/${model}` : id} (${unmet})`;
  });
  if (total === 1) return shortened(`${intro}${reasons[0] ?? ""}`, outro);

  const head = `${intro}none of the ${total} providers of ${name} meets it: `;
  let said = 0;
  let list = "";
  for (const reason of reasons) {
    const next = list === "" ? reason : `${list}, ${reason}`;
    if (byteLength(head + next + outro) > MAX_MESSAGE_BYTES - 32) break;
    list = next;
    said++;
  }
  const more = total - said;
  return `${head}${list}${more > 0 ? ` and ${more} more` : ""}.${outro}`;
}

function shortened(text: string, outro: string): string {
  let kept = text;
  while (byteLength(kept + outro) > MAX_MESSAGE_BYTES) kept = `${kept.slice(0, -64)}…`;
  return kept + outro;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
