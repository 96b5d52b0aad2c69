// An organization's own provider keys over the admin API: write-only, checked before they are stored, sealed where they
// rest, and each act on record.
import { beforeAll, describe, expect, it, vi } from "vitest";
import { AuditLogAnswer } from "../src/admin/api/audit-log.ts";
import { CredentialRemovedAnswer, CredentialSavedAnswer, CredentialsAnswer } from "../src/admin/api/credentials.ts";
import { RevisionsAnswer } from "../src/admin/api/revisions.ts";
import { openCredential } from "../src/store/provider-credentials.ts";
import { keyringOf } from "../src/store/sealing.ts";
import type { ServiceAccount } from "../src/store/service-account.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { newCredentialsKey, newServiceAccount } from "./credential-fixtures.ts";
import { policyOf, replacing } from "./world.ts";

const SECRET = "sk-own-0123456789abcdef-WxYz";

let acme: AdminWorld;
let account: ServiceAccount;
beforeAll(async () => {
  acme = await openAdminWorld();
  ({ account } = await newServiceAccount());
});

const put = (world: AdminWorld, provider: string, body: unknown, env = world.env) =>
  world.ask("admin", "PUT", `/credentials/${provider}`, { body, env });
const list = async (world: AdminWorld) =>
  CredentialsAnswer.parse((await world.ask("owner", "GET", "/credentials")).body).data;

/** What the gateway would use. */
async function usedFor(world: AdminWorld, provider: string) {
  const credential = (await world.atEdge()).credentials[provider];
  return credential && openCredential(keyringOf(world.env), { org: world.org, provider }, credential);
}

/** Every row of the organization's, as it rests in D1 and KV. */
async function atRest({ env, org }: AdminWorld): Promise<string> {
  const of = (table: string) => env.DB.prepare(`SELECT * FROM ${table} WHERE org = ?`).bind(org).all();
  const rows = await Promise.all(["revisions", "audit_log", "security_events"].map(of));
  return JSON.stringify([rows.map(({ results }) => results), await env.CONFIG.get(`org:${org}`)]);
}

describe("a key", () => {
  it("is stored, published and listed masked; nothing ever answers it", async () => {
    const world = await openAdminWorld();
    const saved = await put(world, "openai", { secret: SECRET });
    expect(saved.status).toBe(200);
    expect(CredentialSavedAnswer.parse(saved.body)).toMatchObject({ provider: "openai", revision: 2, published: true });
    const { id } = keyringOf(world.env).sealing ?? {};
    const shown = {
      provider: "openai",
      kind: "secret",
      hint: "WxYz",
      variables: {},
      encryption_key_id: id,
      created_by: "admin@acme.example",
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      published: true,
    };
    expect(await list(world)).toEqual([shown]);
    expect(await usedFor(world, "openai")).toEqual({ ok: true, secret: { kind: "secret", secret: SECRET } });

    const answers = [
      saved.text,
      ...(await Promise.all(
        ["/credentials", "/policy", "/policy/revisions", "/audit-log"].map(
          async (path) => (await world.ask("owner", "GET", path)).text,
        ),
      )),
    ].join("\n");
    const { data, iv } = (await world.atEdge()).credentials.openai?.sealed ?? { data: "", iv: "" };
    for (const never of [SECRET, SECRET.slice(3, 12), data, iv]) expect(answers).not.toContain(never);
    expect(await atRest(world)).not.toContain(SECRET.slice(3, 12));
  });

  it("is replaced by a later one, and removed for good: no revision keeps what was sealed", async () => {
    const world = await openAdminWorld();
    await put(world, "openai", { secret: SECRET });
    const first = (await world.atEdge()).credentials.openai?.sealed.data ?? "none";
    await world.savePolicy("owner", policyOf({ requirements: ["soc2"] }), 2);
    expect(await atRest(world)).toContain(first);
    await put(world, "openai", { secret: `${SECRET}2` });
    expect(await atRest(world)).not.toContain(first);
    const second = (await world.atEdge()).credentials.openai?.sealed.data ?? "none";

    const removed = await world.ask("admin", "DELETE", "/credentials/openai");
    expect(CredentialRemovedAnswer.parse(removed.body)).toEqual({ provider: "openai", revision: 5, published: true });
    expect(await list(world)).toEqual([]);
    expect(await world.atEdge()).toMatchObject({ revision: 5, credentials: {}, policy: { requirements: ["soc2"] } });
    expect(await atRest(world)).not.toContain(second);
    expect((await world.ask("admin", "DELETE", "/credentials/openai")).status).toBe(404);
  });

  it("travels with the policy: neither save undoes the other", async () => {
    const world = await openAdminWorld();
    await put(world, "openai", { secret: SECRET });
    await world.savePolicy("owner", policyOf({ requirements: ["soc2"] }), 2);
    await put(world, "groq", { secret: SECRET });
    const { revision, policy, credentials } = await world.atEdge();
    expect({ revision, policy }).toMatchObject({ revision: 4, policy: { requirements: ["soc2"] } });
    expect(Object.keys(credentials)).toEqual(["openai", "groq"]);
  });

  it("that two admins set for two providers at once is kept for both", async () => {
    const world = await openAdminWorld();
    const saves = await Promise.all(["openai", "groq"].map((provider) => put(world, provider, { secret: SECRET })));
    expect(saves.map(({ status }) => status)).toEqual([200, 200]);
    expect((await list(world)).map(({ provider }) => provider).sort()).toEqual(["groq", "openai"]);
  }, 15_000);

  it("leaves a row in the audit log and a sentence in the revisions for each act", async () => {
    const world = await openAdminWorld();
    await put(world, "openai", { secret: SECRET });
    await put(world, "openai", { secret: SECRET });
    await world.ask("owner", "DELETE", "/credentials/openai");
    const sentences = [
      "Removes the organization's own key for openai.",
      "Replaces the organization's own key for openai.",
      "Sets the organization's own key for openai.",
    ];
    const log = AuditLogAnswer.parse((await world.ask("owner", "GET", "/audit-log")).body).data;
    const acts = log.filter(({ action }) => action.startsWith("credential."));
    expect(acts.map(({ action, actor }) => [action, actor])).toEqual([
      ["credential.remove", "owner@acme.example"],
      ["credential.save", "admin@acme.example"],
      ["credential.save", "admin@acme.example"],
    ]);
    expect(acts.map(({ detail }) => detail)).toMatchObject(sentences.map((change) => ({ change })));
    const { data } = RevisionsAnswer.parse((await world.ask("owner", "GET", "/policy/revisions")).body);
    expect(data.slice(0, 3).map(({ change }) => change)).toEqual(sentences);
  });

  it("that D1 does not take leaves neither a revision nor an audit row", async () => {
    const world = await openAdminWorld();
    const batch = () => Promise.reject(new Error(`D1_ERROR near ${SECRET}`));
    const env = { ...world.env, DB: replacing(world.env.DB, { batch }) };
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const answer = await put(world, "openai", { secret: SECRET }, env);
    expect(answer).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect(answer.text + JSON.stringify(error.mock.calls)).not.toContain(SECRET);
    error.mockRestore();
    expect(await list(world)).toEqual([]);
  });

  it("that KV does not take is stored, and is said not to be in force yet", async () => {
    const world = await openAdminWorld();
    const fail = () => Promise.reject(new Error("KV PUT failed: 500"));
    const env = { ...world.env, CONFIG: replacing(world.env.CONFIG, { put: fail }) };
    const { status, body } = await put(world, "openai", { secret: SECRET }, env);
    expect(status).toBe(200);
    expect(body).toMatchObject({ published: false, note: expect.stringContaining("does not enforce it yet") });
    expect(await list(world)).toMatchObject([{ provider: "openai", published: false }]);
  }, 15_000);
});

describe("variables", () => {
  it("are kept for the provider's address, and shown", async () => {
    const { status } = await put(acme, "azure", { secret: SECRET, variables: { resource: "acme-eu" } });
    expect(status).toBe(200);
    expect(await list(acme)).toContainEqual(
      expect.objectContaining({ provider: "azure", variables: { resource: "acme-eu" } }),
    );
  });

  it.each([
    "a/b",
    "a#",
    "a?b",
    "x@evil.example",
    "..",
    ".",
    "evil.example",
    "evil.example/",
    "a:1",
    "",
    "-a",
    "a\n",
    "é",
  ])("bypass 9: %j is refused on write, and nothing is stored", async (resource) => {
    const world = acme;
    const before = await list(world);
    const { status, body } = await put(world, "azure", { secret: SECRET, variables: { resource } });
    expect(status).toBe(400);
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(["variables.resource"]);
    expect(await list(world)).toEqual(before);
  });

  it.each<[string, string, unknown, string[]]>([
    ["one is missing", "azure", {}, ["variables.resource"]],
    ["all are missing", "azure", undefined, ["variables.resource"]],
    ["one is unknown", "azure", { resource: "a", region: "b" }, ["variables.region"]],
    ["one is unknown and one missing", "azure", { region: "b" }, ["variables.resource", "variables.region"]],
    ["the provider has none", "openai", { region: "b" }, ["variables.region"]],
    ["one is no text", "azure", { resource: 1 }, ["variables.resource"]],
    ["they are no object", "azure", "x", ["variables"]],
  ])("are refused by path where %s", async (_, provider, variables, paths) => {
    const { status, body } = await put(acme, provider, { secret: SECRET, variables });
    expect(status).toBe(400);
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(paths);
  });
});

describe("a service account", () => {
  it("is stored with its own project, recognized by its key id, and may be given as text", async () => {
    const world = await openAdminWorld();
    for (const given of [account, JSON.stringify(account)]) {
      const { status, text } = await put(world, "google-vertex", {
        service_account: given,
        variables: { location: "europe-west4" },
      });
      expect(status).toBe(200);
      expect(text).not.toContain("PRIVATE KEY");
    }
    expect(await list(world)).toMatchObject([
      {
        provider: "google-vertex",
        kind: "service_account",
        hint: account.private_key_id,
        variables: { location: "europe-west4", project: account.project_id },
      },
    ]);
    expect(await usedFor(world, "google-vertex")).toEqual({ ok: true, secret: { kind: "service_account", account } });
    expect(await atRest(world)).not.toContain("PRIVATE KEY");
  });

  it("may be used for another project", async () => {
    const variables = { location: "us-east1", project: "acme-other" };
    await put(acme, "vertex-openai", { service_account: account, variables });
    expect(await list(acme)).toContainEqual(expect.objectContaining({ provider: "vertex-openai", variables }));
  });

  it.each(["global", "us", "eu"])("is refused %s as a region's host, which Google does not have", async (location) => {
    const given = { service_account: account, variables: { location } };
    const { status, body } = await put(acme, "google-vertex", given);
    expect({ status, errors: body.errors }).toEqual({
      status: 400,
      errors: [{ path: "variables.location", message: expect.stringContaining(`no host ${location}-aiplatform`) }],
    });
    // Where it is no part of the host, it leads somewhere.
    expect((await put(acme, "vertex-openai", given)).status).toBe(200);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["a forged token_uri", { token_uri: "https://evil.example/token" }, "service_account.token_uri"],
    ["no private key", { private_key: "x" }, "service_account.private_key"],
    ["another kind", { type: "authorized_user" }, "service_account.type"],
    ["a project that is no label", { project_id: "acme.example:prod" }, "variables.project"],
  ])("with %s is refused by path, without any of it in the answer", async (_, change, path) => {
    const variables = { location: "us-east1" };
    const { status, body, text } = await put(acme, "google-vertex", {
      service_account: { ...account, ...change },
      variables,
    });
    expect(status).toBe(400);
    expect(body.errors.map((each: { path: string }) => each.path)).toEqual([path]);
    expect(text).not.toMatch(/PRIVATE KEY|evil\.example|gserviceaccount/);
  });

  it("that is no JSON is refused without being quoted", async () => {
    const variables = { location: "us-east1" };
    const { status, body, text } = await put(acme, "google-vertex", { service_account: `{${SECRET}`, variables });
    expect(status).toBe(400);
    expect(body.errors).toEqual([{ path: "service_account", message: "must be a service account's JSON" }]);
    expect(text).not.toContain(SECRET);
  });

  it("is refused where the provider takes a key, and a key where it takes a service account", async () => {
    const asKey = await put(acme, "openai", { service_account: account });
    const asAccount = await put(acme, "google-vertex", { secret: SECRET, variables: { location: "us-east1" } });
    expect([asKey.status, asAccount.status]).toEqual([400, 400]);
    expect(asKey.body.errors.map(({ path }: { path: string }) => path)).toEqual(["secret", "service_account"]);
    expect(asAccount.body.errors.map(({ path }: { path: string }) => path)).toEqual(["service_account", "secret"]);
    expect(asKey.text + asAccount.text).not.toMatch(/PRIVATE KEY|sk-own/);
  });
});

describe("what is refused", () => {
  it.each<[string, unknown]>([
    ["is missing", {}],
    ["is empty", { secret: "" }],
    ["is too short to be masked", { secret: "sk-short" }],
    ["has a line's end", { secret: `${SECRET}\n` }],
    ["has another header in it", { secret: `${SECRET}\r\nx-evil: 1` }],
    ["has a space", { secret: `${SECRET} x` }],
    ["is not ASCII", { secret: `${SECRET}é` }],
    ["is no text", { secret: [SECRET] }],
    ["is too long", { secret: "x".repeat(4097) }],
  ])("a secret that %s: 400 at its path, without it", async (_, body) => {
    const answer = await put(acme, "openai", body);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: "secret" }] } });
    expect(answer.text).not.toMatch(/sk-|evil/);
  });

  it("an unknown field, and a body that is no JSON, without quoting it", async () => {
    expect((await put(acme, "openai", { secret: SECRET, note: SECRET })).text).not.toContain(SECRET);
    const answer = await put(acme, "openai", `{"secret":"${SECRET}`);
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain(SECRET);
  });

  it("an unknown provider: 404, with what was perhaps meant", async () => {
    const answer = await put(acme, "opena1", { secret: SECRET });
    expect(answer).toMatchObject({
      status: 404,
      body: { code: "not_found", detail: expect.stringContaining("openai") },
    });
    for (const name of ["constructor", "__proto__"])
      expect((await put(acme, name, { secret: SECRET })).status).toBe(404);
    expect((await acme.ask("admin", "DELETE", "/credentials/constructor")).status).toBe(404);
  });

  it("a provider that cannot be called yet: its key would be unused", async () => {
    const answer = await put(acme, "elevenlabs", { secret: SECRET });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: "provider" }] } });
  });

  it("any key while CREDENTIALS_KEY is not set: 503 that says what to set, before the body is read", async () => {
    const { CREDENTIALS_KEY: _, ...env } = acme.env;
    const answer = await put(acme, "openai", { secret: SECRET }, env);
    expect(answer).toMatchObject({
      status: 503,
      body: { code: "credentials_key_missing", detail: expect.stringContaining("CREDENTIALS_KEY") },
    });
    expect((await acme.ask("owner", "GET", "/credentials", { env })).status).toBe(200);
  });

  it("any key while CREDENTIALS_KEY is malformed: 503 that names it, without its value", async () => {
    const answer = await put(acme, "openai", { secret: SECRET }, { ...acme.env, CREDENTIALS_KEY: "hunter2" });
    expect(answer).toMatchObject({ status: 503, body: { code: "misconfigured" } });
    expect(answer.body.detail).toContain("CREDENTIALS_KEY must be 32 bytes in base64");
    expect(answer.text).not.toContain("hunter2");
  });
});

it("a key can be removed although nothing can open it any more", async () => {
  const world = await openAdminWorld();
  await put(world, "openai", { secret: SECRET });
  for (const CREDENTIALS_KEY of [newCredentialsKey(), ""])
    expect((await world.ask("owner", "GET", "/credentials", { env: { ...world.env, CREDENTIALS_KEY } })).status).toBe(
      200,
    );
  const env = { ...world.env, CREDENTIALS_KEY: "" };
  expect((await world.ask("owner", "DELETE", "/credentials/openai", { env })).status).toBe(200);
  expect(await list(world)).toEqual([]);
});
