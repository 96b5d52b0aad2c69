// A security event of a request: what is known of who called, with what, from where. Never any content.
import type { Context } from "hono";
import { shown } from "../errors.ts";
import type { SecurityEvent } from "../store/event.ts";
import { newId, timestamp } from "../store/secrets.ts";
import { type GatewayEnv, requestIdOf } from "./context.ts";

const MAX_CLIENT_ID_LENGTH = 128;

type Known = "id" | "at" | "org" | "project" | "key_id" | "request_id" | "client_request_id" | "colo" | "country";

/** Completes an event with the caller, ids, time and place of the request. */
export function newEvent(c: Context<GatewayEnv>, event: Omit<SecurityEvent, Known>): SecurityEvent {
  const now = Date.now();
  const caller = c.get("caller");
  const cf = c.req.raw.cf as { colo?: unknown; country?: unknown } | undefined;
  const clientId = c.req.header("x-client-request-id");
  return {
    id: newId("evt", now),
    at: timestamp(now),
    org: caller?.org ?? null,
    project: caller?.project ?? null,
    key_id: caller?.key_id ?? null,
    request_id: requestIdOf(c),
    client_request_id: clientId === undefined ? null : shown(clientId.slice(0, MAX_CLIENT_ID_LENGTH)),
    colo: textOrNull(cf?.colo),
    country: textOrNull(cf?.country),
    ...event,
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value.slice(0, 16) : null;
}
