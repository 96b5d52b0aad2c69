// Bypasses by way of routing: what a client, a failing provider or the network could do to have a prompt end at a
// provider that the policy excludes.
import { describe, expect, it } from "vitest";
import { gateway } from "../src/gateway/index.ts";
import { SURFACES } from "../src/gateway/surfaces.ts";
import { ask, expectCalled, expectRecorded, openBypassWorld } from "./bypass-world.ts";
import type { Behaviour } from "./provider-stand-in.ts";
import { errorOf, post } from "./world.ts";

describe("1. a fallback never ends at a non-compliant provider", () => {
  it.each<[string, Behaviour, number]>([
    ["429", { kind: "status", status: 429 }, 429],
    ["500", { kind: "status", status: 500 }, 502],
    ["a reset", { kind: "reset" }, 502],
    ["a time-out", { kind: "hang" }, 504],
  ])("after %s of all that comply", async (_, behaviour, status) => {
    const world = await openBypassWorld({ vars: { UPSTREAM_HEADERS_TIMEOUT_SECONDS: "0.3" } });
    for (const id of ["alpha", "beta"]) await world.behave(id, behaviour);
    expect((await ask(world, { model: "mix" })).status).toBe(status);
    await expectCalled(world, "alpha", "beta");
  });

  it("also where the client put it in its own order", async () => {
    const world = await openBypassWorld();
    for (const id of ["alpha", "beta"]) await world.behave(id, { kind: "status", status: 500 });
    expect((await ask(world, { model: "mix", provider: { order: ["alpha", "leaky", "beta"] } })).status).toBe(502);
    await expectCalled(world, "alpha", "beta");
    await expectRecorded(world, "rerouted", ["leaky"]);
  });
});

describe("2. another name for a model is judged as the model, or is none", () => {
  it.each(["dirty-latest", "dirty-2026-01-01", "leaky/dirty-latest", "leaky/dirty"])(
    "%s is the 403 of what it stands for",
    async (model) => {
      const world = await openBypassWorld();
      expect(await errorOf(await ask(world, { model }))).toMatchObject({ status: 403, details: { model: "dirty" } });
      await expectCalled(world);
      await expectRecorded(world, "refused", model.startsWith("leaky/") ? ["leaky"] : undefined);
    },
  );

  it("auto goes only to what complies, although that costs more", async () => {
    const world = await openBypassWorld();
    expect((await ask(world, { model: "auto" })).status).toBe(200);
    await expectCalled(world, "alpha");
  });

  it("auto is the 403 where the organization's list holds nothing that complies", async () => {
    const world = await openBypassWorld();
    await world.publish({ routing: { auto: ["dirty", "leaky/mix"] } });
    world.restart();
    expect((await ask(world, { model: "auto" })).status).toBe(403);
    await expectCalled(world);
    expect(await world.events()).toMatchObject([{ outcome: "refused" }]);
  });

  it.each([
    ["another case", "Leaky/Dirty"],
    ["another case of the model", "leaky/DIRTY"],
    ["percent-encoding", "leaky%2Fdirty"],
    ["a percent-encoded letter", "le%61ky/dirty"],
    ["a look-alike letter", "l\u0435aky/dirty"],
    ["full-width letters", "\uff4ceaky/dirty"],
    ["a combining mark", "leaky/dirty\u0301"],
    ["an invisible character", "leaky/dir\u200bty"],
    ["a leading space", " leaky/dirty"],
    ["a trailing space", "leaky/dirty "],
    ["a trailing line break", "leaky/dirty\n"],
    ["a second slash", "leaky//dirty"],
    ["a third part", "alpha/leaky/dirty"],
    ["a suffix that other gateways know", "dirty:online"],
    ["a path", "alpha/../leaky/dirty"],
    ["a property that every object has", "__proto__"],
    ["another such", "alpha/constructor"],
  ])("%s is no such model: 404", async (_, model) => {
    const world = await openBypassWorld();
    expect(await errorOf(await ask(world, { model }))).toMatchObject({ status: 404, code: "model_not_found" });
    await expectCalled(world);
  });

  it("an escaped name is the name that it stands for", async () => {
    const world = await openBypassWorld();
    const response = await post(world, "chat/completions", '{"model":"le\\u0061ky\\/dirty","messages":[]}');
    expect(response.status).toBe(403);
    await expectCalled(world);
    await expectRecorded(world, "refused", ["leaky"]);
  });
});

describe("3. models: […] with non-compliant entries", () => {
  it("is served by an allowed one, and recorded as rerouted", async () => {
    const world = await openBypassWorld();
    expect((await ask(world, { model: "leaky/mix", models: ["dirty", "beta/mix"] })).status).toBe(200);
    await expectCalled(world, "beta");
    await expectRecorded(world, "rerouted", ["leaky", "leaky", "blank"]);
  });

  it("of nothing else is the 403", async () => {
    const world = await openBypassWorld();
    expect((await ask(world, { models: ["dirty", "leaky/mix"] })).status).toBe(403);
    await expectCalled(world);
    expect(await world.events()).toMatchObject([{ outcome: "refused" }]);
  });
});

describe("4. preferences that name a non-compliant provider", () => {
  it("only: the 403", async () => {
    const world = await openBypassWorld();
    expect((await ask(world, { model: "mix", provider: { only: ["leaky"] } })).status).toBe(403);
    await expectCalled(world);
    await expectRecorded(world, "refused", ["leaky"]);
  });

  it("order: served by the next, and recorded as rerouted", async () => {
    const world = await openBypassWorld();
    expect((await ask(world, { model: "mix", provider: { order: ["leaky", "beta"] } })).status).toBe(200);
    await expectCalled(world, "beta");
    await expectRecorded(world, "rerouted", ["leaky"]);
  });

  it("an order that allows no others: the 403", async () => {
    const world = await openBypassWorld();
    const provider = { order: ["leaky"], allow_fallbacks: false };
    expect((await ask(world, { model: "mix", provider })).status).toBe(403);
    await expectCalled(world);
    await expectRecorded(world, "refused", ["leaky"]);
  });
});

// 6, a form's model, is for multipart-model.test.ts; 9, variables in an address, for own-credentials.test.ts.

describe("10. a redirect of the provider to another host", () => {
  it.each([301, 302, 303, 307, 308])("%i is not followed; the next that complies is asked", async (status) => {
    const world = await openBypassWorld();
    const location = `${world.env.SANDBOX_UPSTREAM}/v1/elsewhere`;
    await world.behave("alpha", { kind: "status", status, headers: { location } });
    expect((await ask(world, { model: "mix" })).status).toBe(200);
    await expectCalled(world, "alpha", "beta");
    expect((await world.journal()).map(({ url }) => url)).not.toContain("/v1/elsewhere");
  });
});

// That there is one function which calls a provider is for dependency-rule.test.ts, and what it takes for door.test.ts.
describe("11. a route without the door", () => {
  const routes = gateway.routes.filter(({ path }) => path !== "/*").map(({ method, path }) => `${method} ${path}`);

  it("there is none besides the table of surfaces and the list of models", () => {
    const surfaces = SURFACES.map(({ path }) => `POST /v1${path}`);
    expect(routes.toSorted()).toEqual([...surfaces, "GET /v1/models", "GET /v1/models/:id"].toSorted());
  });

  it.each(SURFACES)("POST /v1$path passes it: the 403, recorded", async ({ path, body }) => {
    const world = await openBypassWorld();
    const form = new FormData();
    form.append("model", "leaky/mix");
    form.append("file", new File(["x"], "a.mp3"));
    const response = await (body === "form"
      ? world.call(`/v1${path}`, { method: "POST", body: form })
      : post(world, path.slice(1), { model: "leaky/mix" }));
    expect(response.status).toBe(403);
    await expectCalled(world);
    await expectRecorded(world, "refused", ["leaky"]);
  });

  it.each(["GET", "PUT", "PATCH", "DELETE", "HEAD"])("%s is no way around", async (method) => {
    const world = await openBypassWorld();
    for (const { path } of SURFACES) expect((await world.call(`/v1${path}`, { method })).status).toBe(404);
    await expectCalled(world);
  });
});

describe("12. a WebSocket upgrade", () => {
  it.each(["/v1/realtime?model=leaky/mix", "/v1/responses", "/v1/chat/completions"])(
    "of %s is not offered, and nothing is forwarded",
    async (path) => {
      const world = await openBypassWorld();
      const headers = { upgrade: "websocket", connection: "Upgrade", "sec-websocket-version": "13" };
      const response = await world.call(path, { headers });
      expect(await errorOf(response)).toMatchObject({ status: 404, code: "not_found" });
      expect(response.webSocket ?? null).toBeNull();
      await expectCalled(world);
    },
  );
});
