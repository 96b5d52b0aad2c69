// What is wrong with a field, in words that follow its name, where its schema does not say it in words of its own. The
// engine's words are for programmers. Pure.
import type * as z from "zod";

/** Has a schema check what somebody sent or typed; what is wrong is said in words for them. */
export function checkGiven<T extends z.ZodType>(schema: T, value: unknown): z.ZodSafeParseResult<z.output<T>> {
  return schema.safeParse(value, { error: inWords });
}

const TYPES: Readonly<Record<string, string>> = {
  string: "must be text",
  number: "must be a number",
  int: "must be a whole number",
  boolean: "must be true or false",
  array: "must be a list",
  object: "must be an object",
  record: "must be an object",
  null: "must be null",
};

const FORMATS: Readonly<Record<string, string>> = {
  email: "must be an email address",
  url: "must be an http or https address",
  date: "must be a day, such as 2027-01-31",
  datetime: "must be a time in UTC, such as 2027-01-31T00:00:00Z",
};

/** What the numbers of a length count, by what has it. */
const COUNTED: Readonly<Record<string, string>> = { string: "characters", array: "entries" };

const anyOf = new Intl.ListFormat("en-GB", { type: "disjunction" });

function inWords(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined) return "is missing";
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? "is of another type than it must be";
    case "invalid_value":
      return `must be ${anyOf.format(issue.values.map(String))}`;
    case "invalid_format":
      return FORMATS[issue.format] ?? "does not have the form that it must have";
    case "too_small": {
      const counted = COUNTED[issue.origin];
      if (counted === undefined) return `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
      return issue.minimum === 1 ? "must not be empty" : `must have at least ${issue.minimum} ${counted}`;
    }
    case "too_big": {
      const counted = COUNTED[issue.origin];
      if (counted === undefined) return `must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
      return `must have at most ${issue.maximum} ${counted}`;
    }
    case "unrecognized_keys":
      return `has no field ${anyOf.format(issue.keys)}`;
    case "invalid_key":
      return "has a name that it must not have";
    default:
      return "is not valid";
  }
}
