// The 403 and its security event: exact in shape, complete in evidence, bounded in size.
import { afterEach, describe, expect, it, vi } from "vitest";
import { SecurityEvent } from "../src/store/event.ts";
import { modelOf, providerOf, smallCatalog } from "./small-catalog.ts";
import { openWorld, policyOf, replacing, type World } from "./world.ts";

const noTraining = policyOf({ requirements: ["no_training"] });
const everything = policyOf({
  requirements: ["soc2_type2", "iso27001", "gdpr", "no_training", "no_logging", "zero_retention", "disclosed_operator"],
  headquarters: ["AQ"],
  providers: { allow: ["alpha"], block: [] },
});

interface Blocked {
  error: {
    message: string;
    details: {
      event_id: string;
      providers: { id: string; model?: string; failures: object[] }[];
      alternatives: string[];
    };
  };
}
const blockedOf = async (response: Response) => (await response.json()) as Blocked;
const bytesOf = (value: string) => new TextEncoder().encode(value).byteLength;

/** What the queue is sent from here on; it arrives there all the same. */
function watchQueue(world: World): unknown[] {
  const sent: unknown[] = [];
  const { AUDIT } = world.env;
  const send: Queue["send"] = (message, options) => {
    sent.push(message);
    return AUDIT.send(message, options);
  };
  world.restart({ AUDIT: replacing(AUDIT, { send }) });
  return sent;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the 403", () => {
  it("has exactly this shape for a pinned provider", async () => {
    const world = await openWorld({ policy: policyOf({ requirements: ["soc2_type2", "no_training"] }) });
    const response = await world.chat({ model: "deepseek/deepseek-v3.2" });
    const requestId = response.headers.get("portcullis-request-id");
    const eventId = (await world.events())[0]?.id;
    expect(response.status).toBe(403);
    expect(eventId).toMatch(/^evt_[0-9A-Z]{26}$/);
    expect(await response.json()).toEqual({
      error: {
        message: `Blocked by your organization's provider compliance policy: deepseek does not meet it for deepseek-v3.2 (soc2_type2: unknown; no_training: trains on prompts). Nothing was sent upstream. Event ${eventId}.`,
        type: "permission_error",
        code: "provider_compliance_blocked",
        param: "model",
        details: {
          event_id: eventId,
          request_id: requestId,
          policy_revision: 1,
          catalog_version: "shipped",
          mode: "pinned",
          model: "deepseek-v3.2",
          providers: [
            {
              id: "deepseek",
              failures: [
                { code: "soc2_type2", found: null },
                { code: "no_training", found: true },
              ],
            },
          ],
          alternatives: [],
        },
      },
    });
  });

  it.each([{}, { stream: true }])("is JSON that is neither cached nor retried (%j)", async (body) => {
    const world = await openWorld({ policy: noTraining, catalog: smallCatalog });
    const { headers } = await world.chat({ model: "dirty", ...body }, { headers: { accept: "text/event-stream" } });
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-should-retry": "false",
      "portcullis-policy-revision": "1",
    });
    expect(headers.get("retry-after")).toBeNull();
    expect(headers.get("x-request-id")).toBe(headers.get("portcullis-request-id"));
    expect(headers.get("request-id")).toBe(headers.get("portcullis-request-id"));
  });

  it("offers the allowed, live, speaking and credentialed providers of the same model, and no others", async () => {
    const world = await openWorld({
      policy: noTraining,
      catalog: smallCatalog,
      vars: { SANDBOX_PROVIDERS: "alpha,beta,leaky" },
    });
    const alternatives = async (model: string) =>
      (await blockedOf(await world.chat({ model }))).error.details.alternatives;
    expect((await alternatives("leaky/mix")).sort()).toEqual(["alpha/mix", "beta/mix"]);
    expect(await alternatives("leaky/half-retired")).toEqual([]);
    expect(await alternatives("leaky/half-mute")).toEqual([]);
    expect(await alternatives("dirty")).toEqual([]);
  });

  it("keeps every failure of every provider", async () => {
    const world = await openWorld({ policy: everything, catalog: smallCatalog });
    const { details } = (await blockedOf(await world.chat({ model: "blank/dirty" }))).error;
    expect(details.providers).toEqual([
      {
        id: "blank",
        failures: [
          { code: "soc2_type2", found: null },
          { code: "iso27001", found: null },
          { code: "gdpr", found: null },
          { code: "no_training", found: null },
          { code: "no_logging", found: null },
          { code: "zero_retention", found: null },
          { code: "disclosed_operator", found: null },
          { code: "headquarters", found: null },
          { code: "provider_not_allowed", found: "blank" },
        ],
      },
    ]);
  });
});

describe("the event of a block", () => {
  it("is the same in D1, on the queue and on the tail line, and in the answer by its id", async () => {
    const log = vi.spyOn(console, "log");
    const world = await openWorld({ policy: noTraining, catalog: smallCatalog });
    const sent = watchQueue(world);
    const response = await world.chat({ model: "leaky/mix" }, { headers: { "x-client-request-id": "client-7" } });
    const requestId = response.headers.get("portcullis-request-id");
    const [event, ...others] = await world.events();
    expect(others).toEqual([]);
    expect(SecurityEvent.parse(event)).toEqual({
      id: (await blockedOf(response)).error.details.event_id,
      type: "compliance.blocked",
      outcome: "refused",
      at: expect.any(String),
      org: world.org,
      project: "web",
      key_id: "key_1",
      request_id: requestId,
      client_request_id: "client-7",
      api: "chat_completions",
      model: "mix",
      mode: "pinned",
      providers: [{ id: "leaky", failures: [{ code: "no_training", found: true }] }],
      policy_revision: 1,
      catalog_version: "small",
      colo: null,
      country: null,
    });
    expect(sent).toEqual([event]);
    expect(log.mock.calls.map(([line]) => JSON.parse(String(line)))).toEqual([
      { message: "compliance.blocked", ...event },
    ]);
  });

  it("is written for each block anew", async () => {
    const world = await openWorld({ policy: noTraining, catalog: smallCatalog });
    await Promise.all(Array.from({ length: 5 }, () => world.chat({ model: "dirty" })));
    expect(new Set((await world.events()).map(({ id }) => id)).size).toBe(5);
  });

  it("bounds what the client says of itself", async () => {
    const world = await openWorld({ policy: noTraining, catalog: smallCatalog });
    await world.chat({ model: "dirty" }, { headers: { "x-client-request-id": "x".repeat(5000) } });
    expect(String((await world.events())[0]?.client_request_id).length).toBeLessThanOrEqual(129);
  });

  it("says for which model a provider was removed when the request named another one first", async () => {
    const world = await openWorld({ policy: noTraining, catalog: smallCatalog });
    await world.chat({ model: "alpha/pair", models: ["leaky/mix"] });
    const refused = await world.chat({ model: "nothing", models: ["leaky/mix"] });
    for (const event of await world.events()) {
      const [provider] = event.providers as Blocked["error"]["details"]["providers"];
      expect(provider?.model ?? event.model).toBe("mix");
    }
    expect((await blockedOf(refused)).error.message).toContain("leaky does not meet it for mix (");
  });
});

describe("bounds", () => {
  it("auto over every provider that there is: a message of at most 2 KB, an event of at most 16 KB", async () => {
    const world = await openWorld({ policy: everything });
    const { error } = await blockedOf(await world.chat({ model: "auto" }));
    expect(bytesOf(error.message)).toBeLessThanOrEqual(2048);
    expect(error.message).toContain(`Nothing was sent upstream. Event ${error.details.event_id}.`);
    const [event] = await world.events();
    expect(bytesOf(JSON.stringify(event))).toBeLessThanOrEqual(16 * 1024);
    expect(Number(event?.providers_omitted)).toBeGreaterThan(0);
    expect(await world.called()).toEqual([]);
  });

  it("names as long as the schema allows stay within them", async () => {
    const ids = Array.from({ length: 60 }, (_, index) => `${"p".repeat(61)}${index}`);
    const name = "名".repeat(256);
    const world = await openWorld({
      policy: everything,
      catalog: {
        version: "v".repeat(64),
        providers: ids.map((id) => providerOf(id, { headquarters: null, secret: "A_SECRET" })),
        models: [modelOf(name, Object.fromEntries(ids.map((id) => [id, 1])))],
      },
    });
    const { error } = await blockedOf(await world.chat({ model: name }));
    expect(bytesOf(error.message)).toBeLessThanOrEqual(2048);
    expect(error.message).toMatch(/ and \d+ more\. Nothing was sent upstream\. Event evt_/);
    expect(bytesOf(JSON.stringify((await world.events())[0]))).toBeLessThanOrEqual(16 * 1024);
  });
});
