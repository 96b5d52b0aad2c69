// One request from end to end: an answer from an allowed provider alone, or a refusal that sent nothing.
import { describe, expect, it } from "vitest";
import { smallCatalog } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf } from "./world.ts";

describe("an allowed request", () => {
  it("is answered by the cheapest allowed provider alone, and nothing is recorded", async () => {
    const world = await openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog: smallCatalog });
    const response = await world.chat({ model: "mix" });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: "Hello." } }] });
    expect(response.headers.get("portcullis-provider")).toBe("alpha");
    expect(await world.called()).toEqual(["alpha"]);
    expect(await world.events()).toEqual([]);
  });

  it("is routed to whoever is cheapest while no policy is on", async () => {
    const world = await openWorld({ catalog: smallCatalog });
    expect((await world.chat({ model: "mix" })).headers.get("portcullis-provider")).toBe("leaky");
  });

  it("is served on the shipped catalog", async () => {
    const world = await openWorld({ policy: policyOf({ requirements: ["soc2_type2", "no_training"] }) });
    expect((await world.chat({ model: "gpt-4o-mini" })).status).toBe(200);
    expect(await world.called()).toEqual(["openai"]);
  });

  it("obeys the project's policy beside the organization's", async () => {
    const world = await openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog: smallCatalog });
    const narrower = policyOf({ providers: { allow: [], block: ["alpha"] } });
    await world.publish({
      projects: { web: { policy: narrower }, batch: { policy: policyOf({ headquarters: ["FR"] }) } },
    });
    expect((await world.chat({ model: "mix" })).headers.get("portcullis-provider")).toBe("beta");
    expect((await world.chat({ model: "leaky/mix" })).status).toBe(403);
    expect((await world.chat({ model: "alpha/mix" })).status).toBe(403);
  });
});

describe("a refusal", () => {
  const cases: { name: string; body: Record<string, unknown>; refused: Record<string, unknown> }[] = [
    {
      name: "no such model",
      body: { model: "nothing" },
      refused: { status: 404, type: "not_found_error", code: "model_not_found", param: "model" },
    },
    {
      name: "preferences that leave none",
      body: { model: "mix", provider: { only: ["alpha"], ignore: ["alpha"] } },
      refused: { status: 400, type: "invalid_request_error", code: "no_provider_matches", param: "provider" },
    },
    {
      name: "none passes the policy",
      body: { model: "dirty" },
      refused: { status: 403, type: "permission_error", code: "provider_compliance_blocked", param: "model" },
    },
    {
      name: "none passes the policy, although it is retired as well",
      body: { model: "retired-dirty" },
      refused: { status: 403, type: "permission_error", code: "provider_compliance_blocked", param: "model" },
    },
    {
      name: "none passes the policy, although it speaks another API as well",
      body: { model: "mute-dirty" },
      refused: { status: 403, type: "permission_error", code: "provider_compliance_blocked", param: "model" },
    },
    {
      name: "preferences that leave none, before compliance",
      body: { model: "dirty", provider: { max_price: { prompt: 0.1 } } },
      refused: { status: 400, type: "invalid_request_error", code: "no_provider_matches", param: "provider" },
    },
    {
      name: "none speaks the API",
      body: { model: "mute" },
      refused: { status: 400, type: "invalid_request_error", code: "api_not_supported", param: "model" },
    },
    {
      name: "none can be called at all",
      body: { model: "silent" },
      refused: { status: 400, type: "invalid_request_error", code: "api_not_supported", param: "model" },
    },
    {
      name: "none is live",
      body: { model: "retired" },
      refused: { status: 404, type: "not_found_error", code: "model_retired", param: "model" },
    },
    {
      name: "only a blocked one is live",
      body: { model: "half-retired" },
      refused: { status: 403, type: "permission_error", code: "provider_compliance_blocked", param: "model" },
    },
    {
      name: "only a blocked one speaks the API",
      body: { model: "half-mute" },
      refused: { status: 403, type: "permission_error", code: "provider_compliance_blocked", param: "model" },
    },
    {
      name: "no passing one has credentials",
      body: { model: "alpha/mix" },
      refused: { status: 503, type: "api_error", code: "no_provider_available", param: null },
    },
  ];

  it.each(cases)("$name", async ({ body, refused }) => {
    const world = await openWorld({
      policy: policyOf({ requirements: ["no_training"] }),
      catalog: smallCatalog,
      vars: { SANDBOX_PROVIDERS: "beta,leaky" },
    });
    const response = await world.chat(body);
    expect(await errorOf(response)).toMatchObject(refused);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await world.called()).toEqual([]);
  });

  it("for another API names what the model does speak", async () => {
    const world = await openWorld({ catalog: smallCatalog });
    expect((await errorOf(await world.chat({ model: "mute" }))).message).toContain("responses");
  });

  it("for lack of credentials names the providers that lack them, and asks not to be retried", async () => {
    const world = await openWorld({
      policy: policyOf({ requirements: ["no_training"] }),
      catalog: smallCatalog,
      vars: { SANDBOX_PROVIDERS: "leaky" },
    });
    const response = await world.chat({ model: "pair" });
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect((await errorOf(response)).message).toMatch(/alpha, beta/);
  });

  it("lies in OpenAI's shape outside /v1/messages", async () => {
    const world = await openWorld({ catalog: smallCatalog });
    const response = await world.call("/v1/nothing", { method: "POST" });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: { message: expect.any(String), type: "not_found_error", code: "not_found", param: null },
    });
  });

  it.each(["/v1/messages", "/v1/messages/nothing"])("lies in Anthropic's shape below %s", async (path) => {
    const world = await openWorld({ catalog: smallCatalog });
    const response = await world.call(path, { method: "PATCH" });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      type: "error",
      error: { type: "not_found_error", code: "not_found", message: expect.any(String) },
      request_id: response.headers.get("request-id"),
    });
  });

  it("answers a path or method it does not offer with 404 and nothing upstream", async () => {
    const world = await openWorld({ catalog: smallCatalog });
    for (const [method, path] of [
      ["GET", "/v1/chat/completions"],
      ["DELETE", "/v1/chat/completions"],
      ["POST", "/v1/chat/completions/x"],
      ["POST", "/v1/models"],
      ["POST", "/v1/files"],
    ] as const)
      expect((await world.call(path, { method })).status, `${method} ${path}`).toBe(404);
    expect(await world.called()).toEqual([]);
  });
});
