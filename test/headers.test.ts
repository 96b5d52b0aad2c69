// What travels besides the body: header allow-lists in both directions, the provider's bytes, and nothing after a redirect.
import { describe, expect, it, vi } from "vitest";
import { smallCatalog } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, type World } from "./world.ts";

const open = () => openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog: smallCatalog });
const PUT_THERE_BY_THE_RUNTIME = ["host", "content-length", "connection", "accept-encoding", "cf-worker"];

async function upstreamHeaders(world: World): Promise<Record<string, unknown>> {
  const [entry] = await world.journal();
  const headers = Object.entries(entry?.headers ?? {});
  return Object.fromEntries(headers.filter(([name]) => !PUT_THERE_BY_THE_RUNTIME.includes(name)));
}

describe("towards the provider", () => {
  it("only these headers of the client travel, and the provider's own authentication", async () => {
    const world = await open();
    const forwarded = {
      "content-type": "application/json",
      accept: "text/event-stream",
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "context-1m",
      "openai-beta": "assistants=v2",
    };
    await world.chat(
      { model: "alpha/mix" },
      {
        headers: {
          ...forwarded,
          "user-agent": "my-company-agent/1.0",
          cookie: "session=1",
          host: "gateway.example",
          origin: "https://app.example",
          referer: "https://app.example/secret-project",
          forwarded: "for=192.0.2.1",
          "x-forwarded-for": "192.0.2.1",
          "x-real-ip": "192.0.2.1",
          "cf-connecting-ip": "192.0.2.1",
          "cf-aig-authorization": "Bearer other",
          "cf-aig-metadata": "{}",
          "x-portkey-provider": "leaky",
          "x-portkey-config": "{}",
          "helicone-target-url": "https://leaky.example",
          "x-client-request-id": "client-7",
          "x-stainless-lang": "js",
          "x-test-id": "leaky",
          "openai-organization": "org-1",
          "openai-project": "proj-1",
          "x-goog-api-key": "g",
          "api-key": "a",
          "idempotency-key": "i",
          "portcullis-anything": "p",
          traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        },
      },
    );
    expect(await upstreamHeaders(world)).toEqual({
      ...forwarded,
      authorization: "Bearer sandbox",
      "x-test-id": "alpha",
    });
    expect((await world.journal())[0]?.headers.host).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it("the client's query string travels on", async () => {
    const world = await open();
    const path = "/v1/chat/completions?beta=true&x=%2F..%2F";
    await world.call(path, { method: "POST", body: '{"model":"alpha/mix"}' });
    expect((await world.journal())[0]).toMatchObject({ method: "POST", url: path });
  });
});

describe("back to the client", () => {
  it("only these headers of the provider travel, beside our own", async () => {
    const world = await open();
    const returned = {
      "content-type": "application/json; charset=utf-8",
      "x-ratelimit-remaining-requests": "99",
      "x-ratelimit-reset-tokens": "6ms",
      "anthropic-ratelimit-input-tokens-remaining": "1000",
      "ratelimit-limit": "100",
      "retry-after-ms": "20",
    };
    await world.behave("alpha", {
      kind: "status",
      status: 200,
      headers: {
        ...returned,
        "x-request-id": "upstream-7",
        "set-cookie": "__cf_bm=1",
        server: "upstream",
        via: "1.1 proxy",
        "openai-organization": "the-gateway-account",
        "openai-processing-ms": "12",
        "access-control-allow-origin": "*",
        "alt-svc": "h3",
        "x-should-retry": "true",
        "cache-control": "public, max-age=600",
        "strict-transport-security": "max-age=1",
        "portcullis-provider": "leaky",
        "portcullis-enforced": "everything",
      },
      body: "{}",
    });
    const { headers } = await world.chat({ model: "alpha/mix" });
    const requestId = headers.get("portcullis-request-id");
    expect(requestId).toMatch(/^req_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(Object.fromEntries(headers)).toEqual({
      ...returned,
      "cache-control": "no-store",
      "portcullis-provider": "alpha",
      "portcullis-policy-revision": "1",
      "portcullis-upstream-request-id": "upstream-7",
      "portcullis-request-id": requestId,
      "x-request-id": requestId,
      "request-id": requestId,
    });
  });

  it("every answer and every refusal says which request it was, each another", async () => {
    const world = await open();
    const answers = await Promise.all([
      world.chat({ model: "mix" }),
      world.chat({ model: "dirty" }),
      world.chat({ model: "nothing" }),
      world.call("/v1/models"),
      world.call("/v1/nothing"),
      world.call("/v1/models", { headers: { "x-api-key": "junk" } }),
    ]);
    const ids = answers.map(({ headers }) => headers.get("portcullis-request-id"));
    expect(new Set(ids).size).toBe(answers.length);
    for (const { headers } of answers)
      expect([headers.get("x-request-id"), headers.get("request-id")]).toEqual(
        Array(2).fill(headers.get("portcullis-request-id")),
      );
  });
});

describe("the provider's answer", () => {
  it.each([400, 405, 409, 413, 415, 422])("of status %i passes through as it is, without fallback", async (status) => {
    const world = await open();
    const body = '{"error":{"message":"Unknown parameter: foo","type":"invalid_request_error"}}';
    await world.behave("alpha", { kind: "status", status, body });
    const response = await world.chat({ model: "mix" });
    expect([response.status, await response.text()]).toEqual([status, body]);
    expect(response.headers.get("portcullis-provider")).toBe("alpha");
    expect(await world.called()).toEqual(["alpha"]);
  });

  it("streams byte for byte, whatever the chunks hold and however they are cut", async () => {
    const world = await open();
    const chunks = [
      'data: {"x":12345678901234567890, ',
      '"名":"🏰"}\r\n\r\n',
      ": comment\n\ndata: not json\n\n",
      "data: [DONE]",
    ];
    await world.behave("alpha", { kind: "stream", chunks, everyMs: 5, ending: "end" });
    const response = await world.chat({ model: "alpha/mix", stream: true });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(await response.text()).toBe(chunks.join(""));
  });

  it("reaches the client chunk by chunk, not at its end", async () => {
    const world = await open();
    await world.behave("alpha", { kind: "stream", chunks: ["data: 1\n\n"], everyMs: 0, ending: "hang" });
    const { response } = world.begin("/v1/chat/completions", { method: "POST", body: '{"model":"alpha/mix"}' });
    const reader = ((await response).body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("data: 1\n\n");
    await reader.cancel();
  });
});

describe("a client that goes away mid-stream", () => {
  it("cancels the call to the provider within a second", async () => {
    const world = await open();
    await world.behave("alpha", { kind: "stream", chunks: Array(400).fill("data: 1\n\n"), everyMs: 25, ending: "end" });
    const gone = new AbortController();
    const init = { method: "POST", body: '{"model":"alpha/mix","stream":true}', signal: gone.signal };
    const answer = await world.begin("/v1/chat/completions", init).response;
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    gone.abort();
    await vi.waitFor(async () => expect((await world.journal())[0]?.aborted).toBe(true), {
      timeout: 1000,
      interval: 50,
    });
  });
});

describe("a redirect", () => {
  it.each([301, 302, 303, 307, 308])("%i is a failed attempt that is never followed", async (status) => {
    const world = await open();
    const location = `${world.env.SANDBOX_UPSTREAM}/stolen`;
    for (const provider of ["alpha", "beta"])
      await world.behave(provider, { kind: "status", status, headers: { location }, body: "moved" });
    const served = await world.chat({ model: "mix" });
    expect([served.status, served.headers.get("portcullis-provider")]).toEqual([200, "gamma"]);
    const refused = await world.chat({ model: "pair" });
    expect(refused.headers.get("location")).toBeNull();
    expect(await errorOf(refused)).toMatchObject({ status: 502, code: "upstream_error" });
    expect((await world.journal()).map(({ url }) => url)).toEqual(Array(5).fill("/v1/chat/completions"));
  });
});
