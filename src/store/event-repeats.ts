// What an event that folds repeats stands for, in words. Pure.
import type { SecurityEvent } from "./event.ts";

/** "at least 41 more between 11:40 and 11:41 UTC"; null for an event that is one block. */
export function repeatsInWords({ repeats }: Pick<SecurityEvent, "repeats">): string | null {
  if (repeats === undefined) return null;
  const more = repeats.at_least - 1;
  const [from, to] = [repeats.from, repeats.to].map((time) => time.slice(11, 16));
  return `${more > 0 ? `at least ${more}` : "perhaps"} more between ${from} and ${to} UTC`;
}
