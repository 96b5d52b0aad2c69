// Anthropic's token counting, which the mock server does not have: a rule of thumb, about four characters a token. What
// reaches it stands in the journal like all else; injected faults do not.
import { flattenHeaders, type Journal, type Mountable } from "@copilotkit/aimock";
import * as z from "zod";

export const COUNT_PATH = "/v1/messages/count_tokens";
const CHARACTERS_PER_TOKEN = 4;

const Counted = z.object({
  model: z.string(),
  messages: z.array(z.unknown()).min(1),
  system: z.unknown().optional(),
  tools: z.unknown().optional(),
});

/** Answers at {@link COUNT_PATH}. */
export function tokenCounter(): Mountable {
  let journal: Journal | undefined;
  return {
    setJournal(kept) {
      journal = kept;
    },
    async handleRequest(request, response) {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece);
      const { status, answer } = count(Buffer.concat(pieces).toString());
      const { method = "", headers } = request;
      const entry = { method, path: COUNT_PATH, headers: flattenHeaders(headers), body: null };
      journal?.add({ ...entry, response: { status, fixture: null, source: "internal" } });
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(answer));
      return true;
    },
  };
}

function count(text: string): { status: number; answer: unknown } {
  const parsed = z.preprocess(readJson, Counted).safeParse(text);
  if (!parsed.success) {
    const error = { type: "invalid_request_error", message: z.prettifyError(parsed.error) };
    return { status: 400, answer: { type: "error", error } };
  }
  const { messages, system = "", tools = "" } = parsed.data;
  const characters = JSON.stringify([messages, system, tools]).length;
  return { status: 200, answer: { input_tokens: Math.ceil(characters / CHARACTERS_PER_TOKEN) } };
}

function readJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return null;
  }
}
