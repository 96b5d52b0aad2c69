// How much a request may ask an isolate to hold, which is shared by all of its tenants.
import { describe, expect, it } from "vitest";
import { smallCatalog } from "./small-catalog.ts";
import { errorOf, openWorld, type World } from "./world.ts";

const LIMIT = 1000;
const MIB = 1024 * 1024;
const open = (vars = {}) => openWorld({ catalog: smallCatalog, vars });

const post = (world: World, body: BodyInit, headers: Record<string, string> = {}) =>
  world.call("/v1/chat/completions", { method: "POST", body, headers });

/** A valid body of exactly that many bytes. */
const bodyOf = (bytes: number) => {
  const [head, tail] = ['{"model":"pair","x":"', '"}'];
  return head + "x".repeat(bytes - head.length - tail.length) + tail;
};

/** A body that comes in pieces, without a length. */
const chunked = (...pieces: string[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });

/** A body that has begun and does not end before `finish` is called. */
function unfinished(bytes: number): { body: ReadableStream<Uint8Array>; finish: () => void } {
  let finish = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(bodyOf(bytes)));
      finish = () => controller.close();
    },
  });
  return { body, finish };
}

describe("MAX_BODY_BYTES", () => {
  const tooLarge = { status: 413, type: "request_too_large", code: "request_too_large" };

  it.each<[string, (bytes: number) => [BodyInit, Record<string, string>]]>([
    ["with its length", (bytes) => [bodyOf(bytes), { "content-length": String(bytes) }]],
    ["in pieces", (bytes) => [chunked(...(bodyOf(bytes).match(/.{1,100}/g) ?? [])), {}]],
  ])("a body of as many bytes is served, one more is 413, sent %s", async (_, sent) => {
    const world = await open({ MAX_BODY_BYTES: String(LIMIT) });
    expect((await post(world, ...sent(LIMIT))).status).toBe(200);
    expect(await errorOf(await post(world, ...sent(LIMIT + 1)))).toMatchObject(tooLarge);
    expect(await world.called()).toHaveLength(1);
  });

  it("a length that lies does not carry a larger body in", async () => {
    const world = await open({ MAX_BODY_BYTES: String(LIMIT) });
    expect(await errorOf(await post(world, bodyOf(5 * LIMIT), { "content-length": "10" }))).toMatchObject(tooLarge);
    expect(await world.called()).toEqual([]);
  });

  it.each(["1e3x", "-1", "NaN", "", "9999999999999999999999"])(
    "a length of %j lets nothing larger in",
    async (length) => {
      const world = await open({ MAX_BODY_BYTES: String(LIMIT) });
      expect((await post(world, bodyOf(5 * LIMIT), { "content-length": length })).status).toBeGreaterThanOrEqual(400);
      expect(await world.called()).toEqual([]);
    },
  );

  it("is 8 MiB unless it is set", async () => {
    const world = await open();
    expect((await post(world, "{}", { "content-length": String(8 * MIB + 1) })).status).toBe(413);
    expect((await post(world, "{}", { "content-length": String(8 * MIB) })).status).toBe(400);
  });
});

describe("structure", () => {
  it("of 100,000 objects and arrays is served, one more is 413", async () => {
    const world = await open();
    const lists = (count: number) => `{"model":"pair","x":[${Array.from({ length: count - 2 }, () => "[]").join()}]}`;
    expect((await post(world, lists(100_000))).status).toBe(200);
    expect(await errorOf(await post(world, lists(100_001)))).toMatchObject({ status: 413, code: "request_too_large" });
  });

  it("counts no brackets in text", async () => {
    const world = await open();
    expect((await post(world, JSON.stringify({ model: "pair", x: "[{".repeat(100_000) }))).status).toBe(200);
  });
});

describe("content-encoding", () => {
  it.each(["gzip", "br", "deflate", "zstd", "gzip, identity", "x"])(
    "%s is 415, and nothing is sent",
    async (encoding) => {
      const world = await open();
      expect(await errorOf(await post(world, bodyOf(100), { "content-encoding": encoding }))).toMatchObject({
        status: 415,
        type: "invalid_request_error",
        code: "unsupported_encoding",
      });
      expect(await world.called()).toEqual([]);
    },
  );

  it("identity is none", async () => {
    const world = await open();
    expect((await post(world, bodyOf(100), { "content-encoding": "identity" })).status).toBe(200);
  });
});

describe("more than 24 MiB in flight", () => {
  it("is 503 overloaded with Retry-After, and the room is given back", async () => {
    const world = await open();
    const held = [unfinished(7 * MIB), unfinished(7 * MIB), unfinished(7 * MIB)];
    const answers = held.map(({ body }) => world.begin("/v1/chat/completions", { method: "POST", body }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const refused = await post(world, bodyOf(4 * MIB));
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(await errorOf(refused)).toMatchObject({ status: 503, type: "api_error", code: "overloaded" });
    expect((await post(world, bodyOf(1000))).status).toBe(200);
    for (const { finish } of held) finish();
    for (const { response } of answers) expect((await response).status).toBe(200);
    expect((await post(world, bodyOf(7 * MIB), { "content-length": String(7 * MIB) })).status).toBe(200);
  });

  it("counts what was only declared, and gives it back when the body is refused", async () => {
    const world = await open();
    for (let turn = 0; turn < 5; turn++)
      expect((await post(world, "{}", { "content-length": String(8 * MIB) })).status).toBe(400);
  });
});
