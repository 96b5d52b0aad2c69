// The demo organization, made through the real admin API. Every step is skipped when an earlier start has done it, so a
// start that was interrupted, or a token that was revoked since, is made good by the next one.
import * as z from "zod";
import type { StoredPolicy } from "../compliance/policy.ts";
import { type AdminApi, adminApi, expectStatus } from "./admin-api.ts";
import { Halt } from "./command.ts";
import type { Demo } from "./demo.ts";

export const DEMO_ORG = "acme";

const DEMO_POLICY: StoredPolicy = {
  enabled: true,
  requirements: ["soc2_type2", "no_training"],
  headquarters: [],
  providers: { allow: [], block: [] },
  models: { allow: [], block: [] },
};

export type Role = "owner" | "admin" | "developer";
type Project = keyof Demo["api_keys"];
export type Credentials = Pick<Demo, "api_keys" | "owner_token" | "admin_token" | "developer_token">;

const NewToken = z.object({ token: z.string() });
const NewKey = z.object({ key: z.string() });

export const emailOf = (role: Role): string => `${role}@${DEMO_ORG}.example`;

/** Makes whatever of the demo organization is missing; `known` are the credentials of an earlier start. */
export async function seedDemo(url: string, operator: AdminApi, known: Credentials | null): Promise<Credentials> {
  const ownerToken = await usable(url, known?.owner_token, isAdminToken);
  const owner_token = ownerToken ?? (await createOrganization(operator));
  const owner = adminApi(url, owner_token);
  const member = async (role: Role, token: string | undefined) =>
    (await usable(url, token, isAdminToken)) ?? (await createMember(owner, role));
  const project = async (name: Project) =>
    (await usable(url, known?.api_keys[name], isApiKey)) ?? (await createKey(owner, name));
  return {
    owner_token,
    admin_token: await member("admin", known?.admin_token),
    developer_token: await member("developer", known?.developer_token),
    api_keys: { web: await project("web"), batch: await project("batch") },
  };
}

/** Creates the organization and its first owner; returns the owner's token. */
async function createOrganization(operator: AdminApi): Promise<string> {
  const organization = { id: DEMO_ORG, name: "Acme", plan: "enterprise", policy: DEMO_POLICY };
  const created = await operator.call("POST", "/orgs", organization);
  // 409: an earlier start got this far. If it also got further, its owner exists, and only they may make more.
  expectStatus(created, [200, 201, 409], `creating the organization ${DEMO_ORG}`);
  const owner = await operator.call("PUT", memberPath("owner"), { role: "owner" });
  if (created.status === 409 && owner.status >= 400 && owner.status < 500) throw credentialsLost();
  expectStatus(owner, [200, 201], "creating the first owner");
  return createToken(operator, "owner");
}

function credentialsLost(): Halt {
  return new Halt(
    `The demo's data is still in .wrangler/state, but .wrangler/demo.json, which held its credentials, is gone or no
longer fits. Only hashes of credentials are stored, so they cannot be recovered.

Start anew with:  npm start -- --fresh`,
  );
}

async function createMember(owner: AdminApi, role: Role): Promise<string> {
  expectStatus(await owner.call("PUT", memberPath(role), { role }), [200, 201], `creating the ${role}`);
  return createToken(owner, role);
}

async function createToken(by: AdminApi, role: Role): Promise<string> {
  const answer = await by.call("POST", `${memberPath(role)}/tokens`, {});
  expectStatus(answer, [200, 201], `creating the ${role}'s token`);
  return NewToken.parse(answer.body).token;
}

async function createKey(owner: AdminApi, project: Project): Promise<string> {
  const answer = await owner.call("POST", `/orgs/${DEMO_ORG}/keys`, { project, name: `${project} demo` });
  expectStatus(answer, [200, 201], `creating the API key of project ${project}`);
  return NewKey.parse(answer.body).key;
}

const memberPath = (role: Role) => `/orgs/${DEMO_ORG}/members/${encodeURIComponent(emailOf(role))}`;

type Check = (url: string, credential: string) => Promise<boolean>;

async function usable(url: string, credential: string | undefined, check: Check): Promise<string | null> {
  return credential !== undefined && (await check(url, credential)) ? credential : null;
}

/** Whether the Worker at `url` knows this admin token. A developer's is answered 403 here: known, but not permitted. */
export const isAdminToken: Check = async (url, token) => {
  const { status, body } = await adminApi(url, token).call("GET", `/orgs/${DEMO_ORG}/policy`);
  return (status === 200 || status === 403) && typeof body === "object";
};

const isApiKey: Check = async (url, key) =>
  (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).ok;
