// Clients that leave. In bare workerd, since `wrangler dev` stands between a client's connection and the Worker: there
// nothing of a request runs any more once its client is gone.
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startStandIn } from "../provider-stand-in.ts";
import { type BareStack, type BareWorker, startBareStack } from "./bare-stack.ts";

const MEBIBYTE = 1024 * 1024;
/** Together more than an isolate holds of bodies at once. */
const LEAVERS = 40;
const AT_ONCE = 10;

let standIn: Awaited<ReturnType<typeof startStandIn>>;
let stack: BareStack;
let worker: BareWorker;
beforeAll(async () => {
  standIn = await startStandIn();
  stack = await startBareStack(`${standIn.url}/leavers`);
  worker = await stack.start({});
});
afterAll(async () => {
  await stack.stop();
  await standIn.stop();
});

const bodyOf = (bytes: number) =>
  JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: "x".repeat(bytes) }] });

async function expectRoom(): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${worker.port}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${stack.key}`, "content-type": "application/json" },
    body: bodyOf(7 * MEBIBYTE),
  });
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("Hello.")]);
}

/** Sends `sent` of a body that is said to have `length` bytes, waits, and leaves. */
async function leave(sent: string, { length, reset }: { length: number; reset: boolean }): Promise<void> {
  const socket = connect(worker.port, "127.0.0.1").on("error", () => undefined);
  const headers = `host: gateway\r\nauthorization: Bearer ${stack.key}\r\ncontent-type: application/json`;
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\n${headers}\r\ncontent-length: ${length}\r\n\r\n${sent}`);
  await sleep(300);
  if (reset) socket.resetAndDestroy();
  else socket.destroy();
}

it.each([
  { how: "in the middle of their body", sent: "{", length: MEBIBYTE, reset: false },
  { how: "in the middle of their body, with a reset,", sent: "{", length: MEBIBYTE, reset: true },
  // Without a reset they might still be reading: then the call to the provider goes on, and its body is held.
  { how: "while the provider thinks", sent: bodyOf(MEBIBYTE), length: bodyOf(MEBIBYTE).length, reset: true },
])("who leave $how give back the memory that their bodies took", async ({ sent, length, reset }) => {
  await fetch(`${standIn.url}/leavers/__behaviour/openai`, { method: "PUT", body: '{"kind":"hang"}' });
  for (let left = 0; left < LEAVERS; left += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, () => leave(sent, { length, reset })));
  await fetch(`${standIn.url}/leavers/__behaviour/openai`, { method: "DELETE" });
  await sleep(500);
  await expectRoom();
});
