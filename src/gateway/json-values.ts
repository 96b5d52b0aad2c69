// Reading parsed JSON as carefully as the least careful parser would. Pure.
import { folded } from "./judged-names.ts";

export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a member says nothing: providers take null for nothing. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** What stands under a name, in whatever case: a provider may read either. */
export function valuesOf(object: Json, name: string): unknown[] {
  return Object.entries(object).flatMap(([key, value]) => (folded(key) === name ? [value] : []));
}

/** Stands for a value of which providers could read another one. Equals nothing that JSON holds. */
export const AMBIGUOUS = Symbol("ambiguous");

/** The value of a member that is there once and as it is written here; {@link AMBIGUOUS} when it is there otherwise. */
export function exactValueOf(object: Json, name: string): unknown {
  const [value, ...more] = valuesOf(object, name);
  const isExact = more.length === 0 && (value === undefined || Object.hasOwn(object, name));
  return isExact ? value : AMBIGUOUS;
}
