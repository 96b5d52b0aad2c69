// `policy get|set|diff|preview|remove`.
import * as z from "zod";
import { changeInWords } from "../../admin/change-in-words.ts";
import { StoredPolicy } from "../../compliance/policy.ts";
import { type Asked, type Command, misuse, type Options } from "./asked.ts";
import { asMember, type Call, type Gateway } from "./gateway.ts";
import { readInput } from "./input-file.ts";
import { NoEffect, OF_PROJECT, policyPath, remarkNoEffect } from "./policy-place.ts";
import { previewCommand } from "./policy-preview.ts";
import { print, printJson, remark } from "./printing.ts";

const InForce = z.object({
  /** Null for a project that carries none. */
  policy: StoredPolicy.nullable(),
  revision: z.number().int(),
  updated_at: z.string(),
  updated_by: z.string(),
  no_effect: NoEffect,
});
const Saved = z.object({
  revision: z.number().int(),
  change: z.string(),
  published: z.boolean(),
  note: z.string().optional(),
  no_effect: NoEffect,
});

/** What a change is saved with. */
const SAVING = {
  "if-match": { value: "N", help: "only on top of revision N: refused when somebody saved since" },
  reason: { value: "TEXT", help: "why, in one line; it is kept with the revision" },
} satisfies Options;

const get: Command = {
  name: "policy get",
  summary: "Print the policy in force, as `policy set` takes it",
  details: "With --project, null where the project carries no policy of its own.",
  options: OF_PROJECT,
  async run(asked) {
    const { policy, ...revised } = await inForce(asMember(asked), policyPath(get, asked));
    if (asked.has("json")) return printJson({ policy, ...revised });
    printJson(policy);
    if (policy === null) remark("The project carries no policy of its own: the organization's applies alone.");
    remark(`Revision ${revised.revision}, saved ${revised.updated_at} by ${revised.updated_by}.`);
    remarkNoEffect(revised.no_effect);
  },
};

const set: Command = {
  name: "policy set",
  argument: "FILE",
  summary: "Save a policy as a new revision, and say what changes",
  details:
    "FILE is the policy as JSON; - reads it from stdin. Without --if-match it is saved on top of what is in force.",
  options: {
    ...OF_PROJECT,
    ...SAVING,
    confirm: { value: "WHAT", help: "no-providers: save it although no model would keep a provider" },
  },
  run: async (asked) => saveChange(set, asked, { method: "PUT", body: draftOf(asked) }),
};

const remove: Command = {
  name: "policy remove",
  summary: "Take a project's own policy away: then the organization's applies to it alone",
  details:
    "Without --if-match it is taken away on top of what is in force. An organization's policy is switched off instead.",
  options: { ...OF_PROJECT, ...SAVING },
  async run(asked) {
    if (!asked.has("project")) throw misuse(remove, "policy remove needs --project.");
    await saveChange(remove, asked, { method: "DELETE" });
  },
};

const diff: Command = {
  name: "policy diff",
  argument: "FILE",
  summary: "Say in words how a policy differs from the one in force",
  details: "FILE is the policy as JSON; - reads it from stdin. Nothing is saved.",
  options: OF_PROJECT,
  async run(asked) {
    const draft = draftOf(asked);
    const { policy, revision } = await inForce(asMember(asked), policyPath(diff, asked));
    const change = changeInWords(policy, draft);
    if (asked.has("json")) return printJson({ revision, change });
    print(change || `Asks for the same as revision ${revision}.`);
  },
};

export const policyCommands: readonly Command[] = [get, set, diff, previewCommand, remove];

const inForce = (gateway: Gateway, path: string) => gateway.ask(InForce, { path });

/** Saves a change in the revision after the one asked for, or in force, and says it. */
async function saveChange(command: Command, asked: Asked, call: Pick<Call, "method" | "body">): Promise<void> {
  const path = policyPath(command, asked);
  const base = revisionAsked(command, asked);
  const gateway = asMember(asked);
  const revision = base ?? String((await inForce(gateway, path)).revision);
  const saved = await gateway.ask(Saved, {
    ...call,
    path,
    query: { reason: asked.text("reason"), confirm: asked.text("confirm") },
    headers: { "if-match": `"${revision}"` },
  });
  if (asked.has("json")) return printJson(saved);
  print(`Revision ${saved.revision}. ${saved.change}`);
  if (saved.note !== undefined) remark(saved.note);
  remarkNoEffect(saved.no_effect);
}

const draftOf = (asked: Asked) => readInput(asked.argument ?? "", StoredPolicy, "a policy");

function revisionAsked(command: Command, asked: Asked): string | undefined {
  const given = asked.text("if-match");
  if (given === undefined || /^[1-9]\d{0,14}$/.test(given)) return given;
  throw misuse(command, "--if-match takes the number of a revision, such as 7.");
}
