// What the fields and parameters of the admin API mean, by name: the schemas say their form. `Component.field` and
// `operation.parameter` are for where a name means something else than elsewhere.
import { MAX_LIMIT } from "../api/page.ts";
import { FIELDS } from "./fields.ts";
import type { PathParameter } from "./operation.ts";

/** What the parameters of queries mean. */
const PARAMETERS: Readonly<Record<string, string>> = {
  limit: `How many to answer with, at most ${MAX_LIMIT}.`,
  cursor: "The `next_cursor` of the page before; without it the list begins at its start.",
  reason: "Why it is changed, in one line; it is kept with the revision.",
  confirm: "Do it although no model would keep a provider, or nobody can tell.",
  model: "The model that was asked for.",
  provider: "A provider's id.",
  requirement: "A failure's code: a requirement's id, or such as `provider_blocked`.",
  project: "A project's id.",
  "listModels.project": "Judge by this project's policy beside the organization's.",
  "listModels.q": "Part of a model's id, name, alias or family.",
  "listProviders.q": "Part of a provider's id, name or legal entity.",
  api: "Only what answers this API.",
  allowed: "`true`: only those that an allowed provider serves.",
  live: "`true`: only those that are still served.",
  show: "Only those that pass, that do not, that have facts which expire (the soonest first), or facts without a source.",
  actor: "An email address, or `operator`.",
  action: "Such as `policy.save`.",
  target: "Such as `revision 7`, or a member's address.",
  from: "From this time on (RFC 3339), inclusive.",
  to: "Up to this time (RFC 3339), exclusive.",
  "exportEvents.cursor": "The id of the last event received whole: goes on behind it, without a header line.",
  by: "What the blocks are counted by.",
  format: "The form of the file.",
  "verifyChain.from": "Behind which link to go on: `to.seq` of an earlier answer.",
  from_hash: "The hash of that link: `to.hash` of that answer.",
  head: "A signed head that you kept elsewhere, as JSON.",
  "exportChain.after": "Leave out the links up to this one.",
  "listDeadLetters.after": "The id of the last dead letter of the page before.",
};

/** What a field means, or undefined where its name says it. */
export function fieldMeaning(field: string, component: string): string | undefined {
  return meaningIn(FIELDS, component, field);
}

/** What a parameter of an operation's query means, or undefined. */
export function parameterMeaning(parameter: string, operation: string): string | undefined {
  return meaningIn(PARAMETERS, operation, parameter);
}

function meaningIn(table: Readonly<Record<string, string>>, place: string, name: string): string | undefined {
  const key = [`${place}.${name}`, name].find((candidate) => Object.hasOwn(table, candidate));
  return key === undefined ? undefined : table[key];
}

/** The parts of paths, unless an operation says otherwise. */
export const PATH_PARAMETERS: Readonly<Record<string, PathParameter>> = {
  org: { description: "The organization's id.", example: "acme" },
  email: { description: "The member's email address.", example: "admin@acme.example" },
  provider: { description: "The provider's id in the catalog.", example: "azure" },
  project: { description: "The project's id.", example: "web" },
  revision: { description: "The revision's number.", example: "5" },
  from: { description: "The revision to start from.", example: "6" },
  to: { description: "The revision to compare with it.", example: "7" },
};
