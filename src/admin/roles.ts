// What a role may do in its organization. A permission stands for reading and changing alike.
import type { Role } from "../store/members.ts";

export const PERMISSIONS = {
  /** Members, and the tokens of any of them. */
  members: ["owner"],
  own_tokens: ["owner", "admin", "developer"],
  keys: ["owner", "admin"],
  /** The organization's own provider keys. */
  credentials: ["owner", "admin"],
  /** The policy with its preview and revisions, and routing. */
  policy: ["owner", "admin"],
  events: ["owner", "admin"],
  /** Where events are sent as they happen. */
  webhooks: ["owner", "admin"],
  audit_log: ["owner", "admin"],
  /** How long security events are kept; whoever sees events sees that too. */
  retention: ["owner"],
  /** Every model with its providers' verdicts: all that a developer sees. */
  models: ["owner", "admin", "developer"],
  /** What the catalog knows of each provider, and its evidence. */
  providers: ["owner", "admin"],
} as const satisfies Record<string, readonly Role[]>;
export type Permission = keyof typeof PERMISSIONS;

/** Whether a role has a permission. */
export function may(role: Role, permission: Permission): boolean {
  return (PERMISSIONS[permission] as readonly Role[]).includes(role);
}
