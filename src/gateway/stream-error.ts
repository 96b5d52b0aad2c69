// The last event of a stream that did not end as it should, in the terms of each format. Pure.
import type { Surface } from "./surfaces.ts";

/** What a provider did to an answer that had begun. */
export type Break = "broken" | "stalled";

/** A blank line first: the break may be inside an event. */
export function errorEvent(surface: Surface, how: Break, idleTimeoutSeconds: number): string {
  const [code, message] = REASONS[how](idleTimeoutSeconds);
  const error = { message, type: "api_error", param: null, code };
  switch (formatOf(surface)) {
    case "messages":
      return `\n\nevent: error\ndata: ${JSON.stringify({ type: "error", error: { type: "api_error", message, code } })}\n\n`;
    case "responses":
      // The event as documented, and `error` besides: the OpenAI SDK throws only where it finds one. The number that
      // would be next is not known, since nobody reads the stream, but clients' schemas ask for one.
      return `\n\nevent: error\ndata: ${JSON.stringify({ type: "error", sequence_number: 0, code, message, param: null, error })}\n\n`;
    case "chat":
      return `\n\ndata: ${JSON.stringify({ error })}\n\n`;
  }
}

const REASONS: Record<Break, (idleTimeoutSeconds: number) => [code: string, message: string]> = {
  broken: () => ["upstream_error", "The provider's stream broke off before it was complete."],
  stalled: (seconds) => ["upstream_timeout", `The provider's stream stalled: nothing came for ${seconds} seconds.`],
};

function formatOf({ api, dialect }: Surface): "messages" | "responses" | "chat" {
  if (dialect === "anthropic") return "messages";
  return api === "responses" ? "responses" : "chat";
}
