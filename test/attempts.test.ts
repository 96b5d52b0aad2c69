// When a receiver is tried again, and when it is given up.
import { expect, it } from "vitest";
import { scheduleAfter } from "../src/audit/attempts.ts";

const NOON = Date.parse("2026-11-01T12:00:00Z");
const HOUR = 3_600_000;
const at = (milliseconds: number) => new Date(milliseconds).toISOString();
const answered = (status: number) => ({ status, problem: null });
const fresh = { failing_since: null, failures: 0 };
const failing = (hours: number, failures: number) => ({ failing_since: at(NOON - hours * HOUR), failures });

it.each([200, 201, 204, 299])("%i is an acceptance, which ends what failed before", (status) => {
  const schedule = scheduleAfter(failing(23, 9), { answer: answered(status), progressed: true, now: NOON });
  expect(schedule).toEqual({ next_attempt_at: at(NOON), failing_since: null, failures: 0, paused_at: null });
});

it.each([100, 199, 300, 301, 302, 304, 307, 308, 400, 401, 404, 429, 500, 503])("%i is a failure", (status) => {
  const schedule = scheduleAfter(fresh, { answer: answered(status), progressed: false, now: NOON });
  expect(schedule).toMatchObject({ failing_since: at(NOON), failures: 1, paused_at: null });
});

it("delays double from ten seconds to an hour", () => {
  const delays = Array.from({ length: 12 }, (_, failures) => {
    const answer = { status: null, problem: "no connection" };
    const before = failures === 0 ? fresh : failing(1, failures);
    return (Date.parse(scheduleAfter(before, { answer, progressed: false, now: NOON }).next_attempt_at) - NOON) / 1000;
  });
  expect(delays).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]);
});

it.each([
  [23.99, null],
  [24, at(NOON)],
  [100, at(NOON)],
])("failing for %d hours", (hours, paused_at) => {
  expect(scheduleAfter(failing(hours, 30), { answer: answered(500), progressed: false, now: NOON })).toMatchObject({
    paused_at,
  });
});

it("a failure after something got through is a new one", () => {
  expect(scheduleAfter(failing(30, 30), { answer: answered(500), progressed: true, now: NOON })).toMatchObject({
    failing_since: at(NOON),
    failures: 1,
    paused_at: null,
  });
});

it("a receiver that says it is gone is paused at once", () => {
  expect(scheduleAfter(fresh, { answer: answered(410), progressed: true, now: NOON }).paused_at).toBe(at(NOON));
});
