// The `{variables}` of a provider's base URL, and what may stand in their place. Pure.
import type { Provider } from "./schema.ts";

/** One label of a host or one segment of a path, so that it can change neither the host's domain nor the path. */
const VARIABLE_VALUE = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/**
 * Google's hosts by region, and the locations that are none: `global` is at aiplatform.googleapis.com, the others at such as
 * aiplatform.eu.rep.googleapis.com. Under the pattern of a region they would be answered by Google's page of 404.
 * https://docs.cloud.google.com/gemini-enterprise-agent-platform/resources/locations
 */
const GOOGLE_REGIONS = "https://{location}-aiplatform.googleapis.com/";
const NO_GOOGLE_REGIONS = ["global", "us", "eu"];

/** Whether a text may stand in a variable's place. */
export function isVariableValue(text: string): boolean {
  return VARIABLE_VALUE.test(text);
}

/** Why `value` cannot stand in the place of `{name}` in a base URL; null when it can. */
export function whyUnfit(url: string, name: string, value: string): string | null {
  if (!isVariableValue(value)) return "must be one label: letters, digits and inner dashes, at most 63 characters";
  if (name === "location" && url.startsWith(GOOGLE_REGIONS) && NO_GOOGLE_REGIONS.includes(value))
    return `must be a region, such as europe-west4: Google has no host ${value}-aiplatform.googleapis.com`;
  return null;
}

/** The names of the variables in a base URL. */
export function variablesOf(url: string): string[] {
  return [...new Set([...url.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string))];
}

/** The names of the variables in any of a provider's base URLs. */
export function variablesOfProvider({ apis }: Pick<Provider, "apis">): string[] {
  return [...new Set(Object.values(apis).flatMap(({ url }) => variablesOf(url)))];
}
