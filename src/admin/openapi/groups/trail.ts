// How the paper trail is: its counts, its health, and how long it is kept.
import { HealthAnswer } from "../../api/health.ts";
import { RetentionAnswer, RetentionRule } from "../../api/retention.ts";
import { StatisticsAnswer, StatisticsQuery } from "../../api/statistics.ts";
import { AT, OWNER } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

const RULE = { days: 400, legal_hold: false };
const RETENTION = { ...RULE, changed_at: AT, changed_by: OWNER, counts_from: AT, removed: null };

export const trail: Group = {
  title: "Paper trail",
  description: "How often the policy blocked what, whether the record of it is complete, and how long it is kept.",
  operations: [
    {
      id: "readStatistics",
      method: "get",
      path: `${ORG_PATH}/events/stats`,
      summary: "Count blocks by day, provider, requirement, model or project",
      details: "Of the thirty days before `to`, which is now, when nothing else is given.",
      who: "events",
      query: StatisticsQuery,
      answer: {
        schema: { StatisticsAnswer },
        example: {
          by: "provider",
          from: "2026-10-24T20:33:05.120Z",
          to: AT,
          data: [{ key: "deepseek", blocks: 42, at_least: false }],
          complete: true,
        },
      },
    },
    {
      id: "readHealth",
      method: "get",
      path: `${ORG_PATH}/health`,
      summary: "Read the health of the paper trail, check by check",
      who: "events",
      answer: {
        schema: { HealthAnswer },
        example: {
          state: "ok",
          at: AT,
          checks: [
            {
              id: "sealed",
              label: "Sealing",
              state: "ok",
              summary: "Every event is sealed",
              detail: "The last one was sealed a minute ago.",
              action: null,
            },
          ],
        },
      },
    },
    {
      id: "readRetention",
      method: "get",
      path: `${ORG_PATH}/retention`,
      summary: "Read how long security events are kept",
      who: "events",
      answer: { schema: { RetentionAnswer }, example: RETENTION },
    },
    {
      id: "saveRetention",
      method: "put",
      path: `${ORG_PATH}/retention`,
      summary: "Change how long security events are kept, or hold all of them",
      details:
        "At least 180 days. While `legal_hold` is on nothing is removed. Answers 409 where somebody else changes it at the same time.",
      who: "retention",
      body: { schema: { RetentionRule }, example: RULE },
      answer: { schema: { RetentionAnswer }, example: RETENTION },
      problems: { 409: ["conflict"] },
    },
  ],
};
