// The `{variables}` of a provider's base URL, and what may stand in their place. Pure.
import type { Provider } from "./schema.ts";

/** One label of a host or one segment of a path, so that it can change neither the host's domain nor the path. */
const VARIABLE_VALUE = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** Whether a text may stand in a variable's place. */
export function isVariableValue(text: string): boolean {
  return VARIABLE_VALUE.test(text);
}

/** The names of the variables in a base URL. */
export function variablesOf(url: string): string[] {
  return [...new Set([...url.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string))];
}

/** The names of the variables in any of a provider's base URLs. */
export function variablesOfProvider({ apis }: Pick<Provider, "apis">): string[] {
  return [...new Set(Object.values(apis).flatMap(({ url }) => variablesOf(url)))];
}
