// Stands in for every model provider: a server on loopback that keeps a journal of what reached it, byte for byte, and
// fails one provider alone when told to. Started once for all tests.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";

export interface JournalEntry {
  /** The provider that was called: the gateway's `x-test-id`. */
  provider: string;
  method: string;
  url: string;
  headers: Record<string, string | string[] | undefined>;
  /** The body, in base64. */
  body: string;
  /** Whether the caller went away before the answer was complete. */
  aborted: boolean;
}

/** How a provider behaves in one run. Without one it answers a short completion, or a short stream. */
export type Behaviour =
  | { kind: "status"; status: number; headers?: Record<string, string>; body?: string }
  | { kind: "hang" }
  | { kind: "reset" }
  /** Sends these characters in place of an HTTP answer. */
  | { kind: "raw"; text: string }
  /** Answers before it has read the body. */
  | { kind: "early" }
  /** Sends `chunks` of a stream, or of what `headers` say it is, one per `everyMs`, and then ends, breaks or hangs. */
  | ({ kind: "stream" } & Chunks);

interface Chunks {
  chunks: string[];
  everyMs: number;
  ending: "end" | "reset" | "hang";
  headers?: Record<string, string>;
  /** A request that asked for no stream gets the usual answer. */
  onlyIfAsked?: boolean;
}

declare module "vitest" {
  interface ProvidedContext {
    standIn: string;
  }
}

/** By run, so that test files do not see each other's: a run is named in the path, `/<run>/v1/…`. */
const journals = new Map<string, JournalEntry[]>();
const behaviours = new Map<string, Behaviour>();

/** How long a provider that answers early leaves the body unread. */
const EARLY_MS = 200;

const COMPLETION = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "stand-in",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};

/** Starts the stand-in on a free port of this machine. */
export async function startStandIn(): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, stop } = await startStandIn();
  project.provide("standIn", url);
  return stop;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const early = behaviours.get(`${request.url?.split("/")[1]} ${request.headers["x-test-id"]}`)?.kind === "early";
  if (early) {
    response.writeHead(200, { "content-type": "application/json" }).write("{");
    await new Promise((resolve) => setTimeout(resolve, EARLY_MS));
  }
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  const [, run = "", ...rest] = (request.url ?? "").split("/");
  const path = rest.join("/");
  if (path === "__journal") return json(response, journals.get(run) ?? []);
  if (path.startsWith("__behaviour/")) {
    const provider = path.slice("__behaviour/".length);
    if (request.method === "DELETE") behaviours.delete(`${run} ${provider}`);
    else behaviours.set(`${run} ${provider}`, JSON.parse(body.toString()) as Behaviour);
    return json(response, {});
  }
  const provider = String(request.headers["x-test-id"] ?? "");
  const entry: JournalEntry = {
    provider,
    method: request.method ?? "",
    url: `/${path}`,
    headers: request.headers,
    body: body.toString("base64"),
    aborted: false,
  };
  journals.set(run, [...(journals.get(run) ?? []), entry]);
  response.on("close", () => {
    entry.aborted = !response.writableFinished;
  });
  await behave(behaviours.get(`${run} ${provider}`), wantsStream(body), response);
}

async function behave(behaviour: Behaviour | undefined, stream: boolean, response: ServerResponse): Promise<void> {
  switch (behaviour?.kind) {
    case "status":
      response.writeHead(behaviour.status, { "content-type": "application/json", ...behaviour.headers });
      response.end(behaviour.body ?? "{}");
      return;
    case "hang":
      return;
    case "reset":
      response.destroy();
      return;
    case "raw":
      response.socket?.end(behaviour.text);
      return;
    case "early":
      response.end("}");
      return;
    case "stream":
      if (behaviour.onlyIfAsked && !stream) break;
      return streamChunks(behaviour, response);
  }
  if (!stream) return json(response, COMPLETION);
  const chunks = ["Hel", "lo."].map(
    (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`,
  );
  await streamChunks({ chunks: [...chunks, "data: [DONE]\n\n"], everyMs: 0, ending: "end" }, response);
}

async function streamChunks({ chunks, everyMs, ending, headers }: Chunks, response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", ...headers });
  for (const chunk of chunks) {
    if (response.destroyed) return;
    response.write(chunk);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  if (ending === "end") response.end();
  if (ending === "reset") response.destroy();
}

function wantsStream(body: Buffer): boolean {
  try {
    return (JSON.parse(body.toString()) as { stream?: unknown }).stream === true;
  } catch {
    return false;
  }
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json", "x-request-id": "upstream-1" });
  response.end(JSON.stringify(value));
}
