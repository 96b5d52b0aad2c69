// The stand-in for the model providers: a mock LLM server in this very process, so that it ends when we do. It answers
// chats, completions, images and sound, streamed or not; GET /__aimock/journal shows what reached it, and as which
// provider (x-test-id).
import { LLMock } from "@copilotkit/aimock";
import { answerTo } from "./sandbox-answer.ts";
import { COMPLETIONS_PATH, completions } from "./sandbox-completions.ts";
import { COUNT_PATH, tokenCounter } from "./sandbox-count.ts";
import { image, speech, transcript } from "./sandbox-media.ts";

/** Slow enough to watch a stream arrive. */
const CHUNK_DELAY_MS = 15;

/** Starts the stand-in on a free port of this machine; returns its address. */
export async function startSandbox(): Promise<string> {
  const sandbox = new LLMock({ host: "127.0.0.1", port: 0, latency: CHUNK_DELAY_MS });
  sandbox.on({ endpoint: "chat" }, answerTo);
  sandbox.on({ endpoint: "image" }, () => image);
  sandbox.on({ endpoint: "speech" }, () => speech);
  for (const endpoint of ["transcription", "translation"] as const)
    sandbox.on({ endpoint }, ({ model }) => transcript(model));
  sandbox.mount(COMPLETIONS_PATH, completions());
  sandbox.mount(COUNT_PATH, tokenCounter());
  return sandbox.start();
}
