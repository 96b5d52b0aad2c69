// Security events as OCSF 1.8.0 has them, for a SIEM: class API Activity (6003) under the security control profile. A
// block is an API call that a control denied, complete when it is told; a finding would be something that has a life of
// its own, is updated and closed. Pure. https://schema.ocsf.io/1.8.0/classes/api_activity
import { version } from "../../package.json";
import type { Seal } from "../chain/links.ts";
import type { SecurityEvent } from "./event.ts";
import { failuresInWords } from "./failures-in-words.ts";

const OCSF_VERSION = "1.8.0";
const API_ACTIVITY = 6003;
/** All that is ever kept of a caller whose key could not be read. */
const NOBODY = "unidentified";

/** What every event of ours says of where it comes from; `uid` makes it recognizable when it arrives twice. */
const metadataOf = (uid: string, event_code: string, org: string | null) => ({
  version: OCSF_VERSION,
  uid,
  event_code,
  product: { name: "Portcullis", vendor_name: "Portcullis", version },
  ...(org !== null && { tenant_uid: org }),
});

/** The event as API Activity; with its seal, where it has one. */
export function ocsfOf(event: SecurityEvent, seal?: Seal) {
  const { id, type, at, org, project, key_id, request_id, api, model, providers, policy_revision, repeats } = event;
  const [only, ...others] = providers;
  const named = only && others.length === 0 ? (only.model ?? model) : null;
  return {
    category_uid: 6,
    category_name: "Application Activity",
    class_uid: API_ACTIVITY,
    class_name: "API Activity",
    ...activityOf(api),
    ...verdictOf(event),
    time: Date.parse(at),
    message: messageOf(event),
    status_code: statusCodeOf(event),
    status_detail: event.reason ?? failuresInWords(event),
    metadata: {
      ...metadataOf(id, type, org),
      correlation_uid: request_id,
      profiles: ["security_control", ...(named ? ["ai_operation"] : [])],
      ...(seal && { sequence: seal.seq }),
    },
    actor: { app_name: project ?? NOBODY, ...(key_id !== null && { app_uid: key_id }) },
    api: {
      operation: api ?? "unknown",
      service: { name: "Portcullis" },
      request: { uid: request_id },
      ...(key_id !== null && { token: { uid: key_id, type_id: 7, type: "API Token" } }),
    },
    // No address of a caller is kept: the endpoint is the project, and the country it called from.
    src_endpoint: {
      svc_name: project ?? NOBODY,
      ...(event.country !== null && { location: { country: event.country } }),
    },
    resources: providers.map((provider) => ({
      uid: provider.id,
      name: [provider.id, provider.model ?? model].filter(Boolean).join("/"),
      type: "LLM provider",
      role_id: 1,
      role: "Target",
      data: { failures: provider.failures },
    })),
    ...(only && named && { ai_model: { name: named, ai_provider: only.id } }),
    ...(policy_revision !== null && {
      policy: { name: "Provider compliance policy", version: String(policy_revision), is_applied: true },
    }),
    ...(repeats && {
      count: repeats.at_least,
      start_time: Date.parse(repeats.from),
      end_time: Date.parse(repeats.to),
      duration: Date.parse(repeats.to) - Date.parse(repeats.from),
    }),
    unmapped: unmappedOf(event, seal),
  };
}

/** A message that is about no API call, such as a signed head: OCSF's base event, with what it says in `unmapped`. */
export function ocsfNotice({
  uid,
  org,
  type,
  at,
  message,
  unmapped,
}: {
  uid: string;
  org: string | null;
  type: string;
  /** RFC 3339. */
  at: string;
  message: string;
  unmapped: Readonly<Record<string, unknown>>;
}) {
  return {
    category_uid: 0,
    category_name: "Uncategorized",
    class_uid: 0,
    class_name: "Base Event",
    activity_id: 99,
    activity_name: type,
    type_uid: 99,
    severity_id: 1,
    severity: "Informational",
    time: Date.parse(at),
    message,
    metadata: metadataOf(uid, type, org),
    unmapped,
  };
}

/** Providers document what these APIs do as creating: a completion, a response, a message. */
function activityOf(api: string | null) {
  const [activity_id, activity_name] = api === null ? [0, "Unknown"] : [1, "Create"];
  return {
    activity_id,
    activity_name,
    type_uid: API_ACTIVITY * 100 + activity_id,
    type_name: `API Activity: ${activity_name}`,
  };
}

const DENIED = { status_id: 2, status: "Failure", action_id: 2, action: "Denied", is_alert: true } as const;
const BLOCKED = { disposition_id: 2, disposition: "Blocked" } as const;

function verdictOf({ type, outcome }: SecurityEvent) {
  if (type === "policy.unavailable") return { ...DENIED, ...BLOCKED, severity_id: 4, severity: "High" };
  switch (outcome) {
    case "refused":
      return { ...DENIED, ...BLOCKED, severity_id: 3, severity: "Medium" };
    // The provider that the client had named was refused; another one answered.
    case "rerouted":
      return {
        status_id: 1,
        status: "Success",
        action_id: 4,
        action: "Modified",
        disposition_id: 99,
        disposition: "Rerouted",
        is_alert: false,
        severity_id: 2,
        severity: "Low",
      };
  }
}

/** The code of the answer, as the client got it. */
function statusCodeOf({ type, outcome, reason }: SecurityEvent): string {
  if (type === "policy.unavailable") return "policy_unavailable";
  if (outcome === "rerouted") return "rerouted";
  return reason === undefined ? "provider_compliance_blocked" : "not_allowed_by_policy";
}

function messageOf({ type, outcome, api, model, providers, reason }: SecurityEvent): string {
  const asked = `${api ?? "A request"}${model === null ? "" : ` for ${model}`}`;
  if (type === "policy.unavailable") return `${asked} was refused: the policy could not be checked.`;
  if (reason !== undefined) return `${asked} was refused: ${reason}.`;
  const named = providers.map(({ id }) => id).join(", ");
  return outcome === "rerouted"
    ? `${asked} was kept from ${named}, and answered by another provider.`
    : `${asked} was refused: the policy does not allow ${named}.`;
}

function unmappedOf(event: SecurityEvent, seal: Seal | undefined) {
  const { outcome, mode, catalog_version, client_request_id, colo, providers_omitted, repeats } = event;
  return {
    outcome,
    mode,
    catalog_version,
    client_request_id,
    colo,
    ...(providers_omitted !== undefined && { providers_omitted }),
    ...(repeats && { count_is_lower_bound: true }),
    ...(seal && { seal: { seq: seal.seq, prev_hash: seal.prev_hash, hash: seal.hash } }),
  };
}
