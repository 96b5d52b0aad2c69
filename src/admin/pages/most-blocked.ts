// What was blocked most in a period, arranged for a page: each with the way to the events behind it.
import type { Env } from "../../env.ts";
import { type BlockCount, countBlocks } from "../../store/event-statistics.ts";
import type { Days } from "./days.ts";
import { failureLabel } from "./event-words.ts";
import { addressOf } from "./filters.ts";

export const EVENTS_ADDRESS = "/settings/events";

/** As many of each as a page shows. */
const SHOWN_KEYS = 5;

const NOT_NAMED = "none named";

/** By what the list of events can be filtered, and is counted. */
const SUBJECTS = {
  provider: "Provider",
  requirement: "Requirement",
  model: "Model",
  project: "Project",
} as const;
export type Subject = keyof typeof SUBJECTS;

export interface Bar extends BlockCount {
  label: string;
  /** The events behind it; null where the list cannot be filtered by that. */
  href: string | null;
}

export interface MostBlocked {
  subject: Subject;
  title: string;
  bars: readonly Bar[];
  /** False where only the latest events of the period are counted. */
  complete: boolean;
}

/** Counts the blocks of a period, given as moments; links keep `days`, by which the page is filtered. */
export function mostBlocked(
  env: Env,
  { org, from, to, days }: { org: string; from: string; to: string; days: Days },
): Promise<MostBlocked[]> {
  const subjects = Object.entries(SUBJECTS) as [Subject, string][];
  return Promise.all(
    subjects.map(async ([subject, title]) => {
      const { counts, complete } = await countBlocks(env, { org, by: subject, from, to, limit: SHOWN_KEYS });
      return { subject, title, bars: counts.map((count) => barOf(subject, count, days)), complete };
    }),
  );
}

function barOf(subject: Subject, count: BlockCount, { from, to }: Days): Bar {
  const { key } = count;
  return {
    ...count,
    label: key === null ? NOT_NAMED : subject === "requirement" ? failureLabel(key) : key,
    href: key === null ? null : addressOf(EVENTS_ADDRESS, { [subject]: key, from, to }),
  };
}
