// One request to a model, from top to bottom: authenticate → read body → load policy and catalog → plan → (refuse |
// harden → dispatch). Nothing of the prompt leaves before the plan holds only providers that passed. The policy is
// loaded after the body: a client can send its body slowly, but never by yesterday's policy.
import type { Context } from "hono";
import type { Candidate, CatalogIndex } from "../catalog/lookup.ts";
import type { ApiId, Provider } from "../catalog/schema.ts";
import type { Evaluator } from "../compliance/evaluator.ts";
import type { RequirementId } from "../compliance/requirements.ts";
import { isHealthy } from "../routing/health.ts";
import { addedRequirements, ignoredPreferences } from "../routing/preferences.ts";
import { type Edge, loadRules } from "../store/edge.ts";
import type { OrgRecord } from "../store/records.ts";
import { authenticate } from "./authenticate.ts";
import { recordAndRefuse, recordLateRemoval, refuseField } from "./block.ts";
import { edgeOf, type GatewayEnv, isolateOf, ownHeaders } from "./context.ts";
import { type Credential, credentialFor } from "./credentials.ts";
import { type Dispatched, dispatch, healthKeyOf, type Prepared } from "./dispatch.ts";
import { withFields } from "./form-body.ts";
import { type Hardening, harden, hardenedFor } from "./harden.ts";
import { mayNameModel, memberText, withMembers } from "./json-body.ts";
import type { JudgedName } from "./judged-names.ts";
import { MODELS_NAMED_IN, otherModels } from "./other-models.ts";
import { planRequest, type Removed, type Situation } from "./plan.ts";
import { isInert } from "./prompt-walk.ts";
import { type Body, readBody, requireOneReading, reserveBytes } from "./read-body.ts";
import { type Asked, readRequest } from "./read-request.ts";
import { remoteTools } from "./remote-tools.ts";
import { judgeFor, rulesFor } from "./rules.ts";
import type { Surface } from "./surfaces.ts";
import type { Admitted } from "./upstream.ts";
import { type HeaderFields, returnedHeaders } from "./upstream-request.ts";

/** Answers a request on one of the surfaces. Refuses by throwing. */
export async function serve(c: Context<GatewayEnv>, surface: Surface): Promise<Response> {
  const { api } = surface;
  const request = c.req.raw;
  const edge = edgeOf(c);
  const caller = await authenticate(request.headers, edge);
  c.set("caller", caller);

  const isolate = isolateOf(c.env);
  const memory = reserveBytes(isolate, request.signal);
  try {
    const body = await readBody(request, surface.body, { settings: edge.settings, memory });
    const { org, catalog } = await loadRules(edge, caller.org);
    c.set("revision", org.revision);
    const asked = readRequest(body, catalog.providers);
    const added = addedRequirements(asked.preferences);
    const rulesBy = (record: OrgRecord) => rulesFor(record, caller.project, added);
    const beside = {
      remoteTools: () => remoteToolsOf(body, api),
      otherModels: () => otherModelsOf(body, api),
    };
    const judge = judgeFor(rulesBy(org), catalog, beside);
    let credentialOf = credentialsFor(edge, api, org);
    const situation = situationOf({ catalog, org, judge, api, credentialOf, health: isolate.health });
    const plan = planRequest(asked, situation);
    await recordAndRefuse(c, plan, { revision: org.revision, situation });

    const hardenBy = (record: OrgRecord): Hardening | Promise<never> => {
      const hardened = hardenedBody(body, rulesBy(record).keepsNothing, api);
      return "field" in hardened ? refuseField(c, hardened, { plan, revision: record.revision, situation }) : hardened;
    };
    let hardening = await hardenBy(org);
    const answer = await dispatch(plan.admitted, {
      prepare: (admitted) => prepare(admitted, { api, body, hardening, credentialOf }),
      readmit: async ({ candidate }) => {
        const now = await loadRules(edge, caller.org);
        hardening = await hardenBy(now.org);
        credentialOf = credentialsFor(edge, api, now.org);
        const judged = judgeNow(candidate, now.catalog, judgeFor(rulesBy(now.org), now.catalog, beside));
        if (judged === null || isAdmitted(judged)) return judged;
        recordLateRemoval(c, judged, { plan, revision: now.org.revision, situation });
        return null;
      },
      call: {
        surface,
        clientHeaders: request.headers,
        query: queryOf(request.url),
        clientGone: request.signal,
        headersTimeoutSeconds: edge.settings.UPSTREAM_HEADERS_TIMEOUT_SECONDS,
      },
      idleTimeoutSeconds: edge.settings.UPSTREAM_IDLE_TIMEOUT_SECONDS,
      isolate,
    });
    return respond(answer, ownHeaders(c), asked);
  } finally {
    memory.release();
  }
}

type CredentialOf = (candidate: Candidate) => Credential | null;

function credentialsFor({ env, settings }: Edge, api: ApiId, org: OrgRecord): CredentialOf {
  // Asked several times for each candidate: whether there is one, how it fares, and to use it.
  const found = new Map<Provider, Credential | null>();
  return ({ provider }) => {
    const known = found.get(provider);
    if (known !== undefined) return known;
    const endpoint = provider.apis[api];
    const credential = endpoint ? credentialFor(provider, endpoint, { env, settings, org }) : null;
    found.set(provider, credential);
    return credential;
  };
}

function situationOf({
  catalog,
  org,
  judge,
  api,
  credentialOf,
  health,
}: {
  catalog: CatalogIndex;
  org: OrgRecord;
  judge: Evaluator;
  api: ApiId;
  credentialOf: CredentialOf;
  health: Parameters<typeof isHealthy>[0];
}): Situation {
  const now = Date.now();
  return {
    catalog,
    judge,
    api,
    auto: org.routing.auto,
    hasCredentials: (candidate) => credentialOf(candidate) !== null,
    isHealthy: (candidate) => {
      const credential = credentialOf(candidate);
      return credential === null || isHealthy(health, healthKeyOf(candidate.provider.id, credential), now);
    },
    now,
  };
}

function hardenedBody(body: Body, keepsNothing: RequirementId | undefined, api: ApiId): ReturnType<typeof harden> {
  if (keepsNothing) requireOneReading(body, isJudgedInside);
  const textOf = (name: JudgedName) => ("parts" in body ? "null" : memberText(body, name));
  return harden(keepsNothing, api, { root: body.root, textOf });
}

/** `tools` have one reading by then, whatever the policy. */
const isJudgedInside = (name: string) => !isInert(name);

function remoteToolsOf(body: Body, api: ApiId): string[] {
  requireOneReading(body, isJudgedInside);
  return remoteTools(api, body.root);
}

function otherModelsOf(body: Body, api: ApiId): string[] {
  const members = MODELS_NAMED_IN.filter((name) => ("parts" in body ? name in body.root : mayNameModel(body, name)));
  if (members.length === 0) return [];
  requireOneReading(body, (name) => members.some((member) => member === name));
  return otherModels(api, Object.fromEntries(members.map((name) => [name, body.root[name]])));
}

/** Members by which an aggregator lets a client choose who reads the prompt. */
const STEERING: readonly JudgedName[] = ["route", "transforms", "plugins", "providerOptions", "extra_body"];

/** The body for one candidate: its name for the model, nothing of ours, and what compliance demands. */
function prepare(
  { candidate }: Admitted,
  { api, body, hardening, credentialOf }: { api: ApiId; body: Body; hardening: Hardening; credentialOf: CredentialOf },
): Prepared | null {
  const credential = credentialOf(candidate);
  const endpoint = candidate.provider.apis[api];
  if (!credential || !endpoint) return null;
  const { members, said: enforced } = hardenedFor(hardening, endpoint, body.root);
  const changes = new Map<JudgedName, string | null>(members);
  changes.set("model", JSON.stringify(candidate.mapping.model)).set("models", null).set("provider", null);
  if (candidate.provider.aggregator) for (const name of STEERING) changes.set(name, null);
  if ("parts" in body) return { credential, enforced, ...withFields(body, changes) };
  return { credential, enforced, body: withMembers(body, changes), contentType: "application/json" };
}

/** The candidate as the catalog has it now, judged now; null when it is gone. */
function judgeNow({ provider, model }: Candidate, catalog: CatalogIndex, judge: Evaluator): Admitted | Removed | null {
  const candidate = catalog.candidates.get(model)?.find((each) => each.provider.id === provider.id);
  if (!candidate) return null;
  const verdict = judge(candidate, Date.now());
  return verdict.allowed ? { candidate, verdict } : { candidate, verdict };
}

function isAdmitted(judged: Admitted | Removed): judged is Admitted {
  return judged.verdict.allowed;
}

/** The provider's answer under our headers; its bytes pass as they come. */
function respond({ provider, response, body, enforced }: Dispatched, own: HeaderFields, asked: Asked): Response {
  const headers = returnedHeaders(response.headers, own);
  headers["portcullis-provider"] = provider;
  if (enforced.length > 0) headers["portcullis-enforced"] = enforced.join(", ");
  const ignored = ignoredPreferences(asked.preferences);
  if (ignored.length > 0) headers["portcullis-ignored"] = printable(ignored.join(", "));
  return new Response(body, { status: response.status, headers });
}

const MAX_HEADER_LENGTH = 512;

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, MAX_HEADER_LENGTH);
}

function queryOf(url: string): string {
  const at = url.indexOf("?");
  return at < 0 ? "" : url.slice(at);
}
