// One request to a model, from top to bottom: authenticate → read body → load policy and catalog → plan → (refuse |
// harden → dispatch). Nothing of the prompt leaves before the plan holds only providers that passed. The policy is
// loaded after the body: a client can send its body slowly, but never by yesterday's policy.
import type { Context } from "hono";
import type { Candidate, CatalogIndex } from "../catalog/lookup.ts";
import type { ApiId } from "../catalog/schema.ts";
import type { Evaluator } from "../compliance/evaluator.ts";
import { isHealthy } from "../routing/health.ts";
import { addedRequirements, ignoredPreferences } from "../routing/preferences.ts";
import { type Edge, loadRules } from "../store/edge.ts";
import type { OrgRecord } from "../store/records.ts";
import { authenticate } from "./authenticate.ts";
import { recordAndRefuse } from "./block.ts";
import { edgeOf, type GatewayEnv, isolateOf, ownHeaders } from "./context.ts";
import { type Credential, credentialFor } from "./credentials.ts";
import { type Attemptable, type Dispatched, dispatch, healthKeyOf } from "./dispatch.ts";
import { type Hardening, harden } from "./harden.ts";
import { type JsonBody, withMembers } from "./json-body.ts";
import { type Plan, planRequest, type Situation } from "./plan.ts";
import { readBody, reserveBytes } from "./read-body.ts";
import { type Asked, readRequest } from "./read-request.ts";
import { evaluatorFor, rulesOf } from "./rules.ts";
import type { Surface } from "./surfaces.ts";
import type { Admitted } from "./upstream.ts";
import { type HeaderFields, returnedHeaders } from "./upstream-request.ts";

/** Answers a request on one of the surfaces. Refuses by throwing. */
export async function serve(c: Context<GatewayEnv>, { api }: Surface): Promise<Response> {
  const request = c.req.raw;
  const edge = edgeOf(c);
  const caller = await authenticate(request.headers, edge);
  c.set("caller", caller);

  const isolate = isolateOf(c.env);
  const memory = reserveBytes(isolate);
  try {
    const body = await readBody(request, edge.settings, memory.reserve);
    const { org, catalog } = await loadRules(edge, caller.org);
    c.set("revision", org.revision);
    const asked = readRequest(body, catalog.providers);
    const added = addedRequirements(asked.preferences);
    const judge = evaluatorFor(org, caller.project, added);
    const credentialOf = credentialsFor(edge, api);
    const situation = situationOf({ catalog, org, judge, api, credentialOf, health: isolate.health });
    const plan = planRequest(asked, situation);
    await recordAndRefuse(c, plan, { revision: org.revision, situation });

    const hardening = harden(rulesOf(org, caller.project, added));
    const readmit = async ({ candidate }: Admitted) => {
      const rules = await loadRules(edge, caller.org);
      return admittedNow(candidate, rules.catalog, evaluatorFor(rules.org, caller.project, added));
    };
    const call = {
      api,
      clientHeaders: request.headers,
      query: queryOf(request.url),
      clientGone: request.signal,
      headersTimeoutSeconds: edge.settings.UPSTREAM_HEADERS_TIMEOUT_SECONDS,
    };
    const attempts = attemptsOf(plan, { body, hardening, credentialOf, readmit });
    const answer = await dispatch(attempts, call, isolate);
    return respond(answer, { own: ownHeaders(c), asked, hardening });
  } finally {
    memory.release();
  }
}

type CredentialOf = (candidate: Candidate) => Credential | null;

function credentialsFor({ env, settings }: Edge, api: ApiId): CredentialOf {
  return ({ provider }) => {
    const endpoint = provider.apis[api];
    return endpoint ? credentialFor(provider, endpoint, env, settings) : null;
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

/**
 * The attempts in order, each made only when its turn comes. A provider can take minutes to fail, so whatever follows
 * the first is judged once more by the rules of that moment.
 */
async function* attemptsOf(
  { admitted }: Plan,
  {
    body,
    hardening,
    credentialOf,
    readmit,
  }: {
    body: JsonBody;
    hardening: Hardening;
    credentialOf: CredentialOf;
    readmit: (admitted: Admitted) => Promise<Admitted | null>;
  },
): AsyncIterable<Attemptable> {
  for (const [turn, planned] of admitted.entries()) {
    const now = turn === 0 ? planned : await readmit(planned);
    const credential = now && credentialOf(now.candidate);
    if (!credential) continue;
    const model = JSON.stringify(now.candidate.mapping.model);
    const changes = new Map<string, string | null>([
      ["model", model],
      ["models", null],
      ["provider", null],
      ...hardening.members,
    ]);
    yield { admitted: now, credential, body: withMembers(body, changes) };
  }
}

/** The candidate as the catalog has it now, if it passes now. */
function admittedNow({ provider, model }: Candidate, catalog: CatalogIndex, judge: Evaluator): Admitted | null {
  const candidate = catalog.candidates.get(model)?.find((each) => each.provider.id === provider.id);
  if (!candidate) return null;
  const verdict = judge(candidate, Date.now());
  return verdict.allowed ? { candidate, verdict } : null;
}

/** The provider's answer under our headers; its bytes pass as they come. */
function respond(
  { provider, response }: Dispatched,
  { own, asked, hardening }: { own: HeaderFields; asked: Asked; hardening: Hardening },
): Response {
  const ignored = ignoredPreferences(asked.preferences);
  const headers = {
    ...returnedHeaders(response.headers),
    ...own,
    "portcullis-provider": provider,
    ...(hardening.said.length > 0 && { "portcullis-enforced": hardening.said.join(", ") }),
    ...(ignored.length > 0 && { "portcullis-ignored": printable(ignored.join(", ")) }),
  };
  return new Response(response.body, { status: response.status, headers });
}

const MAX_HEADER_LENGTH = 512;

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, MAX_HEADER_LENGTH);
}

function queryOf(url: string): string {
  const at = url.indexOf("?");
  return at < 0 ? "" : url.slice(at);
}
