// `policy preview`: what a draft would do, and a guard that keeps a pipeline from blocking a model unawares.
import * as z from "zod";
import { StoredPolicy } from "../../compliance/policy.ts";
import { failureInWords } from "../../compliance/words.ts";
import type { Command } from "./asked.ts";
import { asMember } from "./gateway.ts";
import { guardFailed } from "./halts.ts";
import { readInput } from "./input-file.ts";
import { NoEffect, OF_PROJECT, policyPath, remarkNoEffect } from "./policy-place.ts";
import { print, printJson } from "./printing.ts";

/** Enough to see what a change is about; --json has them all. */
const MAX_NAMED = 20;

const Count = z.object({ allowed: z.number(), blocked: z.number() });
const Failures = z.array(
  z.looseObject({ code: z.string(), found: z.union([z.string(), z.number(), z.boolean(), z.null()]) }),
);
const Preview = z.object({
  catalog_version: z.string(),
  revision: z.number(),
  summary: z.object({ providers: Count, models: Count }),
  providers: z.array(z.looseObject({ id: z.string(), change: z.string().nullable() })),
  models: z.array(
    z.object({
      id: z.string(),
      allowed_providers: z.array(z.string()),
      blocked_providers: z.array(z.object({ id: z.string(), failures: Failures })),
      change: z.string().nullable(),
    }),
  ),
  no_effect: NoEffect,
});
type Preview = z.infer<typeof Preview>;

export const previewCommand: Command = {
  name: "policy preview",
  argument: "FILE",
  summary: "See what a policy would allow and block, without saving it",
  details:
    "FILE is the policy as JSON; - reads it from stdin. It is judged as requests are, by the catalog in force. With\n--fail-on-blocked it exits 1 when the policy would leave a model without an allowed provider, or the catalog does not\nhave that model. With --project, FILE is judged as the project's own together with the organization's policy.",
  options: {
    ...OF_PROJECT,
    "fail-on-blocked": { value: "MODEL", repeatable: true, help: "exit 1 when no provider may serve MODEL" },
  },
  async run(asked) {
    const draft = readInput(asked.argument ?? "", StoredPolicy, "a policy");
    const path = `${policyPath(previewCommand, asked)}/preview`;
    const preview = await asMember(asked).ask(Preview, { method: "POST", path, body: draft });
    const blocked = asked.texts("fail-on-blocked").flatMap((model) => whyBlocked(preview, model) ?? []);
    if (asked.has("json")) printJson({ ...preview, guard: { ok: blocked.length === 0, blocked } });
    else {
      for (const line of inWords(preview)) print(line);
      remarkNoEffect(preview.no_effect);
    }
    if (blocked.length > 0)
      throw guardFailed(blocked.map(({ model, why }) => `${model} would be blocked: ${why}`).join("\n"));
  },
};

/** Why no provider may serve a model; null when one may. A model that is not known has none. */
function whyBlocked({ models }: Preview, id: string): { model: string; why: string } | null {
  const model = models.find((each) => each.id === id);
  if (!model) return { model: id, why: "the catalog has no model of that id (aliases do not count)." };
  if (model.allowed_providers.length > 0) return null;
  const each = model.blocked_providers.map(
    ({ id: provider, failures }) => `${provider} (${failures.map(failureInWords).join(", ")})`,
  );
  return { model: id, why: each.join("; ") || "no provider serves it." };
}

function inWords({ revision, catalog_version, summary, providers, models }: Preview): string[] {
  const counted = (what: string, { allowed, blocked }: z.infer<typeof Count>) =>
    `${what.padEnd(10)} ${allowed} allowed, ${blocked} blocked`;
  const changed = (what: string, rows: readonly { id: string; change: string | null }[]) =>
    ["newly_blocked", "newly_allowed"].flatMap((change) => {
      const ids = rows.filter((row) => row.change === change).map(({ id }) => id);
      if (ids.length === 0) return [];
      const more = ids.length > MAX_NAMED ? ` and ${ids.length - MAX_NAMED} more` : "";
      return [`${change.replace("_", " ")} ${what}: ${ids.slice(0, MAX_NAMED).join(", ")}${more}`];
    });
  const changes = [...changed("providers", providers), ...changed("models", models)];
  return [
    counted("providers", summary.providers),
    counted("models", summary.models),
    ...(changes.length > 0 ? changes : ["nothing changes"]),
    `beside revision ${revision}, by catalog ${catalog_version}`,
  ];
}
