// Receivers of webhooks: a server on loopback that keeps what reached it, and answers as it is told to. Started once for
// all tests; a receiver is a path, `/<run>/<name>`.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";

export interface Received {
  headers: Record<string, string>;
  body: string;
  /** What it was answered with; null when the answer was lost. */
  status: number | null;
}

/** How a receiver answers. Without one it answers 204. */
export type Manner =
  | { kind: "status"; status: number; headers?: Record<string, string>; body?: string }
  /** Answers so to what is no event, and 204 to events. */
  | { kind: "events only"; status: number }
  | { kind: "hang" }
  | { kind: "reset" }
  /** 200, and a body without end. */
  | { kind: "endless" }
  | { kind: "slow"; milliseconds: number }
  /** By chance fails before it takes a message, or takes it and loses the answer. */
  | { kind: "flaky"; seed: number; rate: number };

declare module "vitest" {
  interface ProvidedContext {
    receivers: string;
  }
}

const journals = new Map<string, Received[]>();
const manners = new Map<string, Manner>();
const dice = new Map<string, () => number>();

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  project.provide("receivers", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces).toString();
  const [, run = "", name = "", control] = (request.url ?? "").split("/");
  const receiver = `${run}/${name}`;
  if (control === "__received") return void response.end(JSON.stringify(journals.get(receiver) ?? []));
  if (control === "__manner") {
    const manner = JSON.parse(body) as Manner | null;
    if (manner === null) manners.delete(receiver);
    else manners.set(receiver, manner);
    if (manner?.kind === "flaky") dice.set(receiver, randomBy(manner.seed));
    return void response.end();
  }
  const received: Received = { headers: request.headers as Record<string, string>, body, status: null };
  journals.set(receiver, [...(journals.get(receiver) ?? []), received]);
  await behave(manners.get(receiver), dice.get(receiver) ?? Math.random, { received, response });
}

async function behave(
  manner: Manner | undefined,
  random: () => number,
  { received, response }: { received: Received; response: ServerResponse },
): Promise<void> {
  const end = (status: number, headers: Record<string, string> = {}, body = "") => {
    received.status = status;
    response.writeHead(status, headers);
    response.end(body);
  };
  switch (manner?.kind) {
    case undefined:
      return end(204);
    case "status":
      return end(manner.status, manner.headers, manner.body);
    case "events only":
      return end(received.body.includes('"type":"compliance.') ? 204 : manner.status);
    case "hang":
      return;
    case "reset":
      response.destroy();
      return;
    case "slow":
      await new Promise((resolve) => setTimeout(resolve, random() * manner.milliseconds));
      return end(204);
    case "endless": {
      received.status = 200;
      response.writeHead(200);
      const block = Buffer.alloc(65_536, "x");
      while (!response.destroyed) {
        response.write(block);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return;
    }
    case "flaky": {
      if (random() >= manner.rate) return end(204);
      if (random() < 0.5) return end(503);
      // Taken, as far as the receiver is concerned, and the sender does not hear of it.
      response.destroy();
      return;
    }
  }
}

/** Mulberry32: the same numbers for the same seed. */
function randomBy(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
