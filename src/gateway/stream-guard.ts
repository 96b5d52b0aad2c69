// A provider's event stream on its way to the client. Its bytes pass as they come, pumped by the runtime; one that
// breaks after it began ends with the format's own error event, so that no client takes half an answer for a whole one.
import type { Dialect } from "../errors.ts";

const MESSAGE = "The provider's stream broke off before it was complete.";

/** A blank line first: the break may be inside an event. */
const BROKEN: Record<Dialect, string> = {
  openai: `\n\ndata: ${JSON.stringify({ error: { message: MESSAGE, type: "api_error", param: null, code: "upstream_error" } })}\n\n`,
  anthropic: `\n\nevent: error\ndata: ${JSON.stringify({ type: "error", error: { type: "api_error", message: MESSAGE } })}\n\n`,
};

/** `source` with an ending that is never silent. Reads only as fast as the client does; ends when the client leaves. */
export function guardStream(source: ReadableStream, dialect: Dialect): ReadableStream {
  const { readable, writable } = new IdentityTransformStream();
  void source.pipeTo(writable, { preventAbort: true }).catch(() => sayBroken(writable, dialect));
  return readable;
}

async function sayBroken(writable: WritableStream, dialect: Dialect): Promise<void> {
  const writer = writable.getWriter();
  try {
    await writer.write(new TextEncoder().encode(BROKEN[dialect]));
    await writer.close();
  } catch {
    // It was the client that left: nobody is there to be told, and the provider's call is over already.
  }
}
