// Replacing CREDENTIALS_KEY: what earlier keys sealed is sealed anew by cron, as a revision of the system's, until the
// earlier key can be thrown away.
import { beforeEach, expect, it } from "vitest";
import { repairEdge } from "../src/audit/cron.ts";
import type { Env } from "../src/env.ts";
import { openCredential } from "../src/store/provider-credentials.ts";
import { listRevisions, newestRevision } from "../src/store/revisions.ts";
import { keyringOf } from "../src/store/sealing.ts";
import { type AdminWorld, made, openAdminWorld } from "./admin-world.ts";
import { newCredentialsKey } from "./credential-fixtures.ts";
import { replacing } from "./world.ts";

const SECRET = "sk-own-0123456789abcdef";

let world: AdminWorld;
let earlier: string;
let rotated: Env;
beforeEach(async () => {
  world = await openAdminWorld();
  earlier = newCredentialsKey();
  const env = { ...world.env, CREDENTIALS_KEY: earlier };
  for (const provider of ["openai", "groq"])
    await made(
      world.ask("owner", "PUT", `/credentials/${provider}`, { body: { secret: `${SECRET}-${provider}` }, env }),
    );
  rotated = { ...world.env, CREDENTIALS_KEY: newCredentialsKey(), CREDENTIALS_KEY_PREVIOUS: earlier };
});

/** Cron for this organization alone: other files leave theirs in the same database. */
function alone(env: Env): Env {
  const prepare: D1Database["prepare"] = (query) =>
    query.includes("FROM orgs ORDER BY")
      ? env.DB.prepare(query.replace("FROM orgs ORDER BY", "FROM orgs WHERE id = ? ORDER BY")).bind(world.org)
      : env.DB.prepare(query);
  return { ...env, DB: replacing(env.DB, { prepare }) };
}

const keyId = (env: Env) => keyringOf(env).sealing?.id;
async function openedBy(env: Env) {
  const { credentials } = await world.atEdge();
  return Object.fromEntries(
    Object.entries(credentials).map(([provider, credential]) => {
      const opened = openCredential(keyringOf(env), { org: world.org, provider }, credential);
      return [provider, opened.ok ? opened.secret : opened.why];
    }),
  );
}

it("ends by itself: one run seals all anew and publishes it, and the earlier key opens nothing any more", async () => {
  const before = (await world.atEdge()).credentials;
  await repairEdge(alone(rotated));
  const { revision, credentials } = await world.atEdge();
  expect(revision).toBe(4);
  const { CREDENTIALS_KEY_PREVIOUS: _, ...afterwards } = rotated;
  expect(await openedBy(afterwards)).toEqual({
    openai: { kind: "secret", secret: `${SECRET}-openai` },
    groq: { kind: "secret", secret: `${SECRET}-groq` },
  });
  expect(await openedBy({ ...world.env, CREDENTIALS_KEY: earlier })).toEqual({
    openai: "unknown key",
    groq: "unknown key",
  });
  for (const [provider, { sealed, ...rest }] of Object.entries(credentials)) {
    expect(sealed.key_id).toBe(keyId(rotated));
    expect(before[provider]).toMatchObject(rest);
  }
  const newest = await newestRevision(world.env, world.org);
  expect(newest).toMatchObject({ created_by: "system", change: expect.stringContaining(keyId(rotated) ?? "?") });
  const log = (await world.ask("owner", "GET", "/audit-log")).body.data[0];
  expect(log).toMatchObject({ actor: "system", action: "credential.reseal", detail: { change: newest?.change } });
});

it("leaves nothing under the earlier key in any revision", async () => {
  await repairEdge(alone(rotated));
  const revisions = await listRevisions(world.env, { org: world.org, before: 99, limit: 99 });
  expect(revisions).toHaveLength(4);
  expect(JSON.stringify(revisions)).not.toContain(keyId({ ...world.env, CREDENTIALS_KEY: earlier }));
});

it("makes no further revision once it has ended", async () => {
  await repairEdge(alone(rotated));
  await repairEdge(alone(rotated));
  expect((await world.atEdge()).revision).toBe(4);
});

it("makes no revision for an organization without keys of its own", async () => {
  const other = await openAdminWorld();
  world = other;
  await repairEdge(alone(rotated));
  expect((await other.atEdge()).revision).toBe(1);
});

it.each<[string, () => Env]>([
  ["the earlier key is lost", () => ({ ...rotated, CREDENTIALS_KEY_PREVIOUS: "" })],
  ["CREDENTIALS_KEY is not set", () => ({ ...rotated, CREDENTIALS_KEY: "" })],
  ["CREDENTIALS_KEY is malformed", () => ({ ...rotated, CREDENTIALS_KEY: "malformed" })],
])("changes nothing where %s, and fails by name so that somebody looks", async (_, envOf) => {
  await expect(repairEdge(alone(envOf()))).rejects.toThrow(`not repaired: credentials of ${world.org}`);
  expect((await world.atEdge()).revision).toBe(3);
});

it("seals what can be opened although one cannot, and fails by name", async () => {
  const lost = { ...world.env, CREDENTIALS_KEY: newCredentialsKey() };
  await made(world.ask("owner", "PUT", "/credentials/groq", { body: { secret: SECRET }, env: lost }));
  await expect(repairEdge(alone(rotated))).rejects.toThrow("credentials of");
  expect(await openedBy(rotated)).toEqual({
    openai: { kind: "secret", secret: `${SECRET}-openai` },
    groq: "unknown key",
  });
});

it("gives way to a save at the same moment, and comes back to it", async () => {
  const { env } = world;
  let raced = false;
  const batch: D1Database["batch"] = async (statements) => {
    if (!raced) {
      raced = true;
      await made(world.ask("owner", "DELETE", "/credentials/groq"));
    }
    return env.DB.batch(statements);
  };
  const racing = alone(rotated);
  await repairEdge({ ...racing, DB: replacing(racing.DB, { batch }) });
  expect(Object.keys((await world.atEdge()).credentials)).toEqual(["openai"]);
  await repairEdge(alone(rotated));
  expect(await openedBy(rotated)).toEqual({ openai: { kind: "secret", secret: `${SECRET}-openai` } });
});
