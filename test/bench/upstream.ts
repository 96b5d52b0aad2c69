// A fast static model provider, in a process of its own: a fixed answer of about 1 KB, or 100 server-sent chunks.
import { createServer, type ServerResponse } from "node:http";

const STREAM_CHUNKS = 100;
const created = 1_700_000_000;
const words = "The answer comes from a fixed text that never changes, so that only the gateway is measured. ";

const answer = Buffer.from(
  JSON.stringify({
    id: "chatcmpl-bench",
    object: "chat.completion",
    created,
    model: "bench",
    choices: [{ index: 0, message: { role: "assistant", content: words.repeat(8) }, finish_reason: "stop" }],
    usage: { prompt_tokens: 250, completion_tokens: 150, total_tokens: 400 },
  }),
);
const chunk = (content: string) =>
  `data: ${JSON.stringify({
    id: "chatcmpl-bench",
    object: "chat.completion.chunk",
    created,
    model: "bench",
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  })}\n\n`;
const chunks = Array.from({ length: STREAM_CHUNKS }, (_, index) => chunk(`word${index} `));

const server = createServer((request, response) => {
  let streamed: boolean | undefined;
  request.on("data", (bytes: Buffer) => {
    // `stream` stands before the messages or near the end of the body; the prompt itself is long.
    streamed ||= bytes.includes('"stream":true');
  });
  request.on("end", () => {
    if (streamed) return stream(response);
    response.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
    response.end(answer);
  });
});

/** Writes the chunks one by one, each in a turn of its own, as a model that produces tokens does. */
function stream(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  let next = 0;
  const write = () => {
    response.write(chunks[next++]);
    if (next < chunks.length) setImmediate(write);
    else response.end("data: [DONE]\n\n");
  };
  write();
}

server.once("error", () => process.exit(1));
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2]), "127.0.0.1", () => process.send?.("ready"));
process.on("disconnect", () => process.exit());
