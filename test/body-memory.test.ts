// The memory of a body is given back as soon as the gateway is done with it, and never too soon.
import { describe, expect, it } from "vitest";
import { giveBack, joined } from "../src/gateway/bytes.ts";
import { isolateOf } from "../src/gateway/context.ts";
import { reserveBytes } from "../src/gateway/read-body.ts";
import { smallCatalog } from "./small-catalog.ts";
import { openWorld, policyOf } from "./world.ts";

const MIB = 1024 * 1024;
const long = "é0123456789".repeat((4 * MIB) / 12);
const chunked = (text: string) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });

/** The prompts that reached providers, in order. */
async function promptsOf(world: Awaited<ReturnType<typeof openWorld>>): Promise<string[]> {
  const sent = (await world.journal()).map(({ body }) => Buffer.from(body, "base64").toString());
  return sent.map((body) => JSON.parse(body).messages[0].content);
}

describe("a provider gets the whole body", () => {
  it("although it answers before it has read it", async () => {
    const world = await openWorld({ catalog: smallCatalog });
    await world.behave("alpha", { kind: "early" });
    const response = await world.chat({ model: "alpha/mix", messages: [{ role: "user", content: long }] });
    expect([response.status, await response.text()]).toEqual([200, "{}"]);
    expect((await promptsOf(world)).map((prompt) => prompt === long)).toEqual([true]);
  });

  it("although another one has failed with it before", async () => {
    const world = await openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog: smallCatalog });
    await world.behave("alpha", { kind: "status", status: 500 });
    await world.behave("beta", { kind: "reset" });
    const response = await world.chat({ model: "mix", messages: [{ role: "user", content: long }] });
    expect(response.headers.get("portcullis-provider")).toBe("gamma");
    expect((await promptsOf(world)).map((prompt) => prompt === long)).not.toContain(false);
  });

  it.each(["short", long])("when it came in pieces, after others did", async (prompt) => {
    const world = await openWorld({ catalog: smallCatalog });
    const body = JSON.stringify({ model: "alpha/mix", messages: [{ role: "user", content: prompt }] });
    for (let turn = 0; turn < 3; turn++)
      await world.call("/v1/chat/completions", { method: "POST", body: chunked(body) });
    expect((await promptsOf(world)).map((sent) => sent === prompt)).toEqual([true, true, true]);
  });
});

describe("memory", () => {
  it("is given back at once, and only by who has it alone", () => {
    const whole = joined([new Uint8Array([1, 2]), new Uint8Array([3])]);
    const part = whole.subarray(1);
    giveBack(part);
    expect([...whole]).toEqual([1, 2, 3]);
    giveBack(whole);
    expect([whole.byteLength, part.byteLength]).toEqual([0, 0]);
    giveBack(whole);
  });

  it("of a body is no longer there once its place is released", () => {
    const memory = reserveBytes(isolateOf({} as never), new AbortController().signal);
    const body = new Uint8Array(10);
    memory.reserve(10);
    memory.hold(body);
    memory.release();
    expect(body.byteLength).toBe(0);
  });

  it("is not pulled from under whoever still reads it when its client is gone", () => {
    const isolate = isolateOf({} as never);
    const client = new AbortController();
    const memory = reserveBytes(isolate, client.signal);
    const body = new Uint8Array(10);
    memory.reserve(10);
    memory.hold(body);
    client.abort();
    memory.reserve(10);
    expect(body.byteLength).toBe(10);
    memory.release();
    expect([isolate.held.total, body.byteLength]).toEqual([0, 0]);
  });

  it("knows no more clients that are gone than ones that stay, however small their bodies were", () => {
    const isolate = isolateOf({} as never);
    for (let client = 0; client < 2_000; client++) {
      const gone = new AbortController();
      reserveBytes(isolate, gone.signal).reserve(1);
      gone.abort();
    }
    expect(isolate.held.by.size).toBeLessThan(600);
    expect(isolate.held.total).toBe(isolate.held.by.size);
  });

  it("is had also where a request may not ask whether another's client is gone", () => {
    const isolate = isolateOf({} as never);
    const forbidden = {
      get aborted(): boolean {
        throw new Error("Cannot perform I/O on behalf of a different request.");
      },
    } as AbortSignal;
    for (let client = 0; client < 300; client++) reserveBytes(isolate, forbidden).reserve(1);
    expect(isolate.held.total).toBe(300);
  });

  it("of a crowd is not looked through by each request that finds no room", () => {
    const isolate = isolateOf({} as never);
    let looks = 0;
    const stays = {
      get aborted() {
        looks++;
        return false;
      },
    } as AbortSignal;
    for (let client = 0; client < 300; client++) reserveBytes(isolate, stays).reserve(1);
    const refused = () => reserveBytes(isolate, stays).reserve(24 * MIB);
    expect(refused).toThrow("overloaded");
    looks = 0;
    for (let attempt = 0; attempt < 100; attempt++) expect(refused).toThrow("overloaded");
    expect(looks).toBeLessThan(600);
  });

  it("of clients that are gone is there for others once room runs out, and counted once", () => {
    const isolate = isolateOf({} as never);
    const [gone, stays] = [new AbortController(), new AbortController()];
    const [left, held] = [reserveBytes(isolate, gone.signal), reserveBytes(isolate, stays.signal)];
    left.reserve(20 * MIB);
    held.reserve(3 * MIB);
    expect(() => reserveBytes(isolate, stays.signal).reserve(5 * MIB)).toThrow("overloaded");
    gone.abort();
    reserveBytes(isolate, stays.signal).reserve(5 * MIB);
    expect(isolate.held.total).toBe(8 * MIB);
    left.reserve(MIB);
    expect(isolate.held.total).toBe(9 * MIB);
    left.release();
    held.release();
    expect(isolate.held.total).toBe(5 * MIB);
  });
});
