// The health of an organization's paper trail, check by check.
import { Hono } from "hono";
import * as z from "zod";
import { timestamp } from "../../store/secrets.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { CHECK_IDS, healthOf } from "../health.ts";
import { STATES } from "../health-findings.ts";

const State = z.enum(STATES);

export const HealthAnswer = z.strictObject({
  /** The worst of the checks: bad, then unknown, then warn. */
  state: State,
  at: z.iso.datetime(),
  checks: z.array(
    z.strictObject({
      id: z.enum(CHECK_IDS),
      label: z.string(),
      state: State,
      summary: z.string(),
      detail: z.string(),
      action: z.string().nullable(),
    }),
  ),
});

export const health = new Hono<AdminEnv>();

health.get("/:org/health", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "events");
  const now = Date.now();
  const { state, checks } = await healthOf({ env: c.env, org, now });
  const answer: z.infer<typeof HealthAnswer> = { state, at: timestamp(now), checks: [...checks] };
  return c.json(answer);
});
