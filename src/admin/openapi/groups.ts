// Everything that the admin API offers, in the order of the reference page. A test holds this against the routes.
import { catalog } from "./groups/catalog.ts";
import { credentials } from "./groups/credentials.ts";
import { events } from "./groups/events.ts";
import { history } from "./groups/history.ts";
import { integrity } from "./groups/integrity.ts";
import { keys } from "./groups/keys.ts";
import { members } from "./groups/members.ts";
import { models } from "./groups/models.ts";
import { organizations } from "./groups/organizations.ts";
import { policy } from "./groups/policy.ts";
import { projects } from "./groups/projects.ts";
import { reference } from "./groups/reference.ts";
import { trail } from "./groups/trail.ts";
import { webhooks } from "./groups/webhooks.ts";
import type { Group, Operation } from "./operation.ts";

export const GROUPS: readonly Group[] = [
  policy,
  history,
  models,
  events,
  trail,
  integrity,
  projects,
  keys,
  credentials,
  webhooks,
  members,
  organizations,
  catalog,
  reference,
];

export const OPERATIONS: readonly Operation[] = GROUPS.flatMap(({ operations }) => operations);
