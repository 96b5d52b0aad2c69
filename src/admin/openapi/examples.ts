// What the examples of the document share. Nothing here exists anywhere, and no key opens anything.
import type { StoredPolicy } from "../../compliance/policy.ts";
import type { SecurityEvent } from "../../store/event.ts";

export const CSV = "RFC 4180 with a header line; cells that a spreadsheet would run begin with '.";

export const AT = "2026-11-23T20:33:05.120Z";
export const OWNER = "owner@acme.example";
export const CURSOR = "YXVkaXQtbG9nCmFjbWUKbG9nXzAxS0FTNjFLTTE2VkRDMldFV01RQkNROVo2";
export const HASH = "5f0c1d3b8a7e96421f0e8d7c6b5a49382716f5e4d3c2b1a09f8e7d6c5b4a3921";

export const POLICY: StoredPolicy = {
  enabled: true,
  requirements: ["soc2_type2", "no_training"],
  headquarters: ["US", "FR"],
  providers: { allow: [], block: ["xai"] },
  models: { allow: [], block: [] },
};

export const FAILURES = [{ code: "soc2_type2", found: null }];

export const EVENT: SecurityEvent = {
  id: "evt_01KAS61KM16VDC2WEWMQBCQ9Z6",
  type: "compliance.blocked",
  outcome: "refused",
  at: AT,
  org: "acme",
  project: "web",
  key_id: "key_01KAS5ZQ4M3V0WQ6W1E9A2C7XD",
  request_id: "req_01KAS61KKXJ5RB2V8C0N4E3T6F",
  client_request_id: null,
  api: "chat_completions",
  model: "deepseek-v3.2",
  mode: "pinned",
  providers: [{ id: "deepseek", failures: FAILURES }],
  policy_revision: 7,
  catalog_version: "2026-11-22-1f0e8d7c",
  colo: "CDG",
  country: "FR",
};

export const REVISED = { revision: 7, updated_at: AT, updated_by: OWNER };

export const PREVIEW = {
  catalog_version: "2026-11-22-1f0e8d7c",
  revision: 7,
  summary: { providers: { allowed: 21, blocked: 28 }, models: { allowed: 201, blocked: 188 } },
  providers: [
    { id: "deepseek", name: "DeepSeek", allowed: false, failures: FAILURES, change: "newly_blocked" as const },
  ],
  models: [
    {
      id: "deepseek-v3.2",
      allowed_providers: ["deepinfra"],
      blocked_providers: [{ id: "deepseek", failures: FAILURES }],
      change: null,
    },
  ],
};

export const HEAD = {
  org: "acme",
  seq: 1204,
  hash: HASH,
  at: AT,
  key_id: "0f3a1c5be2d49786",
  signature: "A".repeat(86),
};
