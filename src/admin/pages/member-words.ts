// Members and their tokens in words. Pure.
import type { ListedMember, Role } from "../../store/members.ts";
import type { AdminToken } from "../../store/tokens.ts";

/** What each role may do, as the forms explain it. */
export const ROLES: readonly { role: Role; about: string }[] = [
  { role: "developer", about: "sees models and whether they are allowed" },
  { role: "admin", about: "also manages the policy and API keys, and sees events and the audit log" },
  { role: "owner", about: "also manages members and their tokens" },
];

export const memberPath = (email: string) => `/settings/members/${encodeURIComponent(email)}`;

/** The day somebody was last here, by Cloudflare Access or by token; null for never. */
export function lastActiveOn({ signed_in_on, last_used_on }: ListedMember): string | null {
  return (
    [signed_in_on, last_used_on]
      .filter((day) => day !== null)
      .sort()
      .at(-1) ?? null
  );
}

/** Whether a token is over, at `now` (epoch milliseconds). */
export function isExpired({ expires_at }: AdminToken, now: number): boolean {
  return expires_at !== null && Date.parse(expires_at) <= now;
}
