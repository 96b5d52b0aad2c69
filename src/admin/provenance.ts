// From where a change is made, as a revision keeps it.
import type { Context } from "hono";
import * as z from "zod";
import type { Provenance } from "../store/revisions.ts";
import type { AdminEnv } from "./authorize.ts";

/** How our own command line names itself. It is what the caller says, so nothing is decided by it. */
const OUR_CLI = /^portcullis-cli(?:\/|$)/;

const Country = z
  .string()
  .regex(/^[A-Z][A-Z0-9]$/)
  .nullable()
  .catch(null);

/** The provenance of a change that came in through `door`. */
export function provenanceOf(c: Context<AdminEnv>, door: "page" | "api"): Provenance {
  const { country } = (c.req.raw.cf ?? {}) as { country?: unknown };
  const isCli = door === "api" && OUR_CLI.test(c.req.header("user-agent") ?? "");
  return { via: isCli ? "cli" : door, country: Country.parse(country ?? null) };
}
