// The only place that makes a response of an error. A policy that could not be read is recorded here as well.
import type { Context } from "hono";
import { recordEvent } from "../audit/record.ts";
import { type Refusal, RefusalError, toResponse } from "../errors.ts";
import { type GatewayEnv, ownHeaders, requestIdOf } from "./context.ts";
import { newEvent } from "./event.ts";
import { dialectOf } from "./surfaces.ts";

/** `onError` of the data plane. */
export async function answerError(error: Error, c: Context<GatewayEnv>): Promise<Response> {
  const refusal = refusalOf(error, c);
  if (refusal.code === "policy_unavailable")
    await recordEvent(
      c.env,
      c.executionCtx,
      newEvent(c, {
        type: "policy.unavailable",
        outcome: "refused",
        api: null,
        model: null,
        mode: null,
        providers: [],
        reason: refusal.why,
        policy_revision: c.get("revision") ?? null,
        catalog_version: null,
      }),
    );
  return toResponse(refusal, {
    dialect: dialectOf(c.req.path),
    requestId: requestIdOf(c),
    headers: ownHeaders(c),
  });
}

function refusalOf(error: Error, c: Context<GatewayEnv>): Refusal {
  if (error instanceof RefusalError) return error.refusal;
  // A defect. Its message may quote the body, so only its kind and place are said: what stands after the message.
  const { name, message, stack = "" } = error;
  const at = stack.lastIndexOf(message);
  const place =
    at < 0
      ? []
      : stack
          .slice(at + message.length)
          .split("\n")
          .slice(1, 6);
  console.error(JSON.stringify({ message: "gateway.defect", error: name, place, request_id: requestIdOf(c) }));
  return { code: "policy_unavailable", why: "the gateway met an error of its own" };
}
