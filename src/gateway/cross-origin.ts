// The data plane for pages of other origins: those that `ALLOWED_ORIGINS` names, and no others. Where the variable is
// not set this app is not used, and no answer says anything of origins.
import { Hono } from "hono";
import { cors } from "hono/cors";
import { readSettings } from "../env.ts";
import type { GatewayEnv } from "./context.ts";
import { gateway } from "./index.ts";

/** How long a browser remembers what it may send: the most that Chromium takes. */
const PREFLIGHT_SECONDS = 7_200;

/** What a page may read of an answer besides its body. */
const READABLE = [
  "portcullis-request-id",
  "portcullis-provider",
  "portcullis-policy-revision",
  "portcullis-enforced",
  "portcullis-ignored",
  "portcullis-upstream-request-id",
  "x-request-id",
  "request-id",
  "retry-after",
  "x-should-retry",
];

export const crossOriginGateway = new Hono<GatewayEnv>();

crossOriginGateway.use(
  cors({
    origin: (origin, c) => {
      const read = readSettings(c.env);
      return read.ok && read.settings.ALLOWED_ORIGINS?.includes(origin) ? origin : null;
    },
    allowMethods: ["GET", "POST"],
    exposeHeaders: READABLE,
    maxAge: PREFLIGHT_SECONDS,
  }),
);

crossOriginGateway.all("*", (c) => gateway.fetch(c.req.raw, c.env, c.executionCtx));
