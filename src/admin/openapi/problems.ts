// What may go wrong with a call: every code with its meaning, and which of them a call can be answered with.
import * as z from "zod";
import { type ProblemCode, type ProblemStatus, TITLES } from "../problem.ts";
import type { Operation } from "./operation.ts";

/** When each code is answered, in a sentence: a new one does not compile before it is explained. */
export const PROBLEMS: Record<ProblemCode, string> = {
  invalid_request: "Body, query or header do not hold what they must; `errors` names each field and what to do.",
  not_signed_in: "No valid admin token came with the call.",
  access_refused: "Cloudflare Access sent an assertion that does not hold.",
  not_a_member: "Cloudflare Access vouches for somebody who is a member of no organization here.",
  organization_required: "Of a page: the person is a member of several organizations and has chosen none.",
  other_organization: "Of a page: the form was opened for another organization than the one that is chosen now.",
  too_many_attempts: "Too many invalid tokens came from this address; wait as Retry-After says.",
  forbidden: "This is not for the one who asks: the operator has no part in an organization, or only the operator may.",
  role_required: "The member's role does not have this permission.",
  cross_origin: "A browser session tried to change something from another site's page.",
  plan_required: "Changing the policy is part of the enterprise plan; an owner may always switch it off.",
  not_found: "There is no such thing, or it belongs to another organization.",
  conflict: "It exists already, or others kept saving at the same moment.",
  key_revoked: "The key is revoked, and stays so.",
  project_in_use: "The project has keys or carries a policy.",
  last_owner: "The organization would be left without an owner.",
  stale_revision: "Somebody saved after the revision that If-Match names; read it, and change on top of it.",
  request_too_large: "The body is larger than this call takes.",
  unsupported_media_type: "The body is compressed, or is not sent as application/json.",
  revision_required: "If-Match is missing: name the revision that the change is based on.",
  confirmation_required:
    "It would leave no provider, or nobody can tell; repeat it with the confirmation to do it all the same.",
  internal: "A mistake of the gateway's own. Look what was changed before repeating the call.",
  misconfigured: "A variable or secret of the installation is malformed; the operator has to mend it.",
  credentials_key_missing: "The installation has no key to seal provider keys with.",
  unavailable: "The database or the edge store did not answer; try again after Retry-After.",
};

/** The wire form of every problem (RFC 9457), and what some of them carry beside. */
export const ProblemDetails = z.looseObject({
  type: z.string().regex(/^urn:portcullis:problem:/),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(Object.keys(TITLES) as [ProblemCode, ...ProblemCode[]]),
  detail: z.string(),
  errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
});

export type Problems = ReadonlyMap<ProblemStatus, readonly ProblemCode[]>;

/** The problems that a call may be answered with, by status. */
export function problemsOf(operation: Operation): Problems {
  const found = new Map<ProblemStatus, ProblemCode[]>();
  const add = (status: ProblemStatus, ...codes: readonly ProblemCode[]) =>
    found.set(status, [...(found.get(status) ?? []), ...codes]);
  const { method, path, who, query, body, ifMatch, problems = {} } = operation;

  if (query || body || ifMatch) add(400, "invalid_request");
  if (who !== "anybody") {
    add(401, "not_signed_in", "access_refused");
    add(403, "forbidden", "not_a_member");
    if (who !== "operator") add(403, "role_required");
    if (method !== "get") add(403, "cross_origin");
    if (path.includes("{org}")) add(404, "not_found");
    add(429, "too_many_attempts");
    add(500, "internal");
    add(503, "unavailable", "misconfigured");
  }
  if (ifMatch) add(412, "stale_revision");
  if (body) add(413, "request_too_large").set(415, ["unsupported_media_type"]);
  if (ifMatch === "required") add(428, "revision_required");
  for (const [status, codes] of Object.entries(problems)) add(Number(status) as ProblemStatus, ...codes);
  return new Map([...found].map(([status, codes]) => [status, [...new Set(codes)]] as const).sort(([a], [b]) => a - b));
}
