// Every surface goes through the same door: the same judgement, the same ladder, each in its client's own terms.
import { describe, expect, it } from "vitest";
import { indexCatalog } from "../src/catalog/lookup.ts";
import type { Catalog, Provider } from "../src/catalog/schema.ts";
import { SURFACES } from "../src/gateway/surfaces.ts";
import { isLive } from "../src/routing/ladder.ts";
import { FORM_TYPE, field, fieldsOf, rawForm, readAtProvider } from "./forms.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { modelOf, providerOf } from "./small-catalog.ts";
import { openWorld, policyOf, type World } from "./world.ts";

const url = "https://provider.example/v1";
const apis: Provider["apis"] = Object.fromEntries(
  SURFACES.map(({ api, dialect }) => [api, { url, auth: dialect === "anthropic" ? "x-api-key" : "bearer" }]),
);
const served = { apis: SURFACES.map(({ api }) => api) };

const catalog: Catalog = {
  version: "surfaces",
  providers: [
    providerOf("good", { apis }),
    providerOf("leaky", { apis, dataPolicy: { ...providerOf("x").dataPolicy, trainsOnPrompts: true } }),
    providerOf("broker", { apis, aggregator: true }),
  ],
  models: [
    modelOf("mix", { good: served, leaky: served }),
    modelOf("dirty", { leaky: served }),
    modelOf("brokered", { broker: served }),
    modelOf("chat-only", { good: 1 }),
  ],
};

const open = (requirements: string[] = ["no_training"]) => openWorld({ policy: policyOf({ requirements }), catalog });

const post = (world: World, path: string, body: Record<string, unknown>, headers: Record<string, string> = {}) =>
  world.call(`/v1${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });

async function arrived(world: World): Promise<Record<string, unknown>> {
  const entry = (await world.journal()).at(-1);
  return JSON.parse(atob(entry?.body ?? ""));
}

/** How a surface is sent a body, and what of it reached the provider, in the terms it was sent in. */
const SENDING = {
  JSON: { post, arrived, written: (body: Record<string, unknown>) => body },
  "a form": {
    post: (world: World, path: string, body: Record<string, unknown>) =>
      world.call(`/v1${path}`, {
        method: "POST",
        body: rawForm(...fieldsOf(body).map(([name, value]) => field(name, value))),
        headers: { "content-type": FORM_TYPE },
      }),
    arrived: async (world: World) => {
      const entry = (await world.journal()).at(-1);
      return entry ? Object.fromEntries(await readAtProvider(entry)) : {};
    },
    written: (body: Record<string, unknown>) => Object.fromEntries(fieldsOf(body)),
  },
};

const sent = SURFACES.flatMap((surface) => [
  ...(surface.body === "form" ? [] : [{ ...surface, as: "JSON" as const }]),
  ...(surface.body === "json" ? [] : [{ ...surface, as: "a form" as const }]),
]);

describe.each(sent)("$path, sent as $as", ({ path, dialect, as }) => {
  const { post, arrived, written } = SENDING[as];

  it("is served by an allowed provider alone, at that provider's path and under its name of the model", async () => {
    const world = await open();
    const response = await post(world, `${path}?beta=true`, { model: "mix", input: "Hi", client_metadata: { a: 1 } });
    expect(response.status).toBe(200);
    expect(response.headers.get("portcullis-provider")).toBe("good");
    const [call, ...more] = await world.journal();
    expect(more).toEqual([]);
    expect(call).toMatchObject({ provider: "good", method: "POST", url: `/v1${path}?beta=true` });
    expect(await arrived(world)).toEqual(written({ model: "good-mix", input: "Hi", client_metadata: { a: 1 } }));
  });

  it("a pinned provider that fails the policy is the 403 in the client's format, recorded, and nothing is sent", async () => {
    const world = await open();
    const response = await post(world, path, { model: "leaky/mix", input: "Hi" });
    expect(response.status).toBe(403);
    const body = await response.json<Record<string, unknown>>();
    const error = { type: "permission_error", code: "provider_compliance_blocked" };
    expect(body).toMatchObject(
      dialect === "anthropic" ? { type: "error", error } : { error: { ...error, param: "model" } },
    );
    if (dialect === "anthropic") expect(body.request_id).toBe(response.headers.get("request-id"));
    expect(await world.journal()).toEqual([]);
    expect(await world.events()).toMatchObject([{ outcome: "refused", model: "mix", mode: "pinned" }]);
  });

  it("a model that none of its providers offers here names what it can be called through", async () => {
    const world = await open();
    const response = await post(world, path, { model: "chat-only", input: "Hi" });
    if (path === "/chat/completions") return expect(response.status).toBe(200);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("chat_completions");
    expect(await world.journal()).toEqual([]);
  });

  it("a provider is not told to fall back to a model that nobody judged", async () => {
    const world = await open([]);
    const response = await post(world, path, { model: "mix", input: "Hi", fallbacks: [{ model: "good-dirty" }] });
    expect(response.headers.get("portcullis-enforced")).toBe("fallbacks=dropped");
    expect(await arrived(world)).toEqual(written({ model: "good-mix", input: "Hi" }));
  });

  it("an aggregator is not told whom else it may ask", async () => {
    const world = await open([]);
    const steering = {
      route: "fallback",
      transforms: ["x"],
      plugins: [{ id: "web" }],
      providerOptions: { order: ["x"] },
      extra_body: { route: "x" },
    };
    expect((await post(world, path, { model: "brokered", input: "Hi", ...steering })).status).toBe(200);
    expect(await arrived(world)).toEqual({ model: "broker-brokered", input: "Hi" });
  });
});

it("each has at least one live mapping in the shipped catalog", () => {
  const live = [...indexCatalog(shippedCatalog).candidates.values()].flat().filter((each) => isLive(each, Date.now()));
  for (const { api, path } of SURFACES)
    expect(
      live.some(({ mapping }) => mapping.apis.includes(api)),
      path,
    ).toBe(true);
});

it("Anthropic's version and beta headers travel on by value, with the provider's own kind of key", async () => {
  const world = await open();
  const headers = { "anthropic-version": "2023-06-01", "anthropic-beta": "a,b" };
  await post(world, "/messages", { model: "mix", messages: [] }, headers);
  const [call] = await world.journal();
  expect(call?.headers).toMatchObject({ ...headers, "x-api-key": "sandbox" });
  expect(call?.headers.authorization).toBeUndefined();
});

it.each(["realtime", "files", "batches", "assistants", "responses/resp_1", "messages/batches"])(
  "/v1/%s is not offered, in the client's format, and nothing is forwarded",
  async (path) => {
    const world = await open();
    for (const method of ["GET", "POST"]) {
      const response = await world.call(`/v1/${path}`, { method });
      expect(response.status).toBe(404);
      const body = await response.json<{ type?: string; error: { code: string } }>();
      expect(body.error.code).toBe("not_found");
      expect(body.type).toBe(path.startsWith("messages") ? "error" : undefined);
    }
    expect(await world.journal()).toEqual([]);
  },
);

describe.each(["no_logging", "zero_retention"])("under %s", (requirement) => {
  it.each(["/chat/completions", "/responses"])("%s is not stored, whatever the client said", async (path) => {
    const world = await open([requirement]);
    const response = await post(world, path, { model: "mix", store: true, prompt_cache_retention: "24h" });
    expect(response.headers.get("portcullis-enforced")).toBe("store=false, prompt_cache_retention=dropped");
    expect(await arrived(world)).toEqual({ model: "good-mix", store: false });
  });

  it("embeddings and messages have no such field, and get none", async () => {
    const world = await open([requirement]);
    for (const path of ["/embeddings", "/messages"]) {
      await post(world, path, { model: "mix" });
      expect(await arrived(world)).toEqual({ model: "good-mix" });
    }
  });

  it.each([
    ["background", true],
    ["background", "yes"],
    ["previous_response_id", "resp_1"],
    ["conversation", "conv_1"],
    ["conversation", { id: "conv_1" }],
    ["prompt", { id: "pmpt_1" }],
    ["input", [{ type: "item_reference", id: "msg_1" }]],
    ["input", [{ role: "user", content: "Hi" }, { id: "msg_1" }]],
  ])("a response with %s %j is refused by the field's name, recorded, and nothing is sent", async (field, value) => {
    const world = await open([requirement]);
    const response = await post(world, "/responses", { model: "mix", [field]: value });
    expect(response.status).toBe(400);
    const { error } = await response.json<{ error: Record<string, string> }>();
    expect(error).toMatchObject({ code: "not_allowed_by_policy", param: field });
    expect(error.message).toContain(requirement);
    expect(await world.journal()).toEqual([]);
    expect(await world.events()).toMatchObject([
      { outcome: "refused", reason: `${field} is not allowed under ${requirement}` },
    ]);
  });

  it.each([
    ["background", false],
    ["previous_response_id", null],
    ["input", [{ id: "msg_1", role: "user", content: "Hi" }]],
    ["input", "Hi"],
  ])("a response with %s %j keeps nothing, and passes", async (field, value) => {
    const world = await open([requirement]);
    expect((await post(world, "/responses", { model: "mix", [field]: value })).status).toBe(200);
    expect(await arrived(world)).toEqual({ model: "good-mix", [field]: value, store: false });
  });
});

it("without such a requirement state is the client's own affair", async () => {
  const world = await open(["no_training"]);
  const asked = { previous_response_id: "resp_1", background: true, store: true };
  expect((await post(world, "/responses", { model: "mix", ...asked })).status).toBe(200);
  expect(await arrived(world)).toEqual({ model: "good-mix", ...asked });
});
