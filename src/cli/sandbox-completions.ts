// The stand-in's answer to the older completions API, which the mock server does not know: the same words as in a chat,
// whole or streamed, and kept in the same journal.
import { text } from "node:stream/consumers";
import { flattenHeaders, type Journal, type Mountable } from "@copilotkit/aimock";
import * as z from "zod";
import { answerTo } from "./sandbox-answer.ts";

export const COMPLETIONS_PATH = "/v1/completions";

const Completion = z.looseObject({
  model: z.string(),
  prompt: z.union([z.string(), z.array(z.string()).transform((prompts) => prompts.join("\n"))]),
  stream: z.boolean().nullish(),
});

/** A handler for {@link COMPLETIONS_PATH}. */
export function completions(): Mountable {
  let journal: Journal | undefined;
  return {
    setJournal(given) {
      journal = given;
    },
    async handleRequest(request, response) {
      const { model, prompt, stream } = Completion.parse(JSON.parse(await text(request)));
      const asked = { model, messages: [{ role: "user" as const, content: prompt }], stream: stream === true };
      const entry = { method: "POST", path: COMPLETIONS_PATH, headers: flattenHeaders(request.headers), body: asked };
      journal?.add({ ...entry, response: { status: 200, fixture: null } });

      const answer = answerTo(asked);
      const said = "content" in answer && typeof answer.content === "string" ? answer.content : "";
      const spoken = (piece: string, finish_reason: "stop" | null) => {
        const choices = [{ index: 0, text: piece, logprobs: null, finish_reason }];
        return JSON.stringify({ id: "cmpl-1", object: "text_completion", created: 1, model, choices });
      };
      const events = [...said.split(/(?<= )/).map((word) => spoken(word, null)), spoken("", "stop"), "[DONE]"];
      response.writeHead(200, { "content-type": asked.stream ? "text/event-stream" : "application/json" });
      response.end(asked.stream ? events.map((data) => `data: ${data}\n\n`).join("") : spoken(said, "stop"));
      return true;
    },
  };
}
