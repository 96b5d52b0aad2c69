// A provider's answer on its way to the client. Its bytes pass as they come, pumped by the runtime; one that breaks or
// stalls after it began never looks complete: an event stream ends with its format's own error event, any other body
// breaks off for the client too.
import { watchFlow } from "./flow-watch.ts";
import { type Break, errorEvent } from "./stream-error.ts";
import type { Surface } from "./surfaces.ts";

/** How an answer ended: as the provider meant it, short of that, or perhaps because of the client. */
export type Ending = "whole" | Break | "left";

export interface Guard {
  readonly surface: Surface;
  readonly idleTimeoutSeconds: number;
  /** Fires when the client goes away. */
  readonly clientGone: AbortSignal;
  readonly onEnd: (ending: Ending) => void;
}

/** A client that takes longer for one event was not reading: it, not the provider, held the stream up. */
const READING_CLIENT_MS = 1_000;

/**
 * The body of `response` with an ending that is never silent. Reads only as fast as the client does. A document is no
 * stream: the runtime passes it on by itself, for a third less, and breaks it off where the provider does; how long it may
 * take is for the client's own time-out.
 */
export function guardBody({ body, headers }: Response, guard: Guard): ReadableStream | null {
  const type = headers.get("content-type") ?? "";
  if (!body || isJson(type)) {
    guard.onEnd("whole");
    return body;
  }
  const { readable, writable } = new IdentityTransformStream();
  const [toClient, branch] = readable.tee();
  void pass(body, { writable, branch, isEvents: type.startsWith("text/event-stream") }, guard);
  return toClient;
}

function isJson(type: string): boolean {
  return /^application\/([\w.-]+\+)?json\b/i.test(type);
}

async function pass(
  source: ReadableStream,
  { writable, branch, isEvents }: { writable: WritableStream; branch: ReadableStream; isEvents: boolean },
  { surface, idleTimeoutSeconds, clientGone, onEnd }: Guard,
): Promise<void> {
  const stalled = new AbortController();
  const watch = watchFlow(branch, idleTimeoutSeconds * 1000, () => stalled.abort());
  try {
    await source.pipeTo(writable, { preventAbort: true, signal: stalled.signal });
    return onEnd("whole");
  } catch {
    // How it ends is said below.
  } finally {
    watch.stop();
  }
  const how: Break = stalled.signal.aborted ? "stalled" : "broken";
  const writer = writable.getWriter();
  if (!isEvents) {
    onEnd(clientGone.aborted || how === "stalled" ? "left" : how);
    return writer.abort(new Error(how)).catch(() => undefined);
  }
  const askedAt = Date.now();
  try {
    await writer.write(new TextEncoder().encode(errorEvent(surface, how, idleTimeoutSeconds)));
    onEnd(clientGone.aborted || Date.now() - askedAt > READING_CLIENT_MS ? "left" : how);
    await writer.close();
  } catch {
    // The client has left: nobody is there to be told.
    onEnd("left");
  }
}
