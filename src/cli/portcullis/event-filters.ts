// Which security events a command is about.
import type { Asked, Options } from "./asked.ts";

export const FILTERS = {
  model: { value: "MODEL", help: "only of this model" },
  provider: { value: "PROVIDER", help: "only where this provider was blocked" },
  requirement: { value: "CODE", help: "only for this failure, such as no_training or provider_blocked" },
  project: { value: "PROJECT", help: "only of this project" },
  from: { value: "TIME", help: "since this time (RFC 3339), inclusive" },
  to: { value: "TIME", help: "until this time, exclusive" },
} satisfies Options;

/** As the admin API's query takes them. */
export function filtersOf(asked: Asked): Record<keyof typeof FILTERS, string | undefined> {
  const { text } = asked;
  return {
    model: text("model"),
    provider: text("provider"),
    requirement: text("requirement"),
    project: text("project"),
    from: text("from"),
    to: text("to"),
  };
}
