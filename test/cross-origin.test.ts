// Pages of other origins: kept out by browsers unless the operator names them.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import worker from "../src/index.ts";
import { smallCatalog } from "./small-catalog.ts";
import { openWorld, policyOf } from "./world.ts";

const APP = "https://app.example";

async function open(ALLOWED_ORIGINS?: string) {
  const world = await openWorld({
    policy: policyOf({ requirements: ["no_training"] }),
    catalog: smallCatalog,
    vars: ALLOWED_ORIGINS === undefined ? {} : { ALLOWED_ORIGINS },
  });
  const ask = async (init: RequestInit, path = "/v1/chat/completions") => {
    const context = createExecutionContext();
    const request = new Request<unknown, IncomingRequestCfProperties>(`https://gateway.example${path}`, init as never);
    const response = await worker.fetch(request, world.env, context);
    await waitOnExecutionContext(context);
    return response;
  };
  const post = (origin: string, model: string) =>
    ask({
      method: "POST",
      headers: { origin, authorization: `Bearer ${world.key}`, "content-type": "application/json" },
      body: JSON.stringify({ model, messages: [] }),
    });
  const preflight = (origin: string) =>
    ask({
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });
  return { world, post, preflight };
}

const corsOf = (response: Response) =>
  [...response.headers].filter(([name]) => name.startsWith("access-control-")).map(([name]) => name);

describe("without ALLOWED_ORIGINS", () => {
  it("a page of another origin is told nothing, and its preflight is a 404 like any path that is not offered", async () => {
    const { post, preflight } = await open();
    const answered = await preflight(APP);
    expect([answered.status, corsOf(answered)]).toEqual([404, []]);
    expect(corsOf(await post(APP, "pair"))).toEqual([]);
  });
});

describe("with ALLOWED_ORIGINS", () => {
  it("a named origin may call, and read our headers", async () => {
    const { post, preflight } = await open(`https://other.example, ${APP}`);
    const allowed = await preflight(APP);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe(APP);
    expect(allowed.headers.get("access-control-allow-headers")).toBe("authorization,content-type");
    expect(allowed.headers.get("access-control-allow-credentials")).toBeNull();
    const answered = await post(APP, "pair");
    expect(answered.status).toBe(200);
    expect(answered.headers.get("access-control-allow-origin")).toBe(APP);
    expect(answered.headers.get("access-control-expose-headers")).toContain("portcullis-provider");
    expect(answered.headers.get("vary")).toMatch(/origin/i);
  });

  it("a named origin can read why it was refused", async () => {
    const { post } = await open(APP);
    const refused = await post(APP, "leaky/mix");
    expect(refused.status).toBe(403);
    expect(refused.headers.get("access-control-allow-origin")).toBe(APP);
  });

  it.each([
    "https://evil.example",
    "https://app.example.evil.example",
    "http://app.example",
    "null",
    "https://app.example:8443",
  ])("%s is not named", async (origin) => {
    const { post, preflight } = await open(APP);
    expect((await preflight(origin)).headers.get("access-control-allow-origin")).toBeNull();
    expect((await post(origin, "pair")).headers.get("access-control-allow-origin")).toBeNull();
  });

  it("the settings and the admin API stay closed to all of them", async () => {
    const { world } = await open(APP);
    const context = createExecutionContext();
    const request = new Request<unknown, IncomingRequestCfProperties>("https://gateway.example/admin/api/orgs", {
      method: "OPTIONS",
      headers: { origin: APP, "access-control-request-method": "POST" },
    });
    expect(corsOf(await worker.fetch(request, world.env, context))).toEqual([]);
  });

  it.each(["*", "app.example", "https://app.example/", "https://app.example/path", "https://a.example,,"])(
    "%j is a mistake that shuts the gateway, not an open door",
    async (value) => {
      const { world, post } = await open(value);
      const refused = await post(APP, "pair");
      expect(refused.status).toBe(503);
      expect(refused.headers.get("access-control-allow-origin")).toBeNull();
      expect(await world.journal()).toEqual([]);
    },
  );
});
