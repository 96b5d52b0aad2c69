// Each operation of the document is really called: by somebody who may, by each who may not, and with something wrong.
// `send` holds every answer against the document (conforms.ts); what is asserted here is that the call was what it was
// meant to be.
import { env as bindings } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openApiDocument } from "../src/admin/openapi/document.ts";
import { OPERATIONS } from "../src/admin/openapi/groups.ts";
import type { Operation } from "../src/admin/openapi/operation.ts";
import { PERMISSIONS } from "../src/admin/roles.ts";
import { sealEvents } from "../src/audit/seal.ts";
import { DISABLED_POLICY } from "../src/compliance/policy.ts";
import type { Env } from "../src/env.ts";
import worker from "../src/index.ts";
import { keepDeadLetters } from "../src/store/dead-letters.ts";
import { insertEvents } from "../src/store/events.ts";
import { type AdminWorld, type Answer, type Asked, type Caller, made, openAdminWorld } from "./admin-world.ts";
import { problemWith } from "./conforms.ts";
import { eventOf } from "./security-event.ts";
import { smallCatalog } from "./small-catalog.ts";

/** The private key of RFC 8032's first example. */
const AUDIT_SIGNING_KEY = Buffer.from(
  "302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
  "hex",
).toString("base64");
const env: Env = { ...(bindings as unknown as Env), AUDIT_SIGNING_KEY };

let world: AdminWorld;
let keyId: string;
const event = () => events[0] as ReturnType<typeof eventOf>;
let events: ReturnType<typeof eventOf>[];
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  world = await openAdminWorld();
  events = [0, 1, 2].map((index) => eventOf(world.org, {}, Date.now() - index * 1000));
  await insertEvents(env, events);
  await sealEvents(env, world.org);
  keyId = (await made(world.ask("owner", "POST", "/keys", { body: { project: "web", name: "first" } }))).body.id;
});
afterAll(() => vi.restoreAllMocks());

interface Case {
  by: Caller;
  asked?: Asked;
  /** The parts of the path, where they are not the organization. */
  at?: Record<string, string> | ((by: Caller) => Record<string, string>);
  query?: string;
}

interface Cases {
  good: Case;
  /** Calls that fail, and with which code; those who may not are added for every operation. */
  bad: Record<string, Case>;
}

const BAD_BODY = { body: { nonsense: true } };
const mine = (by: Caller) => ({ email: `${by}@acme.example` });
const newProject = () => `project-${crypto.randomUUID().slice(0, 8)}`;
const ifMatch = { "if-match": '"1"' };
/** The newest revision, whatever the calls before this one made of it. */
const newest = async () => ({ "if-match": `"${(await world.ask("owner", "GET", "/policy")).body.revision}"` });
const example = (operation: Operation) => operation.body?.example;

const CASES: Record<string, (operation: Operation) => Cases | Promise<Cases>> = {
  readPolicy: () => ({ good: { by: "admin" }, bad: { not_found: { by: "admin", at: { org: "other" } } } }),
  savePolicy: async (operation) => ({
    good: { by: "admin", query: "reason=Because", asked: { body: example(operation), headers: await newest() } },
    bad: {
      invalid_request: { by: "admin", asked: { ...BAD_BODY, headers: ifMatch } },
      stale_revision: { by: "admin", asked: { body: example(operation), headers: ifMatch } },
      revision_required: { by: "admin", asked: { body: example(operation) } },
      request_too_large: { by: "admin", asked: { body: "x".repeat(2 ** 21), headers: ifMatch } },
      unsupported_media_type: {
        by: "admin",
        asked: { body: example(operation), headers: { ...ifMatch, "content-type": "text/plain" } },
      },
      confirmation_required: {
        by: "admin",
        asked: { body: { ...(example(operation) as object), headquarters: ["AQ"] }, headers: await newest() },
      },
    },
  }),
  previewPolicy: (operation) => ({
    good: { by: "admin", asked: { body: example(operation) } },
    bad: { invalid_request: { by: "admin", asked: BAD_BODY } },
  }),
  saveRouting: () => ({
    good: { by: "owner", asked: { body: { auto: [] } } },
    bad: {
      invalid_request: { by: "owner", asked: { body: { auto: ["no-such-model"] } } },
      stale_revision: { by: "owner", asked: { body: { auto: [] }, headers: ifMatch } },
    },
  }),
  listRevisions: () => ({ good: { by: "admin", query: "limit=1" }, bad: badQuery("admin") }),
  readRevision: () => ({
    good: { by: "admin", at: { revision: "1" } },
    bad: { not_found: { by: "admin", at: { revision: "99" } } },
  }),
  compareRevisions: () => ({
    good: { by: "admin", at: { from: "1", to: "2" } },
    bad: { not_found: { by: "admin", at: { from: "1", to: "99" } } },
  }),
  restoreRevision: async () => ({
    good: { by: "admin", at: { revision: "1" }, asked: { headers: await newest() } },
    bad: {
      revision_required: { by: "admin", at: { revision: "1" } },
      stale_revision: { by: "admin", at: { revision: "1" }, asked: { headers: ifMatch } },
      not_found: { by: "admin", at: { revision: "99" }, asked: { headers: ifMatch } },
    },
  }),
  listAuditLog: () => ({ good: { by: "owner" }, bad: badQuery("owner") }),
  exportAuditLog: () => ({
    good: { by: "owner", query: "format=ndjson" },
    bad: { invalid_request: { by: "owner", query: "format=xml" } },
  }),
  listModels: () => ({ good: { by: "developer", query: "allowed=true" }, bad: badQuery("developer") }),
  listProviders: () => ({ good: { by: "admin", query: "limit=5" }, bad: badQuery("admin") }),
  readProvider: () => ({
    good: { by: "admin", at: { id: "deepseek" } },
    bad: { not_found: { by: "admin", at: { id: "nobody" } } },
  }),
  createWebhook: (operation) => ({
    good: { by: "admin", asked: { body: example(operation) } },
    bad: { invalid_request: { by: "admin", asked: BAD_BODY } },
  }),
  listWebhooks: () => ({ good: { by: "admin" }, bad: { not_found: { by: "admin", at: { org: "other" } } } }),
  readWebhook: () => ofWebhook({}),
  changeWebhook: (operation) => ofWebhook({ asked: { body: example(operation) } }),
  removeWebhook: () => ofWebhook({}),
  testWebhook: () => ofWebhook({}),
  resumeWebhook: () => ofWebhook({}),
  rotateWebhookSecret: () => ofWebhook({}),
  readStatistics: () => ({ good: { by: "admin", query: "by=provider" }, bad: badQuery("admin") }),
  readHealth: () => ({ good: { by: "admin" }, bad: { not_found: { by: "admin", at: { org: "other" } } } }),
  readRetention: () => ({ good: { by: "admin" }, bad: { not_found: { by: "admin", at: { org: "other" } } } }),
  saveRetention: (operation) => ({
    good: { by: "owner", asked: { body: example(operation) } },
    bad: { invalid_request: { by: "owner", asked: BAD_BODY } },
  }),
  listInstallationLog: () => ({ good: { by: "operator" }, bad: badQuery("operator") }),
  listEvents: () => ({ good: { by: "admin", query: "model=deepseek-v3.2&limit=2" }, bad: badQuery("admin") }),
  exportEvents: () => ({
    good: { by: "admin", query: "format=ndjson" },
    bad: { invalid_request: { by: "admin", query: "format=xml" } },
  }),
  readEvent: () => ({
    good: { by: "admin", at: { id: event().id } },
    bad: { not_found: { by: "admin", at: { id: "evt_0" } } },
  }),
  verifyChain: () => ({ good: { by: "admin" }, bad: { invalid_request: { by: "admin", query: "head=x" } } }),
  exportChain: () => ({ good: { by: "admin" }, bad: { invalid_request: { by: "admin", query: "after=x" } } }),
  listDeadLetters: async () => {
    await keepDeadLetters(env, [{ id: `letter-${world.org}`, body: "{}" }]);
    return { good: { by: "operator" }, bad: { invalid_request: { by: "operator", query: "x=1" } } };
  },
  replayDeadLetter: () => ({
    good: { by: "operator", at: { id: `letter-${world.org}` } },
    bad: { not_found: { by: "operator", at: { id: "none" } } },
  }),
  createKey: (operation) => ({
    good: { by: "admin", asked: { body: example(operation) } },
    bad: { invalid_request: { by: "admin", asked: BAD_BODY } },
  }),
  listKeys: () => ({ good: { by: "admin" }, bad: badQuery("admin") }),
  changeKey: () => ({
    good: { by: "admin", at: { id: keyId }, asked: { body: { name: "another name" } } },
    bad: {
      invalid_request: { by: "admin", at: { id: keyId }, asked: { body: {} } },
      not_found: { by: "admin", at: { id: "key_0" }, asked: { body: { name: "another name" } } },
    },
  }),
  createProject: () => ({
    good: { by: "admin", asked: { body: { id: newProject() } } },
    bad: {
      conflict: { by: "admin", asked: { body: { id: "web" } } },
      invalid_request: { by: "admin", asked: BAD_BODY },
    },
  }),
  listProjects: () => ({ good: { by: "admin" }, bad: badQuery("admin") }),
  renameProject: (operation) => ({
    good: { by: "admin", at: { project: "web" }, asked: { body: example(operation) } },
    bad: { not_found: { by: "admin", at: { project: "none" }, asked: { body: example(operation) } } },
  }),
  removeProject: async () => {
    const id = newProject();
    await made(world.ask("owner", "POST", "/projects", { body: { id } }));
    return {
      good: { by: "admin", at: { project: id } },
      bad: {
        project_in_use: { by: "admin", at: { project: "web" } },
        not_found: { by: "admin", at: { project: "none" } },
      },
    };
  },
  readProjectPolicy: () => ({
    good: { by: "admin", at: { project: "web" } },
    bad: { not_found: { by: "admin", at: { project: "none" } } },
  }),
  saveProjectPolicy: async (operation) => ({
    good: { by: "admin", at: { project: "web" }, asked: { body: example(operation), headers: await newest() } },
    bad: {
      revision_required: { by: "admin", at: { project: "web" }, asked: { body: example(operation) } },
      invalid_request: { by: "admin", at: { project: "web" }, asked: { ...BAD_BODY, headers: ifMatch } },
    },
  }),
  removeProjectPolicy: async () => {
    const body = { ...DISABLED_POLICY, enabled: true };
    await made(world.ask("owner", "PUT", "/projects/web/policy", { body, headers: await newest() }));
    return {
      good: { by: "admin", at: { project: "web" }, asked: { headers: await newest() } },
      bad: {
        stale_revision: { by: "admin", at: { project: "web" }, asked: { headers: ifMatch } },
        revision_required: { by: "admin", at: { project: "web" } },
      },
    };
  },
  previewProjectPolicy: (operation) => ({
    good: { by: "admin", at: { project: "web" }, asked: { body: example(operation) } },
    bad: { invalid_request: { by: "admin", at: { project: "web" }, asked: BAD_BODY } },
  }),
  revokeKey: () => ({
    good: { by: "admin", at: { id: keyId } },
    bad: { not_found: { by: "admin", at: { id: "key_0" } } },
  }),
  saveCredential: () => ({
    good: { by: "owner", at: { provider: "groq" }, asked: { body: { secret: "a-key-of-their-own-1234" } } },
    bad: {
      not_found: { by: "owner", at: { provider: "nobody" }, asked: { body: { secret: "a-key-of-their-own-1234" } } },
      invalid_request: { by: "owner", at: { provider: "groq" }, asked: BAD_BODY },
      credentials_key_missing: {
        by: "owner",
        at: { provider: "groq" },
        asked: { body: { secret: "a-key-of-their-own-1234" }, env: { ...env, CREDENTIALS_KEY: "" } },
      },
    },
  }),
  listCredentials: () => ({
    good: { by: "owner" },
    bad: { misconfigured: { by: "owner", asked: { env: { ...env, CONFIG_TTL_SECONDS: "soon" } } } },
  }),
  removeCredential: () => ({
    good: { by: "owner", at: { provider: "groq" } },
    bad: { not_found: { by: "owner", at: { provider: "nobody" } } },
  }),
  putMember: () => ({
    good: { by: "owner", at: { email: "new@acme.example" }, asked: { body: { role: "admin" } } },
    bad: {
      last_owner: { by: "owner", at: { email: "owner@acme.example" }, asked: { body: { role: "admin" } } },
      invalid_request: { by: "owner", at: { email: "nobody" }, asked: { body: { role: "admin" } } },
    },
  }),
  listMembers: () => ({ good: { by: "owner" }, bad: badQuery("owner") }),
  removeMember: async () => {
    await made(world.ask("owner", "PUT", "/members/leaving@acme.example", { body: { role: "developer" } }));
    return {
      good: { by: "owner", at: { email: "leaving@acme.example" } },
      bad: {
        last_owner: { by: "owner", at: { email: "owner@acme.example" } },
        not_found: { by: "owner", at: { email: "nobody@acme.example" } },
        invalid_request: { by: "owner", at: { email: "nobody" } },
      },
    };
  },
  createToken: () => ({
    good: { by: "owner", at: { email: "admin@acme.example" } },
    bad: { not_found: { by: "owner", at: { email: "nobody@acme.example" } } },
  }),
  listTokens: () => ({
    good: { by: "developer", at: mine },
    bad: { invalid_request: { by: "developer", at: mine, query: "limit=0" } },
  }),
  revokeToken: async () => {
    const { id } = (await made(world.ask("owner", "POST", "/members/developer@acme.example/tokens"))).body;
    return {
      good: { by: "developer", at: (by) => ({ ...mine(by), id }) },
      bad: { not_found: { by: "developer", at: (by) => ({ ...mine(by), id: "tok_0" }) } },
    };
  },
  createOrganization: (operation) => ({
    good: { by: "operator", asked: { body: { ...(example(operation) as object), id: `new-${world.org}` } } },
    bad: {
      conflict: { by: "operator", asked: { body: { ...(example(operation) as object), id: world.org } } },
      invalid_request: { by: "operator", asked: BAD_BODY },
    },
  }),
  changeOrganization: () => ({
    good: { by: "operator", asked: { body: { name: "Acme Corporation" } } },
    bad: { invalid_request: { by: "operator", asked: { body: {} } } },
  }),
  publishCatalog: () => ({
    good: { by: "operator", asked: { body: { ...smallCatalog, version: `small-${world.org}` } } },
    bad: {
      conflict: { by: "operator", asked: { body: { ...smallCatalog, version: `small-${world.org}`, models: [] } } },
      invalid_request: { by: "operator", asked: BAD_BODY },
    },
  }),
  readCatalog: () => ({ good: { by: "operator" }, bad: {} }),
  readOpenApi: () => ({ good: { by: "nobody" }, bad: {} }),
  readReference: () => ({ good: { by: "nobody" }, bad: {} }),
};

let webhook: string | undefined;

/** A webhook that is off, so that nothing is sent but a test, which finds nobody. */
async function ofWebhook(asked: Partial<Case>): Promise<Cases> {
  const body = { url: "https://nobody.invalid.example/hook", enabled: false };
  const known = webhook && (await world.ask("owner", "GET", `/webhooks/${webhook}`)).status === 200;
  if (!known) webhook = (await made(world.ask("owner", "POST", "/webhooks", { body, env }))).body.id as string;
  const id = webhook ?? "";
  return {
    good: { by: "admin", at: { id }, ...asked },
    bad: { not_found: { by: "admin", at: { id: "whk_0" }, ...asked } },
  };
}

function badQuery(by: Caller): Cases["bad"] {
  return { invalid_request: { by, query: "limit=0" } };
}

const called = OPERATIONS.filter(({ path }) => path.startsWith("/admin/api"));

it("every operation has its cases: write those that are named here", () => {
  expect(Object.keys(CASES).sort()).toEqual(called.map(({ id }) => id).sort());
});

describe.each(called)("$id", (operation) => {
  it("answers somebody who may, as documented", async () => {
    const { good } = await cases(operation);
    const { status, text } = await call(operation, good);
    const { answer } = operation;
    const documented = "empty" in answer ? 204 : "schema" in answer ? (answer.status ?? 200) : 200;
    expect({ status, text }).toEqual({ status: documented, text });
  });

  it("refuses what is wrong, as documented", async () => {
    const { bad } = await cases(operation);
    for (const [code, wrong] of Object.entries(bad)) expect((await call(operation, wrong)).body.code).toBe(code);
  });

  it("is for those whom the document names", async () => {
    const { good } = await cases(operation);
    const { who, also } = operation;
    if (who === "anybody") return;
    const may: readonly Caller[] = who === "operator" ? ["operator"] : PERMISSIONS[who];
    expect((await call(operation, { ...good, by: "nobody" })).body.code).toBe("not_signed_in");
    // Where the operator may for a while, the tests of members say when.
    const callers: Caller[] = ["owner", "admin", "developer", ...(also ? [] : ["operator" as const])];
    for (const by of callers) {
      const refused = (await call(operation, { ...good, by })).status === 403;
      expect({ by, refused }).toEqual({ by, refused: !may.includes(by) });
    }
  });
});

/** What `/.well-known/portcullis-audit-keys` answers with these bindings, held against the document. */
async function publicKeys(bindings: typeof env, { status, type }: { status: number; type: string }) {
  const path = "/.well-known/portcullis-audit-keys";
  const request = new Request(`https://portcullis.test${path}`) as never;
  const response = await worker.fetch(request, bindings, {} as ExecutionContext);
  expect(response.status).toBe(status);
  const schema = openApiDocument().paths[path]?.get?.responses[status]?.content?.[type]?.schema;
  expect(schema).toBeDefined();
  const body = await response.json<Record<string, unknown>>();
  expect(problemWith(schema ?? {}, body)).toBeNull();
  return body;
}

it("the public keys are as documented", async () => {
  const { keys } = await publicKeys(env, { status: 200, type: "application/json" });
  expect(keys).toHaveLength(1);
});

it("where the signing key is malformed, the public keys are a problem that names the variable", async () => {
  const malformed = { ...env, AUDIT_SIGNING_KEY: "nonsense" };
  expect(await publicKeys(malformed, { status: 503, type: "application/problem+json" })).toMatchObject({
    code: "misconfigured",
    detail: expect.stringContaining("AUDIT_SIGNING_KEY"),
  });
});

async function cases(operation: Operation): Promise<Cases> {
  const known = CASES[operation.id];
  if (!known) throw new Error(`no cases for ${operation.id}`);
  return known(operation);
}

function call(operation: Operation, { by, at = {}, query, asked = {} }: Case): Promise<Answer> {
  const parts: Record<string, string> = { org: world.org, ...(typeof at === "function" ? at(by) : at) };
  const path = operation.path
    .replace("/admin/api", "")
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => parts[name] ?? "");
  const search = query === undefined ? "" : `?${query}`;
  return world.call(by, operation.method.toUpperCase(), `${path}${search}`, { env, ...asked });
}
