// How the real providers are called: every mapping and API of the shipped catalog as its exact URL and headers, in
// golden/upstream.txt (`npm test -- golden -u` writes it anew; read the difference). And with what credentials.
import { describe, expect, it, vi } from "vitest";
import { variablesOf } from "../src/catalog/base-url.ts";
import type { ApiId, Endpoint, Provider } from "../src/catalog/schema.ts";
import { type Env, readSettings, type Settings } from "../src/env.ts";
import { type Credential, credentialFor, type ReadyCredential } from "../src/gateway/credentials.ts";
import { SURFACES } from "../src/gateway/surfaces.ts";
import { type UpstreamTarget, upstreamHeaders, upstreamUrl } from "../src/gateway/upstream-request.ts";
import { firstRecord } from "../src/store/revisions.ts";
import { newServiceAccount } from "./credential-fixtures.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { providerOf } from "./small-catalog.ts";

/** What stands behind a provider's base URL, as the APIs' own documentation has it. */
const PATHS: Record<ApiId, string> = {
  chat_completions: "/chat/completions",
  responses: "/responses",
  embeddings: "/embeddings",
  messages: "/messages",
  completions: "/completions",
  moderations: "/moderations",
  rerank: "/rerank",
  images_generations: "/images/generations",
  images_edits: "/images/edits",
  audio_speech: "/audio/speech",
  audio_transcriptions: "/audio/transcriptions",
  audio_translations: "/audio/translations",
};

it.each(SURFACES)("the surface $path is called by that path at a provider too", ({ path, api }) => {
  expect([PATHS[api], `${PATHS[api]}/count_tokens`]).toContain(path);
});

const envOf = (variables: Record<string, unknown>) => variables as unknown as Env;
function settingsOf(variables: Record<string, string> = {}): Settings {
  const read = readSettings(envOf(variables));
  if (!read.ok) throw new Error(read.problem);
  return read.settings;
}

const { account } = await newServiceAccount();
/** An organization without keys of its own. */
const org = firstRecord("acme");

/** Every secret set to its own name, every variable to an example; the service account is a real one. */
const fullEnv = envOf({
  ...Object.fromEntries(
    shippedCatalog.providers.flatMap(({ secret, apis }) => [
      [secret, `<${secret}>`],
      ...Object.values(apis).flatMap(({ url }) =>
        variablesOf(url).map((name) => [`${secret}_${name.toUpperCase()}`, `example-${name}`]),
      ),
    ]),
  ),
  GOOGLE_SERVICE_ACCOUNT: JSON.stringify(account),
});

/** A credential as a request carries it: of a service account, the access token that it is exchanged for. */
function readied(credential: Credential, name: string): ReadyCredential {
  if (credential.kind !== "service_account") return credential;
  return { kind: "secret", id: credential.id, secret: `<${name}>`, variables: credential.variables };
}

/** What the gateway says the body is: the content type of what it judged. */
const contentTypeOf = (api: ApiId) =>
  SURFACES.some((surface) => surface.api === api && surface.body !== "json")
    ? "multipart/form-data; boundary=new"
    : "application/json";

/** All that a client may say, and then some. */
const clientHeaders = new Headers({
  "content-type": "text/x-client",
  accept: "text/event-stream",
  "anthropic-version": "2023-06-01",
  "anthropic-beta": "a-beta",
  "openai-beta": "o-beta",
  authorization: "Bearer pcl_client",
  "x-api-key": "pcl_client",
  "api-key": "pcl_client",
  "x-test-id": "client",
  "user-agent": "client/1.0",
  cookie: "a=1",
  origin: "https://client.example",
  "x-forwarded-for": "203.0.113.7",
  "cf-connecting-ip": "203.0.113.7",
  "x-stainless-os": "Linux",
  "openai-organization": "org-client",
  "x-client-request-id": "r1",
  "accept-encoding": "gzip",
});

/** An API of a provider: how it is called, and what each model is called there. */
function section({ id, apis, secret }: Provider, [api, endpoint]: [keyof Provider["apis"], Endpoint]): string {
  const holder = { env: fullEnv, settings: settingsOf(), org };
  const credential = credentialFor(providerOf(id, { apis, secret }), endpoint, holder);
  const served = shippedCatalog.models.flatMap((model) =>
    model.providers
      .filter((mapping) => mapping.provider === id && mapping.apis.includes(api))
      .map((mapping) => `  ${model.id} = ${mapping.model}`),
  );
  if (!credential) throw new Error(`no credential for ${id}`);
  const target = { provider: id, path: PATHS[api], endpoint, credential: readied(credential, secret) };
  const call = [
    `POST ${upstreamUrl(target, "?q=1")}`,
    ...[...new Headers(upstreamHeaders(target, clientHeaders, contentTypeOf(api)))].map((pair) => pair.join(": ")),
  ];
  return [`${id} ${api}`, ...call.map((line) => `  ${line}`), ...served].join("\n");
}

describe("every mapping of the shipped catalog, by every API it answers", () => {
  const sections = shippedCatalog.providers.flatMap((provider) =>
    Object.entries(provider.apis).map((api) => section(provider, api as [keyof Provider["apis"], Endpoint])),
  );
  const table = `${sections.join("\n\n")}\n`;

  it("is called at exactly this URL, with exactly these headers", async () => {
    await expect(table).toMatchFileSnapshot("golden/upstream.txt");
  });

  it("stands in the table, once", () => {
    const pairs = shippedCatalog.models.flatMap(({ providers }) => providers.flatMap(({ apis }) => apis));
    expect(table.match(/^ {2}\S+ = /gm)).toHaveLength(pairs.length);
  });

  it("carries nothing of the client's but what is on the list", () => {
    expect(table).not.toMatch(/pcl_client|client\/1\.0|x-client|203\.0\.113\.7|org-client|client\.example/);
    expect(table).not.toMatch(/POST .*[{}]/);
  });

  it("carries no secret but that provider's own, to nobody but a host over TLS", () => {
    for (const [at, provider] of shippedCatalog.providers
      .flatMap((each) => Object.keys(each.apis).map(() => each))
      .entries()) {
      const secrets = [...(sections[at] ?? "").matchAll(/<(\w+)>/g)].map(([, name]) => name);
      expect(secrets).toEqual([provider.secret]);
      for (const [url] of sections[at]?.matchAll(/POST .*/g) ?? [])
        expect(url).toMatch(/^POST https:\/\/[a-z0-9.-]+\//);
    }
  });
});

describe("credentials", () => {
  const endpoint: Endpoint = { url: "https://{resource}.example/v1/{resource}", auth: "bearer" };
  const acme = providerOf("acme", { apis: { chat_completions: endpoint } });
  const plain: Endpoint = { url: "https://acme.example/v1", auth: "bearer" };
  const credential = (variables: Record<string, unknown>, of: Endpoint = endpoint) =>
    credentialFor(acme, of, { env: envOf(variables), settings: settingsOf(), org });

  it.each(["r", "my-resource-1", "R2", "a".repeat(63)])("a variable may be one label, such as %j", (value) => {
    const found = credential({ ACME_API_KEY: "s3cret", ACME_API_KEY_RESOURCE: value }) as ReadyCredential;
    const target: UpstreamTarget = { provider: "acme", path: "/chat/completions", endpoint, credential: found };
    expect(found).toEqual({ kind: "secret", id: "ACME_API_KEY", secret: "s3cret", variables: { resource: value } });
    expect(upstreamUrl(target, "")).toBe(`https://${value}.example/v1/${value}/chat/completions`);
  });

  it.each(
    [
      "",
      " ",
      "a/b",
      "a#",
      "a?b",
      "a@b",
      "a:b",
      "..",
      ".",
      "a.b",
      "evil.com/",
      "a\\b",
      "%2e",
      "-a",
      "a-",
      "a b",
      "a\n",
    ].concat(["é", "{resource}", "a".repeat(64)]),
  )("without credentials where a variable is %j, which could change the host or the path", (value) => {
    expect(credential({ ACME_API_KEY: "s3cret", ACME_API_KEY_RESOURCE: value })).toBeNull();
  });

  it.each<[string, Record<string, unknown>]>([
    ["the secret is not set", {}],
    ["the secret is empty", { ACME_API_KEY: "" }],
    ["the secret is no text", { ACME_API_KEY: { get: () => "s3cret" } }],
    ["the secret is inherited", Object.create({ ACME_API_KEY: "s3cret" })],
  ])("without credentials where %s", (_, variables) => {
    expect(credential({ ACME_API_KEY: "s3cret" }, plain)).not.toBeNull();
    expect(credential(variables, plain)).toBeNull();
  });

  it("without credentials where a variable is not set", () => {
    expect(credential({ ACME_API_KEY: "s3cret" })).toBeNull();
  });

  it.each(["OPERATOR_TOKEN", "CREDENTIALS_KEY", "CREDENTIALS_KEY_PREVIOUS"])(
    "without credentials where the catalog names the Worker's own secret %s as a provider's",
    (secret) => {
      const thief = providerOf("thief", { secret, apis: { chat_completions: plain } });
      const holder = { env: envOf({ [secret]: "s3cret" }), settings: settingsOf(), org };
      expect(credentialFor(thief, plain, holder)).toBeNull();
    },
  );

  describe("of a service account", () => {
    const vertex: Endpoint = { url: "https://{location}.example/{project}", auth: "google-oauth" };
    const text = JSON.stringify(account);
    const of = (variables: Record<string, unknown>) =>
      credential({ ACME_API_KEY_LOCATION: "eu", ...variables }, vertex);

    it("name the account's own project, unless another one is set", () => {
      expect(of({ ACME_API_KEY: text })).toMatchObject({ variables: { location: "eu", project: "acme-prod" } });
      expect(of({ ACME_API_KEY: text, ACME_API_KEY_PROJECT: "p2" })).toMatchObject({ variables: { project: "p2" } });
    });

    it("are none where Google has no host of that location", () => {
      const regional: Endpoint = { ...vertex, url: "https://{location}-aiplatform.googleapis.com/v1" };
      const at = (location: string, endpoint: Endpoint) =>
        credential({ ACME_API_KEY: text, ACME_API_KEY_LOCATION: location }, endpoint);
      expect(at("global", regional)).toBeNull();
      expect(at("europe-west4", regional)).toMatchObject({ variables: { location: "europe-west4" } });
      expect(at("global", vertex)).toMatchObject({ variables: { location: "global" } });
    });

    it("are none where its own project could change the path, or the secret is a key", () => {
      const error = vi.spyOn(console, "error").mockImplementation(() => {});
      expect(of({ ACME_API_KEY: JSON.stringify({ ...account, project_id: "a/../b" }) })).toBeNull();
      expect(of({ ACME_API_KEY: "s3cret" })).toBeNull();
      error.mockRestore();
    });
  });
});

describe("the sandbox", () => {
  const upstream = "http://127.0.0.1:4010";
  const acme = providerOf("acme");
  const keyless = new Proxy(fullEnv, {
    get: () => expect.fail("a secret was read"),
    getOwnPropertyDescriptor: () => expect.fail("a secret was looked for"),
  });

  it.each(["bearer", "x-api-key", "api-key", "google-oauth"] as const)("is sent no real secret by %s", (auth) => {
    const endpoint: Endpoint = { url: "https://{resource}.example/v1", auth };
    const credential = credentialFor(acme, endpoint, {
      env: keyless,
      settings: settingsOf({ SANDBOX_UPSTREAM: upstream }),
      org,
    }) as ReadyCredential;
    const target: UpstreamTarget = { provider: "acme", path: "/messages", endpoint, credential };
    expect(credential).toEqual({ kind: "sandbox", id: "sandbox", baseUrl: `${upstream}/v1` });
    expect(upstreamUrl(target, "?beta=true")).toBe(`${upstream}/v1/messages?beta=true`);
    const headers = new Headers(upstreamHeaders(target, clientHeaders, "application/json"));
    expect(headers.get("x-test-id")).toBe("acme");
    expect(headers.get("authorization") ?? headers.get(auth)).toMatch(/^(Bearer )?sandbox$/);
  });

  it("holds credentials for the providers it names, and for all when it names none", () => {
    const endpoint = acme.apis.chat_completions as Endpoint;
    const of = (variables: Record<string, string>) =>
      credentialFor(acme, endpoint, {
        env: keyless,
        settings: settingsOf({ SANDBOX_UPSTREAM: upstream, ...variables }),
        org,
      });
    expect([of({}), of({ SANDBOX_PROVIDERS: "beta, acme" })].every((each) => each?.kind === "sandbox")).toBe(true);
    expect(of({ SANDBOX_PROVIDERS: "beta" })).toBeNull();
  });

  it.each(["http://127.0.0.1:4010", "http://localhost:4010/", "http://[::1]:4010//"])("may be at %s", (url) => {
    expect(settingsOf({ SANDBOX_UPSTREAM: url }).SANDBOX_UPSTREAM).toBe(url.replace(/\/+$/, ""));
  });

  it.each(
    ["https://127.0.0.1", "http://example.com", "http://127.0.0.1.example.com", "http://127.0.0.1@example.com"].concat(
      [
        "http://example.com#127.0.0.1",
        "http://localhost.example.com",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://[::]",
      ],
      ["127.0.0.1:4010", "//127.0.0.1", "file:///127.0.0.1", "localhost:4010", "http://", "sandbox"],
    ),
  )("is on no other machine: %s shuts the gateway, and is not repeated", (url) => {
    const read = readSettings(envOf({ SANDBOX_UPSTREAM: url }));
    expect(read).toEqual({ ok: false, problem: expect.stringMatching(/^SANDBOX_UPSTREAM /) });
    expect(JSON.stringify(read)).not.toContain(url);
  });

  it.each([{}, { SANDBOX_UPSTREAM: "" }])("is off unless it is set (%j)", (variables) => {
    expect(settingsOf(variables).SANDBOX_UPSTREAM).toBeUndefined();
  });
});
