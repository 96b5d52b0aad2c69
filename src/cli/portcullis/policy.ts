// `policy get|set|diff|preview`.
import * as z from "zod";
import { changeInWords } from "../../admin/change-in-words.ts";
import { StoredPolicy } from "../../compliance/policy.ts";
import type { Asked, Command } from "./asked.ts";
import { misuse } from "./asked.ts";
import { asMember, type Gateway } from "./gateway.ts";
import { readInput } from "./input-file.ts";
import { previewCommand } from "./policy-preview.ts";
import { print, printJson, remark } from "./printing.ts";

const InForce = z.object({
  policy: StoredPolicy,
  revision: z.number().int(),
  updated_at: z.string(),
  updated_by: z.string(),
});
const Saved = z.object({
  revision: z.number().int(),
  change: z.string(),
  published: z.boolean(),
  note: z.string().optional(),
});

const get: Command = {
  name: "policy get",
  summary: "Print the policy in force, as `policy set` takes it",
  options: {},
  async run(asked) {
    const { policy, ...revised } = await inForce(asMember(asked));
    if (asked.has("json")) return printJson({ policy, ...revised });
    printJson(policy);
    remark(`Revision ${revised.revision}, saved ${revised.updated_at} by ${revised.updated_by}.`);
  },
};

const set: Command = {
  name: "policy set",
  argument: "FILE",
  summary: "Save a policy as a new revision, and say what changes",
  details:
    "FILE is the policy as JSON; - reads it from stdin. Without --if-match it is saved on top of what is in force.",
  options: {
    "if-match": { value: "N", help: "only on top of revision N: refused when somebody saved since" },
    reason: { value: "TEXT", help: "why, in one line; it is kept with the revision" },
    confirm: { value: "WHAT", help: "no-providers: save it although no model would keep a provider" },
  },
  async run(asked) {
    const policy = draftOf(asked);
    const base = revisionAsked(asked);
    const gateway = asMember(asked);
    const revision = base ?? String((await inForce(gateway)).revision);
    const saved = await gateway.ask(Saved, {
      method: "PUT",
      path: "/policy",
      query: { reason: asked.text("reason"), confirm: asked.text("confirm") },
      headers: { "if-match": `"${revision}"` },
      body: policy,
    });
    if (asked.has("json")) return printJson(saved);
    print(`Revision ${saved.revision}. ${saved.change}`);
    if (saved.note !== undefined) remark(saved.note);
  },
};

const diff: Command = {
  name: "policy diff",
  argument: "FILE",
  summary: "Say in words how a policy differs from the one in force",
  details: "FILE is the policy as JSON; - reads it from stdin. Nothing is saved.",
  options: {},
  async run(asked) {
    const draft = draftOf(asked);
    const { policy, revision } = await inForce(asMember(asked));
    const change = changeInWords(policy, draft);
    if (asked.has("json")) return printJson({ revision, change });
    print(change || `Asks for the same as revision ${revision}.`);
  },
};

export const policyCommands: readonly Command[] = [get, set, diff, previewCommand];

const inForce = (gateway: Gateway) => gateway.ask(InForce, { path: "/policy" });

const draftOf = (asked: Asked) => readInput(asked.argument ?? "", StoredPolicy, "a policy");

function revisionAsked(asked: Asked): string | undefined {
  const given = asked.text("if-match");
  if (given === undefined || /^[1-9]\d{0,14}$/.test(given)) return given;
  throw misuse(set, "--if-match takes the number of a revision, such as 7.");
}
