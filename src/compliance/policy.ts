// The policy document: what an organization, or one of its projects, asks of a provider. Pure.
import * as z from "zod";
import { REQUIREMENT_IDS } from "./requirements.ts";

/** More than any catalog has; a bound so that a stored policy stays small. */
const MAX_LISTED = 1000;

const unique = (items: readonly string[]) => new Set(items).size === items.length;
const listOf = <T extends z.ZodType<string>>(item: T) =>
  z.array(item).max(MAX_LISTED).refine(unique, "must not name the same entry twice");

const exceptions = z.strictObject({
  allow: listOf(z.string().min(1).max(256)),
  block: listOf(z.string().min(1).max(256)),
});

/** An ISO 3166-1 alpha-2 code in capitals that a country has. */
const country = z
  .string()
  .regex(/^[A-Z]{2}$/, "must be an ISO 3166-1 alpha-2 code in capitals, such as US")
  .refine((code) => countryName(code) !== null, "is not an ISO 3166-1 country code");

const shape = {
  enabled: z.boolean(),
  headquarters: listOf(country),
  providers: exceptions,
  models: exceptions,
};

/** What may be written: only requirements that this build knows. */
export const Policy = z.strictObject({ ...shape, requirements: listOf(z.enum(REQUIREMENT_IDS)) });

/**
 * What may be read: a requirement of a newer build is kept, and then fails every provider. Everything else that is
 * unknown is refused, so that a rule which this build cannot apply is never dropped.
 */
export const StoredPolicy = z.strictObject({ ...shape, requirements: listOf(z.string().min(1).max(64)) });
export type StoredPolicy = z.infer<typeof StoredPolicy>;

/** The policy of a new organization: off, and asking for nothing. */
export const DISABLED_POLICY: StoredPolicy = {
  enabled: false,
  requirements: [],
  headquarters: [],
  providers: { allow: [], block: [] },
  models: { allow: [], block: [] },
};

/** What a project that carries no policy is compared with: on, and asking for nothing. */
export const EMPTY_POLICY: StoredPolicy = { ...DISABLED_POLICY, enabled: true };

/** The English name of a country, or null when no country has that code. */
export function countryName(code: string): string | null {
  // ICU names these: they are a union and reserved codes, not countries.
  if (!/^[A-Z]{2}$/.test(code) || ["AC", "EU", "EZ", "IC", "QO", "UN", "XA", "XB", "ZZ"].includes(code)) return null;
  // An alias of another code (UK for GB) would never match a provider's headquarters.
  if (Intl.getCanonicalLocales(`und-${code}`)[0] !== `und-${code}`) return null;
  return regionNames.of(code) ?? null;
}
const regionNames = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
