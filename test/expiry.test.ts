// What holds until a date stops holding on that date, whatever is remembered and whatever is under way.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Catalog, Provider } from "../src/catalog/schema.ts";
import { endOfDay } from "../src/compliance/facts.ts";
import { modelOf, providerOf } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, readingBy, type World } from "./world.ts";

const LAST_DAY = "2030-06-30";
const noTraining = policyOf({ requirements: ["no_training"] });

const trainsOnPrompts: Provider["evidence"]["trainsOnPrompts"] = {
  source: "https://example.com/terms",
  publisher: "provider",
  checkedAt: "2030-01-01",
  confidence: "high",
  validUntil: LAST_DAY,
};
const catalog: Catalog = {
  version: "expiring",
  providers: [
    providerOf("steady"),
    providerOf("expiring", { evidence: { trainsOnPrompts } }),
    providerOf("aging", { evidence: { trainsOnPrompts } }),
  ],
  models: [
    modelOf("solo", { expiring: 1 }),
    modelOf("chain", { steady: 1, expiring: 2, aging: 3 }),
    modelOf("leaving", { steady: { deactivatedAt: "2030-07-01" } }),
  ],
};
const statusOf = async (world: World, model: string) => (await world.chat({ model })).status;

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  vi.useFakeTimers({ toFake: ["Date"], now: endOfDay(LAST_DAY) - 2 });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("a fact that expires blocks on time, between two requests that read nothing anew", async () => {
  const world = await openWorld({ policy: noTraining, catalog });
  let reads = 0;
  const CONFIG = readingBy(world.env.CONFIG, (_, read) => {
    reads++;
    return read();
  });
  world.restart({ CONFIG });
  expect(await statusOf(world, "solo")).toBe(200);
  reads = 0;
  vi.setSystemTime(endOfDay(LAST_DAY) - 1);
  expect(await statusOf(world, "solo")).toBe(200);
  vi.setSystemTime(endOfDay(LAST_DAY));
  expect(await errorOf(await world.chat({ model: "solo" }))).toMatchObject({
    status: 403,
    details: { providers: [{ id: "expiring", failures: [{ code: "no_training", found: `expired ${LAST_DAY}` }] }] },
  });
  expect(await (await world.call("/v1/models/solo")).json()).toMatchObject({ error: { code: "model_not_found" } });
  expect(reads).toBe(0);
  expect(await world.called()).toHaveLength(2);
});

it("a fact that expires while an earlier attempt is failing keeps the fallback away", async () => {
  const world = await openWorld({ policy: noTraining, catalog, vars: { UPSTREAM_HEADERS_TIMEOUT_SECONDS: "0.5" } });
  await world.behave("steady", { kind: "hang" });
  const { response } = world.begin("/v1/chat/completions", { method: "POST", body: '{"model":"chain"}' });
  await vi.waitFor(async () => expect(await world.called()).toEqual(["steady"]));
  vi.setSystemTime(endOfDay(LAST_DAY));
  expect((await response).status).toBe(504);
  expect(await world.called()).toEqual(["steady"]);
});

it("a provider serves a model until the UTC day it deactivates it", async () => {
  const world = await openWorld({ policy: noTraining, catalog });
  vi.setSystemTime(Date.parse("2030-06-30T23:59:59.999Z"));
  expect(await statusOf(world, "leaving")).toBe(200);
  vi.setSystemTime(Date.parse("2030-07-01T00:00:00Z"));
  expect(await errorOf(await world.chat({ model: "leaving" }))).toMatchObject({ status: 404, code: "model_retired" });
});
