// Administrative acts in words, for the audit log: what was done, and from what to what. Pure.
import type { AuditEntry } from "../store/audit-log.ts";

type Detail = AuditEntry["detail"];

interface Act {
  /** The kind of act, to choose it by. */
  readonly label: string;
  /** Without, the record says it: the change in words, or its fields with what they were. */
  readonly words?: (target: string, detail: Detail) => string;
}

const ACTS: Readonly<Record<string, Act>> = {
  "policy.save": { label: "Policy saved" },
  "policy.restore": { label: "Policy restored" },
  "routing.save": { label: "Routing saved" },
  "credential.save": { label: "Provider key saved" },
  "credential.remove": { label: "Provider key removed" },
  "credential.reseal": { label: "Provider keys encrypted anew" },
  "project.create": {
    label: "Project created",
    words: (target, { name }) => `Created the project ${target}, named ${quoted(name)}.`,
  },
  "project.rename": { label: "Project renamed" },
  "project.remove": { label: "Project removed", words: (target) => `Removed the project ${target}.` },
  "project.policy.save": { label: "Project's policy saved" },
  "project.policy.remove": { label: "Project's policy removed" },
  "key.create": { label: "API key created", words: (_, detail) => `Created ${keyOf(detail)}.` },
  "key.change": {
    label: "API key changed",
    words: (_, { project, ...detail }) => `Of an API key of project ${shown(project)}: ${changeOf(detail)}`,
  },
  "key.revoke": { label: "API key revoked", words: (_, detail) => `Revoked ${keyOf(detail)}.` },
  "member.put": {
    label: "Member added or changed",
    words: (target, { role }) => `Gave ${target} the role ${shown(role)}.`,
  },
  "member.remove": {
    label: "Member removed",
    words: (target, { role }) => `Removed ${target}, who was ${shown(role)}.`,
  },
  "token.issue": { label: "Admin token issued", words: (target) => `Issued an admin token to ${target}.` },
  "token.revoke": { label: "Admin token revoked", words: (target) => `Revoked an admin token of ${target}.` },
  "sign_in.refuse": {
    label: "Sign-in refused",
    words: (target, { reason }) => `Refused to sign ${target} in: ${shown(reason).replaceAll("_", " ")}.`,
  },
  "org.create": {
    label: "Organization created",
    words: (_, { name, plan }) => `Created the organization ${quoted(name)} on the ${shown(plan)} plan.`,
  },
  "org.change": { label: "Organization changed" },
};

/** The kind of act, by name; its id where this build has no name for it. */
export function actionLabel(action: string): string {
  return actOf(action)?.label ?? action;
}

/** What was done, in a sentence or two. Of an action that this build does not know, what its record says. */
export function actInWords({ action, target, detail }: Pick<AuditEntry, "action" | "target" | "detail">): string {
  const words = actOf(action)?.words;
  if (words) return words(target, detail);
  return changeOf(detail) || `${actionLabel(action)}: ${target}.`;
}

/** Every field of an act's record, nested ones by their path. */
export function fieldsOf(detail: Detail): { path: string; value: string }[] {
  const under = (value: unknown, path: string): { path: string; value: string }[] => {
    if (!isObject(value)) return [{ path, value: shown(value) }];
    if (path !== "" && Object.keys(value).length === 0) return [{ path, value: "none" }];
    return Object.entries(value).flatMap(([name, inner]) => under(inner, path === "" ? name : `${path}.${name}`));
  };
  return under(detail, "");
}

function actOf(action: string): Act | undefined {
  return Object.hasOwn(ACTS, action) ? ACTS[action] : undefined;
}

/**
 * What a record says of a change: the words that it was saved with, or each field with what it `was`; and the reason, if
 * somebody gave one.
 */
function changeOf({ change, reason, was, ...fields }: Detail): string {
  const because = typeof reason === "string" && reason !== "" ? ` Reason: ${quoted(reason)}.` : "";
  if (typeof change === "string") return `${change}${because}`;
  const before = isObject(was) ? was : alone(fields, was);
  const sentences = fieldsOf(fields).map(({ path, value }) => {
    const field = path.replaceAll("_", " ");
    return path in before
      ? `Changed ${field} from “${shown(before[path])}” to “${value}”.`
      : `Set ${field} to “${value}”.`;
  });
  return `${sentences.join(" ")}${because}`;
}

/** What the one field was that a record has, where it says only that. */
function alone(fields: Detail, was: unknown): Detail {
  const [name, ...others] = Object.keys(fields);
  return name !== undefined && others.length === 0 && was !== undefined ? { [name]: was } : {};
}

function keyOf({ name, project }: Detail): string {
  return `the API key ${quoted(name)} of project ${shown(project)}`;
}

function isObject(value: unknown): value is Detail {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function quoted(value: unknown): string {
  return `“${shown(value)}”`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(shown).join(", ");
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
      return value ? "yes" : "no";
    case "number":
      return String(value);
  }
  return value === null || value === undefined ? "none" : JSON.stringify(value);
}
