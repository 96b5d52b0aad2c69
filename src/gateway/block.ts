// What compliance took away from a request: recorded always, and answered with a 403 where nothing is left.
import type { Context } from "hono";
import { recordEvent } from "../audit/record.ts";
import type { Candidate } from "../catalog/lookup.ts";
import { type BlockDetails, refuse, shown } from "../errors.ts";
import { isLive } from "../routing/ladder.ts";
import type { SecurityEvent } from "../store/event.ts";
import { blockedProviders, blockMessage } from "./block-evidence.ts";
import type { GatewayEnv } from "./context.ts";
import { newEvent } from "./event.ts";
import type { NotAllowed } from "./harden.ts";
import type { Plan, Removed, Situation } from "./plan.ts";

const MAX_ALTERNATIVES = 5;

/** Records what the plan says was removed. Refuses, once that is recorded, when the plan leaves nothing. */
export async function recordAndRefuse(
  c: Context<GatewayEnv>,
  plan: Plan,
  { revision, situation }: { revision: number; situation: Situation },
): Promise<void> {
  const { removed, refused } = plan;
  if (removed.length > 0) {
    const recording = recordEvent(
      c.env,
      c.executionCtx,
      newEvent(c, {
        ...blockOf(plan, { revision, situation }),
        outcome: refused === null ? "rerouted" : "refused",
        ...blockedProviders(removed, plan.model),
      }),
    );
    // A request that is served does not wait for the record of what it was not served by.
    if (refused !== null) await recording;
    if (refused === "by_compliance") {
      const event = await recording;
      const details = detailsOf(event, alternativesTo(plan, situation));
      refuse({ code: "provider_compliance_blocked", message: blockMessage(event), details });
    }
  }
  if (refused !== null && refused !== "by_compliance") refuse(refused);
}

/** Records a planned candidate that a newer policy or catalog removed before its turn came. Does not wait. */
export function recordLateRemoval(
  c: Context<GatewayEnv>,
  removed: Removed,
  { plan, revision, situation }: { plan: Plan; revision: number; situation: Situation },
): void {
  const event = newEvent(c, {
    ...blockOf(plan, { revision, situation }),
    outcome: "rerouted",
    ...blockedProviders([removed], plan.model),
  });
  void recordEvent(c.env, c.executionCtx, event);
}

/** What the events of one request have in common. */
function blockOf(
  { mode, model }: Plan,
  { revision, situation: { api, catalog } }: { revision: number; situation: Situation },
) {
  const policy = { policy_revision: revision, catalog_version: catalog.version };
  return { type: "compliance.blocked" as const, api, model: shown(model), mode, ...policy };
}

/** Records that a field of the request is not allowed by the policy, and refuses. */
export async function refuseField(
  c: Context<GatewayEnv>,
  { field, requirement }: NotAllowed,
  { plan, revision, situation }: { plan: Plan; revision: number; situation: Situation },
): Promise<never> {
  const event = await recordEvent(
    c.env,
    c.executionCtx,
    newEvent(c, {
      ...blockOf(plan, { revision, situation }),
      outcome: "refused",
      providers: [],
      reason: `${field} is not allowed under ${requirement}`,
    }),
  );
  return refuse({ code: "not_allowed_by_policy", field, requirement, eventId: event.id });
}

/** `provider/model` for the same models, by providers that would have been admitted. */
function alternativesTo({ removed }: Plan, { catalog, judge, hasCredentials, api, now }: Situation): string[] {
  const serves = (candidate: Candidate) =>
    candidate.mapping.apis.includes(api) &&
    isLive(candidate, now) &&
    hasCredentials(candidate) &&
    judge(candidate, now).allowed;
  const models = [...new Set(removed.map(({ candidate }) => candidate.model))];
  return models
    .flatMap((model) => catalog.candidates.get(model) ?? [])
    .filter(serves)
    .slice(0, MAX_ALTERNATIVES)
    .map(({ provider, model }) => `${provider.id}/${model}`);
}

function detailsOf(event: SecurityEvent, alternatives: readonly string[]): BlockDetails {
  return {
    event_id: event.id,
    request_id: event.request_id,
    policy_revision: event.policy_revision,
    catalog_version: event.catalog_version,
    mode: event.mode,
    model: event.model,
    providers: event.providers,
    alternatives,
  };
}
