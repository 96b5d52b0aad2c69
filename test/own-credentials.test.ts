// An organization's own provider keys on the way of a request: they come first, they stay that organization's, and what
// cannot be opened closes the provider instead of falling back to the Worker secret.
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import type { Env } from "../src/env.ts";
import type { SealedCredential } from "../src/store/provider-credentials.ts";
import { kvKeys } from "../src/store/records.ts";
import { firstRecord } from "../src/store/revisions.ts";
import { API_KEY_PREFIX, hashSecret, newSecret } from "../src/store/secrets.ts";
import {
  completion,
  newCredentialsKey,
  newServiceAccount,
  replaceNetwork,
  type Sent,
  sealedIn,
} from "./credential-fixtures.ts";
import { modelOf, providerOf } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, readingBy, type World } from "./world.ts";

const OWN = "sk-own-0123456789abcdef";
const SHARED = "sk-shared-0123456789abcdef";
const catalog = {
  version: "own",
  providers: [
    providerOf("alpha"),
    providerOf("beta"),
    providerOf("leaky", { dataPolicy: { ...providerOf("leaky").dataPolicy, trainsOnPrompts: true } }),
    providerOf("regional", {
      apis: { chat_completions: { url: "https://{region}.regional.example/v1", auth: "bearer" } },
    }),
    providerOf("constructor"),
  ],
  models: [
    modelOf("mix", { alpha: 1, beta: 2 }),
    modelOf("solo", { alpha: 1 }),
    modelOf("dirty", { leaky: 1 }),
    modelOf("local", { regional: 1 }),
    modelOf("odd", { constructor: 1 }),
  ],
};

let error: MockInstance<typeof console.error>;
let journal: Sent[];
beforeEach(() => {
  error = vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(console, "log").mockImplementation(() => {});
  journal = replaceNetwork(completion);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const open = (vars: Record<string, string> = {}) =>
  openWorld({
    policy: policyOf({ requirements: ["no_training"] }),
    catalog,
    vars: { SANDBOX_UPSTREAM: "", CREDENTIALS_KEY: newCredentialsKey(), ...vars } as Partial<Env>,
  });

/** Gives the world's organization these credentials; a text is a key that is sealed for it. */
async function hold(world: World, held: Record<string, SealedCredential | string>): Promise<void> {
  const credentials = Object.fromEntries(
    Object.entries(held).map(([provider, each]) => [
      provider,
      typeof each === "string" ? sealedIn(world.env, { org: world.org, provider }, each) : each,
    ]),
  );
  await world.publish({ credentials });
  world.restart();
}

const sentTo = () => journal.map(({ url, authorization }) => [new URL(url).hostname, authorization]);
const unreadable = () => error.mock.calls.map(([line]) => JSON.parse(String(line)));

describe("an organization's own key", () => {
  it("comes before the Worker secret", async () => {
    const world = await open({ ALPHA_API_KEY: SHARED });
    await hold(world, { alpha: OWN });
    expect((await world.chat({ model: "solo" })).status).toBe(200);
    expect(sentTo()).toEqual([["alpha.example", `Bearer ${OWN}`]]);
  });

  it("makes a provider a candidate that has no Worker secret, and leaves the others to theirs", async () => {
    const world = await open({ BETA_API_KEY: SHARED });
    await hold(world, { alpha: OWN });
    await world.chat({ model: "alpha/mix" });
    await world.chat({ model: "beta/mix" });
    expect(sentTo()).toEqual([
      ["alpha.example", `Bearer ${OWN}`],
      ["beta.example", `Bearer ${SHARED}`],
    ]);
  });

  it("does not let a provider past the policy", async () => {
    const world = await open();
    await hold(world, { leaky: OWN });
    expect(await errorOf(await world.chat({ model: "dirty" }))).toMatchObject({ code: "provider_compliance_blocked" });
    expect(journal).toEqual([]);
  });

  it("is another organization's for nobody: theirs is the Worker secret, or none", async () => {
    const world = await open();
    await hold(world, { alpha: OWN });
    const other = await open({ CREDENTIALS_KEY: world.env.CREDENTIALS_KEY ?? "" });
    expect(await errorOf(await other.chat({ model: "solo" }))).toMatchObject({ code: "no_provider_available" });
    expect(journal).toEqual([]);
  });

  it("is opened once for a revision, not once for a request", async () => {
    const world = await open();
    await hold(world, { alpha: OWN });
    const decoding = vi.spyOn(Buffer, "from");
    const opened = () => decoding.mock.calls.filter(([, encoding]) => (encoding as unknown) === "base64").length;
    await world.chat({ model: "solo" });
    const first = opened();
    await world.chat({ model: "solo" });
    expect(first).toBeGreaterThan(0);
    expect(opened()).toBe(first);
    expect(sentTo()).toHaveLength(2);
  });

  it("that is removed between two attempts of one request is not used for the second", async () => {
    const world = await open({ CONFIG_TTL_SECONDS: "0.001", BETA_API_KEY: SHARED });
    await hold(world, { alpha: OWN, beta: OWN });
    vi.unstubAllGlobals();
    journal = replaceNetwork(async ({ url }) => {
      if (!url.includes("alpha")) return completion();
      await world.publish({ revision: 2, credentials: {} });
      await new Promise((resolve) => setTimeout(resolve, 5));
      return new Response("{}", { status: 500 });
    });
    expect((await world.chat({ model: "mix" })).status).toBe(200);
    expect(sentTo()).toEqual([
      ["alpha.example", `Bearer ${OWN}`],
      ["beta.example", `Bearer ${SHARED}`],
    ]);
  });

  it("cannot be confused with what every object inherits", async () => {
    const world = await open({ CONSTRUCTOR_API_KEY: SHARED });
    expect((await world.chat({ model: "odd" })).status).toBe(200);
    expect(sentTo()).toEqual([["constructor.example", `Bearer ${SHARED}`]]);
  });

  it("is neither read nor sent while the sandbox is on", async () => {
    const world = await open({ SANDBOX_UPSTREAM: "http://127.0.0.1:9" });
    await hold(world, { alpha: OWN });
    world.restart({ CREDENTIALS_KEY: "malformed" });
    await world.chat({ model: "solo" });
    expect(sentTo()).toEqual([["127.0.0.1", "Bearer sandbox"]]);
    expect(error).not.toHaveBeenCalled();
  });
});

describe("an own key that cannot be opened closes the provider, and never becomes the Worker secret's", () => {
  const cases: { name: string; forge: (world: World, sealed: SealedCredential) => SealedCredential; why: string }[] = [
    {
      name: "its encryption key is lost",
      forge: (world, sealed) => {
        world.restart({ CREDENTIALS_KEY: newCredentialsKey() });
        return sealed;
      },
      why: "unknown key",
    },
    {
      name: "CREDENTIALS_KEY is not set any more",
      forge: (world, sealed) => {
        world.restart({ CREDENTIALS_KEY: "" });
        return sealed;
      },
      why: "unknown key",
    },
    {
      name: "CREDENTIALS_KEY is malformed",
      forge: (world, sealed) => {
        world.restart({ CREDENTIALS_KEY: "not base64" });
        return sealed;
      },
      why: "unknown key; CREDENTIALS_KEY must be 32 bytes in base64",
    },
    {
      name: "it was moved here from another organization",
      forge: (world) => sealedIn(world.env, { org: "other", provider: "alpha" }, OWN),
      why: "not authentic",
    },
    {
      name: "it was moved here from another provider",
      forge: (world) => sealedIn(world.env, { org: world.org, provider: "beta" }, OWN),
      why: "not authentic",
    },
    {
      name: "its ciphertext was changed",
      forge: (_, { sealed, ...rest }) => ({ ...rest, sealed: { ...sealed, data: `AAAA${sealed.data.slice(4)}` } }),
      why: "not authentic",
    },
    {
      name: "its kind was changed",
      forge: (_, sealed) => ({ ...sealed, kind: "service_account" }),
      why: "not authentic",
    },
    {
      name: "what it holds could break out of a header",
      forge: (world) => sealedIn(world.env, { org: world.org, provider: "alpha" }, `${OWN}\r\nx: y`),
      why: "not a credential",
    },
  ];
  it.each(cases)("$name", async ({ forge, why }) => {
    const world = await open({ ALPHA_API_KEY: SHARED });
    const sealed = sealedIn(world.env, { org: world.org, provider: "alpha" }, OWN);
    await hold(world, { alpha: forge(world, sealed) });
    const refused = await errorOf(await world.chat({ model: "solo" }));
    expect(refused).toMatchObject({ status: 503, code: "no_provider_available" });
    await world.chat({ model: "solo" });
    expect(journal).toEqual([]);
    const { org } = world;
    expect(unreadable()).toEqual([
      {
        message: "credentials.unreadable",
        org,
        provider: "alpha",
        key_id: expect.stringMatching(/^[0-9a-f]{8}$/),
        why,
      },
    ]);
    expect(JSON.stringify(error.mock.calls)).not.toMatch(/sk-own|sk-shared/);
  });

  it("nor a service account where the provider takes a key: its JSON is sent to nobody", async () => {
    const world = await open({ ALPHA_API_KEY: SHARED });
    const { account } = await newServiceAccount();
    const place = { org: world.org, provider: "alpha" };
    await hold(world, { alpha: sealedIn(world.env, place, { kind: "service_account", account }) });
    expect(await errorOf(await world.chat({ model: "solo" }))).toMatchObject({ code: "no_provider_available" });
    expect(journal).toEqual([]);
  });

  it("while another admitted provider still serves", async () => {
    const world = await open({ ALPHA_API_KEY: SHARED, BETA_API_KEY: SHARED });
    await hold(world, { alpha: sealedIn(world.env, { org: "other", provider: "alpha" }, OWN) });
    expect((await world.chat({ model: "mix" })).status).toBe(200);
    expect(sentTo()).toEqual([["beta.example", `Bearer ${SHARED}`]]);
  });

  it("and organizations without keys of their own are served although CREDENTIALS_KEY is malformed", async () => {
    const world = await open({ CREDENTIALS_KEY: "malformed", CREDENTIALS_KEY_PREVIOUS: "too", ALPHA_API_KEY: SHARED });
    expect((await world.chat({ model: "solo" })).status).toBe(200);
    expect(error).not.toHaveBeenCalled();
  });

  it("and a record whose seal has another shape shuts the organization's gateway whole", async () => {
    const world = await open({ ALPHA_API_KEY: SHARED });
    const { sealed, ...rest } = sealedIn(world.env, { org: world.org, provider: "alpha" }, OWN);
    for (const wrong of [
      { ...sealed, iv: "AAAA" },
      { ...sealed, key_id: "x" },
      { ...sealed, algorithm: "none" },
    ]) {
      await hold(world, { alpha: { ...rest, sealed: wrong } });
      expect(await errorOf(await world.chat({ model: "solo" }))).toMatchObject({ code: "policy_unavailable" });
    }
    expect(journal).toEqual([]);
  });
});

it("an earlier encryption key opens what it sealed for as long as it is listed", async () => {
  const world = await open();
  const sealed = sealedIn(world.env, { org: world.org, provider: "alpha" }, OWN);
  world.restart({
    CREDENTIALS_KEY: newCredentialsKey(),
    CREDENTIALS_KEY_PREVIOUS: `${newCredentialsKey()}, ${world.env.CREDENTIALS_KEY}`,
  });
  await hold(world, { alpha: sealed });
  await world.chat({ model: "solo" });
  expect(sentTo()).toEqual([["alpha.example", `Bearer ${OWN}`]]);
});

describe("bypass 9: a variable of a base URL cannot lead the request elsewhere", () => {
  const values = ["evil.example/", "evil.example#", "x@evil.example", "..", "evil.example", "a/../b", "a?b", "a:1", ""];

  it.each(values)("in the Worker secret: %j", async (region) => {
    const world = await open({ REGIONAL_API_KEY: SHARED, REGIONAL_API_KEY_REGION: region });
    expect(await errorOf(await world.chat({ model: "local" }))).toMatchObject({ code: "no_provider_available" });
    expect(journal).toEqual([]);
  });

  it.each(values)("in the organization's credential, sealed with the right key: %j", async (region) => {
    const world = await open({ REGIONAL_API_KEY: SHARED, REGIONAL_API_KEY_REGION: "eu" });
    await hold(world, { regional: sealedIn(world.env, { org: world.org, provider: "regional" }, OWN, { region }) });
    expect(await errorOf(await world.chat({ model: "local" }))).toMatchObject({ code: "no_provider_available" });
    expect(journal).toEqual([]);
  });

  it("in the organization's credential, changed after it was sealed although it is a label", async () => {
    const world = await open({ REGIONAL_API_KEY: SHARED, REGIONAL_API_KEY_REGION: "eu" });
    const sealed = sealedIn(world.env, { org: world.org, provider: "regional" }, OWN, { region: "eu" });
    await hold(world, { regional: { ...sealed, variables: { region: "evil" } } });
    expect(await errorOf(await world.chat({ model: "local" }))).toMatchObject({ code: "no_provider_available" });
    expect(journal).toEqual([]);
  });

  it("and one that is missing is not taken from the Worker's variables", async () => {
    const world = await open({ REGIONAL_API_KEY: SHARED, REGIONAL_API_KEY_REGION: "eu" });
    await hold(world, { regional: OWN });
    expect(await errorOf(await world.chat({ model: "local" }))).toMatchObject({ code: "no_provider_available" });
    expect(journal).toEqual([]);
  });

  it("while a label is put where it belongs", async () => {
    const world = await open();
    await hold(world, {
      regional: sealedIn(world.env, { org: world.org, provider: "regional" }, OWN, { region: "eu" }),
    });
    await world.chat({ model: "local" });
    expect(sentTo()).toEqual([["eu.regional.example", `Bearer ${OWN}`]]);
  });
});

describe("health", () => {
  it("one organization's exhausted key demotes nobody else's", async () => {
    const world = await open({ ALPHA_API_KEY: SHARED, BETA_API_KEY: SHARED });
    await hold(world, { alpha: OWN });
    // A second organization, on the same isolate.
    const key = newSecret(API_KEY_PREFIX);
    const org = `${world.org}-b`;
    const record = {
      ...firstRecord(org),
      credentials: { alpha: sealedIn(world.env, { org, provider: "alpha" }, `${OWN}b`) },
    };
    await world.env.CONFIG.put(kvKeys.org(org), JSON.stringify(record));
    const keyRecord = { schema: 1, org, project: "web", key_id: "key_2", expires_at: null };
    await world.env.CONFIG.put(kvKeys.key(hashSecret(key)), JSON.stringify(keyRecord));
    vi.unstubAllGlobals();
    journal = replaceNetwork(({ authorization }) =>
      authorization === `Bearer ${OWN}` ? new Response("{}", { status: 429 }) : completion(),
    );
    const chat = (headers = {}) => world.chat({ model: "mix" }, { headers });
    for (let times = 0; times < 3; times++) await chat();
    journal.length = 0;

    // Its own traffic goes to beta first now; the other organization's stays where it was.
    expect((await chat()).headers.get("portcullis-provider")).toBe("beta");
    expect(sentTo()).toEqual([["beta.example", `Bearer ${SHARED}`]]);
    const others = await chat({ authorization: `Bearer ${key}` });
    expect(others.headers.get("portcullis-provider")).toBe("alpha");
    expect(sentTo().at(-1)).toEqual(["alpha.example", `Bearer ${OWN}b`]);
  });

  it("an own key's failures do not demote the Worker secret either", async () => {
    const world = await open({ CONFIG_TTL_SECONDS: "0.001", ALPHA_API_KEY: SHARED, BETA_API_KEY: SHARED });
    await hold(world, { alpha: OWN });
    vi.unstubAllGlobals();
    journal = replaceNetwork(({ authorization }) =>
      authorization === `Bearer ${OWN}` ? new Response("{}", { status: 401 }) : completion(),
    );
    for (let times = 0; times < 3; times++) await world.chat({ model: "mix" });
    expect((await world.chat({ model: "mix" })).headers.get("portcullis-provider")).toBe("beta");
    expect(sentTo().at(-2)).not.toEqual(["alpha.example", `Bearer ${OWN}`]);
    await world.publish({ revision: 2, credentials: {} });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await world.chat({ model: "mix" })).headers.get("portcullis-provider")).toBe("alpha");
  });
});

it("503 names the compliant providers that lack a key, those with an unreadable one of the organization's own too", async () => {
  const world = await open();
  await hold(world, { alpha: sealedIn(world.env, { org: "other", provider: "alpha" }, OWN) });
  const refused = await errorOf(await world.chat({ model: "mix" }));
  expect(refused).toMatchObject({ status: 503, code: "no_provider_available" });
  expect(refused.message).toMatch(/alpha, beta/);
  expect(refused.message).toMatch(/own key/);
  expect(refused.message).toMatch(/Worker secret/);
});

it("KV that fails after a key was read keeps the copy's credentials, not the Worker secret's", async () => {
  const world = await open({ CONFIG_TTL_SECONDS: "0.001", ALPHA_API_KEY: SHARED });
  await hold(world, { alpha: OWN });
  await world.chat({ model: "solo" });
  world.env.CONFIG = readingBy(world.env.CONFIG, () => Promise.reject(new Error("it is down")));
  await world.chat({ model: "solo" });
  expect(sentTo()).toEqual([
    ["alpha.example", `Bearer ${OWN}`],
    ["alpha.example", `Bearer ${OWN}`],
  ]);
});
