// One valid security event; a case changes what it is about.
import type { SecurityEvent } from "../src/store/event.ts";
import { newId } from "../src/store/secrets.ts";

/** A refusal of an organization; `now` (epoch milliseconds) is its time and orders its id. */
export function eventOf(org: string, change: Partial<SecurityEvent> = {}, now = Date.now()): SecurityEvent {
  return {
    id: newId("evt", now),
    type: "compliance.blocked",
    outcome: "refused",
    at: new Date(now).toISOString(),
    org,
    project: "web",
    key_id: "key_1",
    request_id: newId("req", now),
    client_request_id: null,
    api: "chat_completions",
    model: "deepseek-v3.2",
    mode: "pinned",
    providers: [{ id: "deepseek", failures: [{ code: "soc2_type2", found: null }] }],
    policy_revision: 1,
    catalog_version: "shipped",
    colo: null,
    country: null,
    ...change,
  };
}
