// Why providers were refused, on one line: for a cell of CSV and for a SIEM. Pure.
import { foundInWords } from "../compliance/words.ts";
import type { SecurityEvent } from "./event.ts";

/** Each provider with its failures: "deepseek: soc2_type2 (unknown); …"; empty when no provider stood in the way. */
export function failuresInWords({ providers, providers_omitted }: SecurityEvent): string {
  const each = providers.map(({ id, model, failures }) => {
    const reasons = failures.map((failure) => `${failure.code} (${foundInWords(failure)})`).join(", ");
    return `${id}${model === undefined ? "" : `/${model}`}: ${reasons}`;
  });
  if (providers_omitted) each.push(`and ${providers_omitted} more`);
  return each.join("; ");
}
