// Whose request it is: one valid API key, in either header, and nothing else.
import { describe, expect, it, vi } from "vitest";
import { kvKeys } from "../src/store/records.ts";
import { ADMIN_TOKEN_PREFIX, API_KEY_PREFIX, hashSecret, newSecret } from "../src/store/secrets.ts";
import { smallCatalog } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, readingBy, type World } from "./world.ts";

const open = () => openWorld({ catalog: smallCatalog });
const chatWith = (world: World, headers: Record<string, string>) => world.chat({ model: "mix" }, { headers });

const putKey = (world: World, key: string, change: Record<string, unknown>) =>
  world.env.CONFIG.put(
    kvKeys.key(hashSecret(key)),
    JSON.stringify({ schema: 1, org: world.org, project: "web", key_id: "key_2", expires_at: null, ...change }),
  );

describe("a valid key", () => {
  it.each<[string, (key: string) => Record<string, string>]>([
    ["as a bearer token", (key) => ({ authorization: `Bearer ${key}` })],
    ["with the scheme in lower case", (key) => ({ authorization: `bearer ${key}` })],
    ["as x-api-key", (key) => ({ "x-api-key": key })],
    ["the same in both headers", (key) => ({ authorization: `Bearer ${key}`, "x-api-key": key })],
  ])("is accepted %s", async (_, headers) => {
    const world = await open();
    expect((await chatWith(world, headers(world.key))).status).toBe(200);
    expect((await world.call("/v1/models", { headers: headers(world.key) })).status).toBe(200);
  });

  it("is never sent to a provider", async () => {
    const world = await open();
    await chatWith(world, { authorization: `Bearer ${world.key}`, "x-api-key": world.key });
    expect(JSON.stringify(await world.journal())).not.toContain(world.key);
  });
});

describe("401 invalid_api_key", () => {
  const flipped = (key: string) => key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
  it.each<[string, (key: string) => Record<string, string>]>([
    ["an empty bearer token", () => ({ authorization: "Bearer " })],
    ["another scheme", (key) => ({ authorization: `Basic ${btoa(`${key}:`)}` })],
    ["a key without a scheme", (key) => ({ authorization: key })],
    ["junk", () => ({ authorization: "Bearer sk-proj-0123456789" })],
    ["a mistyped key", (key) => ({ authorization: `Bearer ${flipped(key)}` })],
    ["half a key", (key) => ({ "x-api-key": key.slice(0, 30) })],
    ["two keys in one header", (key) => ({ authorization: `Bearer ${key} ${key}` })],
    ["an admin token", () => ({ authorization: `Bearer ${newSecret(ADMIN_TOKEN_PREFIX)}` })],
    ["a well-formed key that was never issued", () => ({ authorization: `Bearer ${newSecret(API_KEY_PREFIX)}` })],
    ["two different keys", (key) => ({ authorization: `Bearer ${key}`, "x-api-key": newSecret(API_KEY_PREFIX) })],
    ["a valid key beside junk", (key) => ({ authorization: `Bearer ${key}`, "x-api-key": "junk" })],
    ["a valid x-api-key beside another scheme", (key) => ({ authorization: "Basic eDp5", "x-api-key": key })],
  ])("%s", async (_, headers) => {
    const world = await open();
    expect(await errorOf(await chatWith(world, headers(world.key)))).toMatchObject({
      status: 401,
      type: "authentication_error",
      code: "invalid_api_key",
      param: null,
    });
    expect(await world.called()).toEqual([]);
  });

  it("without any key", async () => {
    const world = await open();
    const response = await world.begin("/v1/chat/completions", {
      method: "POST",
      headers: { authorization: "" },
      body: JSON.stringify({ model: "mix" }),
    }).response;
    expect(response.status).toBe(401);
  });

  it("comes before anything is said about the body", async () => {
    const world = await open();
    const response = await world.call("/v1/chat/completions", {
      method: "POST",
      headers: { authorization: "Bearer junk" },
      body: "{not json",
    });
    expect(response.status).toBe(401);
  });

  it("says which credential an admin token is not", async () => {
    const world = await open();
    const response = await chatWith(world, { authorization: `Bearer ${newSecret(ADMIN_TOKEN_PREFIX)}` });
    expect((await errorOf(response)).message).toContain("admin token");
  });

  it("never repeats what was presented", async () => {
    const world = await open();
    const presented = newSecret(API_KEY_PREFIX);
    expect(await (await chatWith(world, { "x-api-key": presented })).text()).not.toContain(presented);
  });
});

it("junk costs no look-up", async () => {
  const world = await open();
  const get = vi.fn((_: string, read: () => Promise<string | null>) => read());
  world.restart({ CONFIG: readingBy(world.env.CONFIG, get) });
  for (const junk of ["junk", `${API_KEY_PREFIX}${"x".repeat(51)}`, newSecret(ADMIN_TOKEN_PREFIX)])
    expect((await chatWith(world, { "x-api-key": junk })).status).toBe(401);
  expect(get).not.toHaveBeenCalled();
});

it("a key is refused from the moment it expires", async () => {
  const world = await open();
  const key = newSecret(API_KEY_PREFIX);
  const expiry = Date.now() + 60_000;
  await putKey(world, key, { expires_at: new Date(expiry).toISOString() });
  vi.useFakeTimers({ toFake: ["Date"], now: expiry - 1 });
  try {
    expect((await chatWith(world, { "x-api-key": key })).status).toBe(200);
    vi.setSystemTime(expiry);
    expect((await chatWith(world, { "x-api-key": key })).status).toBe(401);
  } finally {
    vi.useRealTimers();
  }
});

it("a key of another organization sees that organization's policy, not this one's", async () => {
  const [strict, mild] = [await open(), await open()];
  await strict.publish({ policy: policyOf({ headquarters: ["FR"] }) });
  expect((await chatWith(strict, { "x-api-key": strict.key })).status).toBe(403);
  expect((await chatWith(strict, { "x-api-key": mild.key })).status).toBe(200);
});
