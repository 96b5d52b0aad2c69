// Service accounts: what one signs, where that goes, how long a token serves, and what happens when there is none. Google
// stands behind one fixed address, so the network is replaced; keys, signatures and verdicts are real.
import { jwtVerify } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { indexCatalog } from "../src/catalog/lookup.ts";
import { evaluate, type Rules } from "../src/compliance/evaluate.ts";
import type { Env } from "../src/env.ts";
import { accessToken, signAssertion } from "../src/gateway/google-token.ts";
import type { Admitted } from "../src/gateway/upstream.ts";
import { GivenServiceAccount, type ServiceAccount, TOKEN_URI } from "../src/store/service-account.ts";
import {
  completion,
  newCredentialsKey,
  newServiceAccount,
  replaceNetwork,
  type Sent,
  sealedIn,
} from "./credential-fixtures.ts";
import { modelOf, providerOf } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, type World } from "./world.ts";

const VERTEX =
  "https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}/endpoints/openapi";
const catalog = {
  version: "google",
  providers: [
    providerOf("vertex", {
      secret: "GOOGLE_SERVICE_ACCOUNT",
      apis: { chat_completions: { url: VERTEX, auth: "google-oauth" } },
    }),
    providerOf("leaky", {
      secret: "GOOGLE_SERVICE_ACCOUNT",
      dataPolicy: { ...providerOf("leaky").dataPolicy, trainsOnPrompts: true },
      apis: { chat_completions: { url: VERTEX, auth: "google-oauth" } },
    }),
    providerOf("beta"),
  ],
  models: [modelOf("solo", { vertex: 1 }), modelOf("pair", { vertex: 1, beta: 2 }), modelOf("dirty", { leaky: 1 })],
};

let account: ServiceAccount;
let publicKey: CryptoKey;
beforeAll(async () => {
  ({ account, publicKey } = await newServiceAccount());
});

let journal: Sent[];
let error: MockInstance<typeof console.error>;
const token = (value = "ya29.token", change: Record<string, unknown> = {}) =>
  Response.json({ access_token: value, expires_in: 3599, token_type: "Bearer", ...change });
function answerBy(google: (sent: Sent, signal: AbortSignal) => Response | Promise<Response>): void {
  vi.unstubAllGlobals();
  journal = replaceNetwork((sent, signal) => (sent.url === TOKEN_URI ? google(sent, signal) : completion()));
}
beforeEach(() => {
  error = vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(console, "log").mockImplementation(() => {});
  answerBy(() => token());
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const exchanges = () => journal.filter(({ url }) => url === TOKEN_URI);
const hosts = () => journal.map(({ url }) => new URL(url).hostname);

describe("the assertion", () => {
  it("says who asks, whom, for what, and for no longer than an hour, signed with the account's key", async () => {
    const now = Date.UTC(2026, 10, 25, 12);
    const { payload, protectedHeader } = await jwtVerify(await signAssertion(account, now), publicKey, {
      currentDate: new Date(now),
    });
    expect(protectedHeader).toEqual({ alg: "RS256", typ: "JWT", kid: account.private_key_id });
    expect(payload).toEqual({
      iss: account.client_email,
      aud: "https://oauth2.googleapis.com/token",
      scope: "https://www.googleapis.com/auth/cloud-platform",
      iat: now / 1000,
      exp: now / 1000 + 3600,
    });
  });
});

describe("a service account's JSON", () => {
  it("is kept to what is needed, and may be given as text", () => {
    const whole = { ...account, client_id: "1", auth_uri: "https://x", universe_domain: "googleapis.com" };
    const kept = { ...account, universe_domain: "googleapis.com" };
    expect(GivenServiceAccount.parse(whole)).toEqual(kept);
    expect(GivenServiceAccount.parse(JSON.stringify(whole))).toEqual(kept);
  });

  it.each<[string, string, unknown]>([
    ["another token_uri", "token_uri", "https://evil.example/token"],
    ["a token_uri that only begins like Google's", "token_uri", `${TOKEN_URI}.evil.example`],
    ["a token_uri with something added", "token_uri", `${TOKEN_URI}?x`],
    ["another universe", "universe_domain", "evil.example"],
    ["another kind of credential", "type", "authorized_user"],
    ["no key", "private_key", undefined],
    ["a key that is none", "private_key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
    ["no email address", "client_email", "gateway"],
  ])("with %s is refused, at that field and without its value", (_, field, value) => {
    const { error: refused } = GivenServiceAccount.safeParse({ ...account, [field]: value });
    expect(refused?.issues.map(({ path }) => path.join("."))).toEqual([field]);
    expect(JSON.stringify(refused)).not.toMatch(/evil|authorized_user|AAAA/);
  });

  it("with an RSA key that is too short to be trusted is refused", async () => {
    const { account: weak } = await newServiceAccount({ bits: 1024 });
    expect(GivenServiceAccount.safeParse(weak).success).toBe(false);
  });

  it.each(["", "{", "[]", "null", '"x"'])("that is no JSON object is refused: %j", (text) => {
    expect(GivenServiceAccount.safeParse(text).success).toBe(false);
  });
});

const open = (vars: Record<string, string> = {}) =>
  openWorld({
    policy: policyOf({ requirements: ["no_training"] }),
    catalog,
    vars: {
      SANDBOX_UPSTREAM: "",
      GOOGLE_SERVICE_ACCOUNT: JSON.stringify(account),
      GOOGLE_SERVICE_ACCOUNT_LOCATION: "europe-west4",
      ...vars,
    } as Partial<Env>,
  });

describe("a request", () => {
  it("is sent with the access token, to the account's own project, after one exchange at Google", async () => {
    const world = await open();
    expect((await world.chat({ model: "solo" })).status).toBe(200);
    const [exchange, call] = journal;
    const asked = new URLSearchParams(exchange?.body);
    expect(exchange).toMatchObject({ url: TOKEN_URI, authorization: null });
    expect([...asked.keys()]).toEqual(["grant_type", "assertion"]);
    expect(asked.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    expect((await jwtVerify(asked.get("assertion") ?? "", publicKey)).payload.iss).toBe(account.client_email);
    expect(call).toMatchObject({
      url: "https://europe-west4-aiplatform.googleapis.com/v1/projects/acme-prod/locations/europe-west4/endpoints/openapi/chat/completions",
      authorization: "Bearer ya29.token",
    });
    expect(journal).toHaveLength(2);
  });

  it("uses the organization's own service account before the Worker secret", async () => {
    const own = await newServiceAccount();
    const world = await open({ CREDENTIALS_KEY: newCredentialsKey() });
    const secret = { kind: "service_account", account: { ...own.account, client_email: "own@acme.example" } } as const;
    const variables = { location: "us-east1", project: "acme-own" };
    const place = { org: world.org, provider: "vertex" };
    await world.publish({ credentials: { vertex: sealedIn(world.env, place, secret, variables) } });
    expect((await world.chat({ model: "solo" })).status).toBe(200);
    const assertion = new URLSearchParams(exchanges()[0]?.body).get("assertion") ?? "";
    expect((await jwtVerify(assertion, own.publicKey)).payload.iss).toBe("own@acme.example");
    expect(journal[1]?.url).toContain("https://us-east1-aiplatform.googleapis.com/v1/projects/acme-own/");
  });

  it("that the policy blocks exchanges nothing", async () => {
    const world = await open();
    expect(await errorOf(await world.chat({ model: "dirty" }))).toMatchObject({ code: "provider_compliance_blocked" });
    expect(journal).toEqual([]);
  });

  it("that another provider serves exchanges nothing for those after it", async () => {
    const world = await open({ BETA_API_KEY: "sk-beta" });
    expect((await world.chat({ model: "pair", provider: { order: ["beta"] } })).status).toBe(200);
    expect(hosts()).toEqual(["beta.example"]);
  });

  it("in the sandbox reads no service account and exchanges nothing", async () => {
    const world = await open({ SANDBOX_UPSTREAM: "http://127.0.0.1:9", GOOGLE_SERVICE_ACCOUNT: "malformed" });
    expect((await world.chat({ model: "solo" })).status).toBe(200);
    expect(hosts()).toEqual(["127.0.0.1"]);
    expect(error).not.toHaveBeenCalled();
  });

  it.each<[string, () => string]>([
    ["is malformed", () => "{"],
    ["has a forged token_uri", () => JSON.stringify({ ...account, token_uri: "https://evil.example/token" })],
    ["is an API key", () => "AIza0123456789"],
  ])("finds no candidate where the Worker secret %s, and one line says so without it", async (_, secret) => {
    const world = await open({ GOOGLE_SERVICE_ACCOUNT: secret() });
    for (let times = 0; times < 2; times++)
      expect(await errorOf(await world.chat({ model: "solo" }))).toMatchObject({ code: "no_provider_available" });
    expect(journal).toEqual([]);
    expect(error.mock.calls.map(([line]) => JSON.parse(String(line)))).toEqual([
      { message: "credentials.unreadable", secret: "GOOGLE_SERVICE_ACCOUNT", why: "no Google service account" },
    ]);
  });
});

describe("a token", () => {
  const chatAt = async (world: World, at: number) => {
    vi.setSystemTime(at);
    return (await world.chat({ model: "solo" })).status;
  };

  it("serves until shortly before it expires, and is then exchanged anew", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const start = Date.now();
    const world = await open();
    let issued = 0;
    answerBy(() => token(`ya29.${++issued}`));
    for (const minutes of [0, 30, 54]) expect(await chatAt(world, start + minutes * 60_000)).toBe(200);
    expect(exchanges()).toHaveLength(1);
    expect(await chatAt(world, start + 56 * 60_000)).toBe(200);
    expect(exchanges()).toHaveLength(2);
    expect(journal.at(-1)?.authorization).toBe("Bearer ya29.2");
  });

  it("that cannot be renewed serves on to the minute before its end, and not beyond", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const start = Date.now();
    const world = await open();
    expect(await chatAt(world, start)).toBe(200);
    answerBy(() => new Response("{}", { status: 503 }));
    expect(await chatAt(world, start + 58 * 60_000)).toBe(200);
    expect(await chatAt(world, start + 59.5 * 60_000)).toBe(502);
    expect(hosts().filter((host) => host !== "oauth2.googleapis.com")).toHaveLength(1);
  });

  it("is renewed by one request while the others go on with the old one, none waiting for another's promise", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const start = Date.now();
    const world = await open();
    expect(await chatAt(world, start)).toBe(200);
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    answerBy(async () => {
      await gate;
      return token("ya29.new");
    });
    vi.setSystemTime(start + 56 * 60_000);
    const renewing = world.chat({ model: "solo" });
    await vi.waitFor(() => expect(exchanges()).toHaveLength(1));
    for (let times = 0; times < 3; times++) expect((await world.chat({ model: "solo" })).status).toBe(200);
    expect(exchanges()).toHaveLength(1);
    release();
    expect((await renewing).status).toBe(200);
    expect(journal.at(-1)?.authorization).toBe("Bearer ya29.new");
  });

  it("is not another organization's, although its JSON names the same account and key", async () => {
    const world = await open({ CREDENTIALS_KEY: newCredentialsKey() });
    expect((await world.chat({ model: "solo" })).status).toBe(200);
    const impostor = { ...(await newServiceAccount()).account, client_email: account.client_email };
    const variables = { location: "us-east1", project: "acme-prod" };
    const secret = { kind: "service_account", account: impostor } as const;
    const sealed = sealedIn(world.env, { org: world.org, provider: "vertex" }, secret, variables);
    await world.publish({ revision: 2, credentials: { vertex: sealed } });
    world.restart();
    answerBy(() => Response.json({ error: "invalid_grant" }, { status: 400 }));
    expect((await world.chat({ model: "solo" })).status).toBe(502);
    expect(hosts()).toEqual(["oauth2.googleapis.com"]);
  });
});

describe("an exchange that fails is a failed attempt", () => {
  const failures: [string, (sent: Sent, signal: AbortSignal) => Response | Promise<Response>][] = [
    ["refuses", () => Response.json({ error: "invalid_grant", error_description: "secret text" }, { status: 400 })],
    ["fails", () => new Response("secret text", { status: 500 })],
    ["redirects", () => new Response(null, { status: 307, headers: { location: "https://evil.example/token" } })],
    ["is not reached", () => Promise.reject(new TypeError("secret text"))],
    ["answers no JSON", () => new Response("secret text")],
    ["answers without a token", () => Response.json({ token_type: "Bearer", expires_in: 3599 })],
    ["answers a token that no header can carry", () => token("a\r\nb")],
    ["answers a token of another kind", () => token("t", { token_type: "mac" })],
    ["answers a token without an end", () => token("t", { expires_in: null })],
  ];

  it.each(failures)(
    "where the token endpoint %s: 502 names the provider, and nothing is sent to it",
    async (_, google) => {
      const world = await open();
      answerBy(google);
      const refused = await errorOf(await world.chat({ model: "solo" }));
      expect(refused).toMatchObject({ status: 502, code: "upstream_error" });
      expect(refused.message).toContain("vertex (no access token)");
      expect(refused.message).not.toContain("secret text");
      expect(hosts()).toEqual(["oauth2.googleapis.com"]);
    },
  );

  it.each(failures)(
    "where the token endpoint %s: the next admitted provider serves, and health remembers",
    async (_, google) => {
      const world = await open({ BETA_API_KEY: "sk-beta" });
      answerBy(google);
      for (let times = 0; times < 3; times++)
        expect((await world.chat({ model: "pair" })).headers.get("portcullis-provider")).toBe("beta");
      // Twice in vain; then it rests.
      expect(exchanges()).toHaveLength(2);
    },
  );

  it("where it hangs: a time-out ends it", async () => {
    const timeout = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => AbortSignal.abort());
    const world = await open({ BETA_API_KEY: "sk-beta" });
    answerBy(
      (_, signal) =>
        new Promise((__, reject) => {
          if (signal.aborted) reject(signal.reason);
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    );
    expect((await world.chat({ model: "pair" })).headers.get("portcullis-provider")).toBe("beta");
    expect(timeout.mock.calls[0]?.[0]).toBeLessThanOrEqual(10_000);
  });

  it("where the client goes away meanwhile: it is aborted, and nothing is sent", async () => {
    const world = await open();
    const gone = new AbortController();
    answerBy(
      (_, signal) =>
        new Promise((__, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          gone.abort();
        }),
    );
    await world.chat({ model: "solo" }, { signal: gone.signal }).catch(() => undefined);
    expect(hosts()).toEqual(["oauth2.googleapis.com"]);
  });
});

describe("the door of the token exchange", () => {
  const { candidates } = indexCatalog(catalog);
  const candidateOf = (model: string) => candidates.get(model)?.[0] as Admitted["candidate"];
  const judged = (model: string, rules: Rules, now = Date.now()) => {
    const candidate = candidateOf(model);
    const { provider, mapping } = candidate;
    return evaluate(rules, { provider, model: { id: model, mapping }, now });
  };
  const open: Rules = { policies: [], requirements: [] };
  const alive = new AbortController().signal;

  it("opens to a passing verdict", async () => {
    const admitted = { candidate: candidateOf("solo"), verdict: judged("solo", open) } as Admitted;
    expect(await accessToken(admitted, { ...account }, alive)).toBe("ya29.token");
  });

  it.each<[string, unknown]>([
    ["no verdict", undefined],
    ["a failing verdict", judged("dirty", { policies: [], requirements: ["no_training"] })],
    ["another provider's", judged("dirty", open)],
    ["a verdict written by hand", { provider: "vertex", model: "solo", allowed: true, failures: [], validUntil: 9e15 }],
    ["a copy of a passing verdict", { ...judged("solo", open) }],
  ])("stays shut to %s, and Google is not called", async (_, verdict) => {
    const admitted = { candidate: candidateOf("solo"), verdict } as Admitted;
    await expect(accessToken(admitted, { ...account }, alive)).rejects.toMatchObject({
      refusal: { code: "policy_unavailable" },
    });
    expect(journal).toEqual([]);
  });

  it("does not compile without one (`npm run check`; these lines never run)", () => {
    const compiles = (candidate: Admitted["candidate"]): void => {
      // @ts-expect-error no verdict
      void accessToken({ candidate }, account, alive);
      // @ts-expect-error a verdict written by hand
      void accessToken({ candidate, verdict: { allowed: true } }, account, alive);
    };
    expect(compiles).toBeTypeOf("function");
  });
});
