// What compliance changes in a request before it leaves.
import type { Rules } from "../compliance/evaluate.ts";
import { requiredOf } from "../compliance/rules.ts";

/** Top-level members to set (JSON text). */
export interface Hardening {
  readonly members: ReadonlyMap<string, string>;
  /** For the `portcullis-enforced` header. */
  readonly said: readonly string[];
}

const NOTHING: Hardening = { members: new Map(), said: [] };
const NOT_STORED: Hardening = { members: new Map([["store", "false"]]), said: ["store=false"] };

/** Where prompts must not be logged or kept, the provider is told not to store the exchange, whatever the client said. */
export function harden(rules: Rules): Hardening {
  return requiredOf(rules, ["no_logging", "zero_retention"]).length > 0 ? NOT_STORED : NOTHING;
}
