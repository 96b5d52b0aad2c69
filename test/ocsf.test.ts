// Security events in OCSF: what the published schema requires is there, and what it enumerates is one of its values.
import { describe, expect, it } from "vitest";
import type { SecurityEvent } from "../src/store/event.ts";
import { ocsfNotice, ocsfOf } from "../src/store/ocsf.ts";
import { eventOf } from "./security-event.ts";

type Rule = { required?: readonly string[]; atLeastOne?: readonly string[] };

/**
 * Attributes with `"requirement": "required"`, and constraints `at_least_one`, of ocsf/ocsf-schema at tag 1.8.0 (commit
 * 6fa6499a): the event by events/base_event.json and events/application/api_activity.json, each member by the object of
 * that type below objects/.
 */
const BASE: Rule = {
  required: ["activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"],
};
const API_ACTIVITY: Record<string, Rule> = {
  "": { required: [...(BASE.required ?? []), "actor", "api", "src_endpoint"] },
  metadata: { required: ["product", "version"] },
  "metadata.product": { atLeastOne: ["name", "uid"] },
  actor: { atLeastOne: ["process", "user", "invoked_by", "session", "app_name", "app_uid"] },
  api: { required: ["operation"] },
  "api.request": { required: ["uid"] },
  "api.service": { atLeastOne: ["name", "uid"] },
  src_endpoint: {
    atLeastOne: [
      "ip",
      "uid",
      "name",
      "hostname",
      "svc_name",
      "instance_uid",
      "interface_uid",
      "interface_name",
      "domain",
    ],
  },
  "src_endpoint.location": { atLeastOne: ["city", "country", "postal_code", "region"] },
  policy: { atLeastOne: ["name", "type", "uid"] },
  ai_model: { required: ["ai_provider", "name"] },
};
/** Of dictionary.json and profiles/security_control.json, without what is never ours. */
const ENUMS: Record<string, Record<number, string>> = {
  severity: { 1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical" },
  status: { 0: "Unknown", 1: "Success", 2: "Failure" },
  action: { 0: "Unknown", 1: "Allowed", 2: "Denied", 3: "Observed", 4: "Modified" },
  disposition: { 0: "Unknown", 1: "Allowed", 2: "Blocked", 15: "Detected", 27: "Error" },
};
/** "Other": its caption is the source's own. */
const OTHER = 99;

function lacking(event: object, rules: Record<string, Rule>): string[] {
  return Object.entries(rules).flatMap(([path, { required = [], atLeastOne = [] }]) => {
    const at = path
      .split(".")
      .filter(Boolean)
      .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], event);
    if (at === undefined) return [];
    const has = (name: string) => (at as Record<string, unknown>)[name] ?? undefined;
    const missing = required.filter((name) => has(name) === undefined).map((name) => `${path}.${name}`);
    const none = atLeastOne.length > 0 && !atLeastOne.some((name) => has(name) !== undefined);
    return none ? [...missing, `${path}: one of ${atLeastOne}`] : missing;
  });
}

const NOON = Date.parse("2026-11-01T12:00:00.123Z");
const nothingKnown = { org: null, project: null, key_id: null, api: null, model: null, mode: null, providers: [] };
const seal = { seq: 7, prev_hash: "0".repeat(64), hash: "f".repeat(64) };
const failing = (id: string, model?: string) => ({
  id,
  ...(model !== undefined && { model }),
  failures: [{ code: "soc2_type2", found: null }],
});

const EVENTS: Record<string, Partial<SecurityEvent>> = {
  "a refusal": {},
  "a rerouted request": { outcome: "rerouted" },
  "an unavailable policy of nobody": {
    ...nothingKnown,
    type: "policy.unavailable",
    policy_revision: null,
    catalog_version: null,
    reason: "the policy cannot be read",
  },
  "a field that is not allowed": { providers: [], reason: "background is not allowed under no_logging" },
  "several providers": { providers: [failing("deepseek"), failing("xai")], providers_omitted: 3 },
  "several models": { providers: [failing("deepseek", "a"), failing("deepseek", "b")] },
  "folded repeats": {
    repeats: { at_least: 41, from: "2026-11-01T12:00:00.000Z", to: "2026-11-01T12:01:00.000Z" },
  },
  "a caller with a country": { country: "FR", colo: "CDG", client_request_id: "mine" },
};
const event = (change: Partial<SecurityEvent> = {}) => ocsfOf(eventOf("acme", change, NOON), seal);

describe.each(Object.entries(EVENTS))("%s", (_, change) => {
  const given = event(change) as Record<string, unknown>;

  it("has all that the schema requires", () => {
    expect(lacking(given, API_ACTIVITY)).toEqual([]);
    for (const resource of given.resources as object[])
      expect(lacking(resource, { "": { atLeastOne: ["name", "uid"] } })).toEqual([]);
  });

  it("says of its class, activity and type the same", () => {
    expect([given.category_uid, given.class_uid]).toEqual([6, 6003]);
    expect([0, 1, 2, 3, 4]).toContain(given.activity_id);
    expect(given.type_uid).toBe(600300 + (given.activity_id as number));
  });

  it("names each enumerated value as the schema does", () => {
    for (const [name, captions] of Object.entries(ENUMS)) {
      const id = given[`${name}_id`] as number;
      if (id === OTHER) expect(given[name]).toEqual(expect.any(String));
      else expect([name, given[name]]).toEqual([name, captions[id] ?? "a value of the schema"]);
    }
  });

  it("holds no member that is undefined or no JSON, and its time in epoch milliseconds", () => {
    expect(JSON.parse(JSON.stringify(given))).toEqual(given);
    expect(given.time).toBe(NOON);
  });
});

it("a check that a member is there fails where it is not", () => {
  const { actor: _, ...without } = event();
  expect(lacking(without, API_ACTIVITY)).toEqual([".actor"]);
  expect(lacking({ ...event(), src_endpoint: {} }, API_ACTIVITY)).toHaveLength(1);
});

it("a refusal is a call that failed because a control denied and blocked it", () => {
  expect(event()).toMatchObject({
    status: "Failure",
    action: "Denied",
    disposition: "Blocked",
    severity: "Medium",
    is_alert: true,
    status_code: "provider_compliance_blocked",
    status_detail: "deepseek: soc2_type2 (unknown)",
    message: "chat_completions for deepseek-v3.2 was refused: the policy does not allow deepseek.",
    actor: { app_name: "web", app_uid: "key_1" },
    api: { operation: "chat_completions", token: { uid: "key_1", type_id: 7 } },
    resources: [{ uid: "deepseek", name: "deepseek/deepseek-v3.2", role: "Target" }],
    ai_model: { name: "deepseek-v3.2", ai_provider: "deepseek" },
    policy: { version: "1", is_applied: true },
    metadata: {
      tenant_uid: "acme",
      sequence: 7,
      profiles: ["security_control", "ai_operation"],
      event_code: "compliance.blocked",
    },
    unmapped: { seal },
  });
});

it("the event's id is the one of our own, so that it is known when it arrives twice", () => {
  const ours = eventOf("acme", {}, NOON);
  expect(ocsfOf(ours).metadata.uid).toBe(ours.id);
});

it("a rerouted request is a call that succeeded after a control changed where it went", () => {
  expect(event({ outcome: "rerouted" })).toMatchObject({ status: "Success", action: "Modified", is_alert: false });
});

it("a shut gateway is graver than a block", () => {
  const { severity_id } = event({ type: "policy.unavailable" });
  expect(severity_id).toBeGreaterThan(event().severity_id);
});

it("repeats are counted over their window, and the count says that it is a lower bound", () => {
  expect(event(EVENTS["folded repeats"])).toMatchObject({
    count: 41,
    start_time: Date.parse("2026-11-01T12:00:00Z"),
    end_time: Date.parse("2026-11-01T12:01:00Z"),
    duration: 60_000,
    unmapped: { count_is_lower_bound: true },
  });
});

it("a model that several providers were refused for is no single AI model", () => {
  expect(event(EVENTS["several providers"])).not.toHaveProperty("ai_model");
  expect(event(EVENTS["several models"]).resources.map(({ name }) => name)).toEqual(["deepseek/a", "deepseek/b"]);
});

it("a notice is a base event, whole", () => {
  const notice = ocsfNotice({
    uid: "x",
    org: "acme",
    type: "audit.head",
    at: "2026-11-01T12:00:00Z",
    message: "m",
    unmapped: {},
  });
  expect(lacking(notice, { "": BASE, metadata: API_ACTIVITY.metadata ?? {} })).toEqual([]);
  expect([notice.class_uid, notice.type_uid, notice.activity_name]).toEqual([0, 99, "audit.head"]);
});
