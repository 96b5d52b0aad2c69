// Whose policy a command is about: the organization's, or a project's own, which stands in the same revisions.
import * as z from "zod";
import { type Asked, type Command, misuse, type Options } from "./asked.ts";
import { remark } from "./printing.ts";

export const OF_PROJECT = {
  project: { value: "PROJECT", help: "of this project: its own policy, which narrows the organization's" },
} satisfies Options;

/** Where that policy is, below the organization. */
export function policyPath(command: Pick<Command, "name">, asked: Asked): string {
  const project = asked.text("project");
  if (project === undefined) return "/policy";
  // Only what may be an id: ".." would lead to the organization's own.
  if (/^[a-z0-9-]+$/.test(project)) return `/projects/${project}/policy`;
  throw misuse(command, "--project takes the id of a project: lower-case letters, digits and dashes.");
}

/** What in a project's policy tries to be wider than the organization's, which says nothing of itself. */
export const NoEffect = z.array(z.looseObject({ message: z.string() })).optional();

/** Says what of a project's policy changes nothing. */
export function remarkNoEffect(messages: z.infer<typeof NoEffect> = []): void {
  for (const { message } of messages) remark(`Without effect: ${message}`);
}
