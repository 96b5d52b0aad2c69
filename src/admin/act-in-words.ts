// Administrative acts in words, for the audit log: what was done, and from what to what. Pure.
import type { AuditAction, AuditEntry, AuditRow } from "../store/audit-log.ts";

type Detail = AuditEntry["detail"];

interface Act {
  /** The kind of act, to choose it by. */
  readonly label: string;
  /** Without, the record says it: the change in words, or its fields with what they were. */
  readonly words?: (target: string, detail: Detail) => string;
}

const UNCHANGED = "saved without a change.";

const ACTS: Readonly<Record<AuditAction, Act>> = {
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
    words: (_, { project, ...detail }) =>
      `Of an API key of project ${shown(project)}: ${changeOf(detail) || UNCHANGED}`,
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
  "events.retention": { label: "Retention of events changed" },
  "webhook.create": {
    label: "Webhook set up",
    words: (_, { host, format, enabled }) =>
      `Set up a webhook to ${shown(host)}, as ${shown(format).toUpperCase()}${enabled === false ? ", not started yet" : ""}.`,
  },
  "webhook.change": {
    label: "Webhook changed",
    words: (_, { path, ...detail }) => {
      const change = `${path === undefined ? "" : "Changed the path of its address. "}${changeOf(detail)}`;
      return `Of the webhook to ${shown(detail.host)}: ${change.trim() || UNCHANGED}`;
    },
  },
  "webhook.test": {
    label: "Webhook tested",
    words: (_, detail) => `Sent the webhook's receiver a test, with the answer: ${answerOf(detail)}.`,
  },
  "webhook.pause": {
    label: "Webhook paused by itself",
    words: (_, detail) => `Paused the webhook, whose receiver does not accept. Its last answer: ${answerOf(detail)}.`,
  },
  "webhook.resume": {
    label: "Webhook resumed",
    words: (_, { waiting }) => `Resumed the webhook. Events that waited for it: ${shown(waiting)}.`,
  },
  "webhook.rotate_secret": {
    label: "Webhook's secret rotated",
    words: (_, { previous_until }) =>
      `Rotated the webhook's secret. ${previous_until === null ? "The one before could not be decrypted, and signs no more." : `The one before signs too until ${shown(previous_until)}.`}`,
  },
  "webhook.remove": {
    label: "Webhook removed",
    words: (_, { host, delivered_seq }) =>
      `Removed the webhook to ${shown(host)}, which stood at number ${shown(delivered_seq)} of the chain.`,
  },
  "catalog.publish": { label: "Catalog published", words: (target) => `Published the catalog ${target}.` },
  "dead_letter.replay": {
    label: "Dead letter replayed",
    words: (target) => `Sent the dead letter ${target} on its way again.`,
  },
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
export function actInWords({ action, target, detail }: Pick<AuditRow, "action" | "target" | "detail">): string {
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
  return Object.hasOwn(ACTS, action) ? ACTS[action as AuditAction] : undefined;
}

/**
 * What a record says of a change: the words that it was saved with, or each field that is not what it `was`; and the reason,
 * if somebody gave one.
 */
function changeOf({ change, reason, was, ...fields }: Detail): string {
  const because = typeof reason === "string" && reason !== "" ? ` Reason: ${quoted(reason)}.` : "";
  if (typeof change === "string") return `${change}${because}`;
  const before = isObject(was) ? was : alone(fields, was);
  const sentences = fieldsOf(fields).flatMap(({ path, value }) => {
    const field = path.replaceAll("_", " ");
    if (!(path in before)) return `Set ${field} to “${value}”.`;
    const formerly = shown(before[path]);
    return formerly === value ? [] : `Changed ${field} from “${formerly}” to “${value}”.`;
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

/** What a receiver answered, or why there was no answer. */
function answerOf({ last_status, last_problem }: Detail): string {
  return shown(last_status ?? last_problem);
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
