// When a provider fails: the next admitted candidate, never one that the policy removed, and at most three attempts.
import { afterEach, describe, expect, it, vi } from "vitest";
import { healthKeyOf } from "../src/gateway/dispatch.ts";
import type { Behaviour } from "./provider-stand-in.ts";
import { smallCatalog } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, type World } from "./world.ts";

const noTraining = policyOf({ requirements: ["no_training"] });
const open = (vars = {}) =>
  openWorld({ policy: noTraining, catalog: smallCatalog, vars: { UPSTREAM_HEADERS_TIMEOUT_SECONDS: "1", ...vars } });
const status = (code: number, headers: Record<string, string> = {}): Behaviour => ({
  kind: "status",
  status: code,
  headers,
  body: '{"error":"the provider says no"}',
});
async function failAll(world: World, behaviour: Behaviour, providers = ["alpha", "beta", "gamma", "delta"]) {
  for (const provider of providers) await world.behave(provider, behaviour);
}
async function servedBy(world: World, body = {}): Promise<string | null> {
  const response = await world.chat({ model: "mix", ...body });
  await response.text();
  return response.headers.get("portcullis-provider");
}

afterEach(() => {
  vi.useRealTimers();
});

describe("the next admitted candidate is tried", () => {
  it.each<[string, Behaviour]>([
    ...[401, 402, 403, 404, 429, 500, 502, 503, 504, 529].map((code): [string, Behaviour] => [`${code}`, status(code)]),
    ["a connection that breaks", { kind: "reset" }],
    ["no answer in time", { kind: "hang" }],
  ])("after %s", async (_, behaviour) => {
    const world = await open();
    await world.behave("alpha", behaviour);
    expect(await servedBy(world)).toBe("beta");
    expect(await world.called()).toEqual(["alpha", "beta"]);
  });

  it("and the failed call that hung is given up", async () => {
    const world = await open();
    await world.behave("alpha", { kind: "hang" });
    await servedBy(world);
    await vi.waitFor(async () => expect((await world.journal())[0]?.aborted).toBe(true));
  });

  it("by price, never the cheaper one that the policy removed", async () => {
    const world = await open();
    await failAll(world, status(500), ["alpha", "beta"]);
    expect(await servedBy(world)).toBe("gamma");
    expect(await world.called()).not.toContain("leaky");
  });

  it("and a provider's own 403 is no block of ours: nothing is recorded", async () => {
    const world = await open();
    await world.behave("alpha", status(403));
    await servedBy(world);
    expect(await world.events()).toEqual([]);
  });

  it("only while the policy of that moment still admits it", async () => {
    const world = await open({ CONFIG_TTL_SECONDS: "0.1" });
    await world.behave("alpha", { kind: "hang" });
    const { response } = world.begin("/v1/chat/completions", { method: "POST", body: '{"model":"mix"}' });
    await vi.waitFor(async () => expect(await world.called()).toEqual(["alpha"]));
    const policy = { ...noTraining, providers: { allow: [], block: ["beta"] } };
    await world.publish({ revision: 2, policy });
    expect((await response).headers.get("portcullis-provider")).toBe("gamma");
    expect(await world.called()).toEqual(["alpha", "gamma"]);
  });
});

describe("there are no more attempts", () => {
  it("after three", async () => {
    const world = await open();
    await failAll(world, status(500));
    expect(await errorOf(await world.chat({ model: "mix" }))).toMatchObject({ status: 502, code: "upstream_error" });
    expect(await world.called()).toEqual(["alpha", "beta", "gamma"]);
  });

  it("for a pinned target", async () => {
    const world = await open();
    await world.behave("alpha", status(500));
    expect((await world.chat({ model: "alpha/mix" })).status).toBe(502);
    expect(await world.called()).toEqual(["alpha"]);
  });

  it("for a client that has gone away", async () => {
    const world = await open();
    await world.behave("alpha", { kind: "hang" });
    const gone = new AbortController();
    const init = { method: "POST", body: '{"model":"mix"}', signal: gone.signal };
    const { response } = world.begin("/v1/chat/completions", init);
    await vi.waitFor(async () => expect(await world.called()).toEqual(["alpha"]));
    gone.abort();
    await response.catch(() => undefined);
    const left = [{ provider: "alpha", aborted: true }];
    await vi.waitFor(async () => expect(await world.journal()).toMatchObject(left));
    expect(await world.called()).toEqual(["alpha"]);
  });

  it("once a 2xx has begun, however it ends", async () => {
    const world = await open();
    await world.behave("alpha", { kind: "stream", chunks: ["data: 1\n\n"], everyMs: 50, ending: "reset" });
    const response = await world.chat({ model: "mix", stream: true });
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/^data: 1\n\n\n\ndata: .*"upstream_error"/);
    expect(await world.called()).toEqual(["alpha"]);
  });
});

describe("when all fail", () => {
  it("502 names providers and statuses, never their text", async () => {
    const world = await open();
    await world.behave("alpha", status(500));
    await world.behave("beta", { kind: "reset" });
    await world.behave("gamma", { kind: "hang" });
    const error = await errorOf(await world.chat({ model: "mix" }));
    expect(error).toMatchObject({ status: 502, type: "api_error", code: "upstream_error", param: null });
    expect(error.message).toContain("alpha (500), beta (network error), gamma (timeout)");
    expect(error.message).not.toContain("the provider says no");
  });

  it("429 with the soonest Retry-After if all were 429", async () => {
    const world = await open();
    await world.behave("alpha", status(429, { "retry-after": "30" }));
    await world.behave("beta", status(429, { "retry-after": "7" }));
    await world.behave("gamma", status(429));
    const response = await world.chat({ model: "mix" });
    expect(response.headers.get("retry-after")).toBe("7");
    expect(await errorOf(response)).toMatchObject({
      status: 429,
      type: "rate_limit_error",
      code: "upstream_rate_limited",
    });
  });

  it.each([
    ["a date", new Date(Date.now() + 20_000).toUTCString()],
    ["nothing", null],
    ["nonsense", "soon"],
  ])("429 carries a sane Retry-After where the provider says %s", async (_, value) => {
    const world = await open();
    await world.behave("alpha", status(429, value === null ? {} : { "retry-after": value }));
    const seconds = Number((await world.chat({ model: "alpha/mix" })).headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(20);
  });

  it("504 if all ran out of time", async () => {
    const world = await open();
    await failAll(world, { kind: "hang" });
    expect(await errorOf(await world.chat({ model: "mix" }))).toMatchObject({
      status: 504,
      type: "api_error",
      code: "upstream_timeout",
    });
  });

  it("is neither a block nor recorded as one", async () => {
    const world = await open();
    await failAll(world, status(500));
    await world.chat({ model: "mix" });
    expect(await world.events()).toEqual([]);
  });
});

describe("health", () => {
  it("ranks a provider last after its second failure in a row, and first again after its rest", async () => {
    const world = await open();
    await world.behave("alpha", status(500));
    vi.useFakeTimers({ toFake: ["Date"] });
    for (let turn = 0; turn < 3; turn++) expect(await servedBy(world)).toBe("beta");
    expect(await world.called()).toEqual(["alpha", "beta", "alpha", "beta", "beta"]);
    await world.behave("alpha", null);
    vi.setSystemTime(Date.now() + 5_000);
    expect(await servedBy(world)).toBe("alpha");
  });

  it("rests a provider for as long as it asks", async () => {
    const world = await open({ CONFIG_MAX_STALE_SECONDS: "300" });
    await world.behave("alpha", status(429, { "retry-after": "60" }));
    vi.useFakeTimers({ toFake: ["Date"] });
    await servedBy(world);
    await world.behave("alpha", null);
    vi.setSystemTime(Date.now() + 59_000);
    expect(await servedBy(world)).toBe("beta");
    vi.setSystemTime(Date.now() + 1_000);
    expect(await servedBy(world)).toBe("alpha");
  });

  it("is forgotten with one success, and says nothing about a 404, which is of one model", async () => {
    const world = await open();
    for (const behaviour of [status(500), null, status(500), null, status(404), status(404), status(404)]) {
      await world.behave("alpha", behaviour);
      await servedBy(world);
    }
    expect((await world.called()).filter((provider) => provider === "alpha")).toHaveLength(7);
  });

  it("is never a reason to refuse: a pinned provider at rest is still called", async () => {
    const world = await open();
    await world.behave("alpha", status(500));
    for (let turn = 0; turn < 4; turn++) await world.chat({ model: "alpha/mix" });
    expect(await world.called()).toHaveLength(4);
  });

  it("stands behind the client's own order", async () => {
    const world = await open();
    await world.behave("alpha", status(500));
    for (let turn = 0; turn < 3; turn++) await servedBy(world, { provider: { order: ["alpha"] } });
    expect((await world.called()).filter((provider) => provider === "alpha")).toHaveLength(3);
  });

  it("is kept per credential, by its name and never by the secret", () => {
    const credential = (id: string) => ({ kind: "secret" as const, id, secret: "top-secret", variables: {} });
    const keys = ["ALPHA_API_KEY", "ACME_ALPHA_API_KEY"].map((id) => healthKeyOf("alpha", credential(id)));
    expect(new Set(keys).size).toBe(2);
    expect(keys.join()).not.toContain("top-secret");
  });
});
