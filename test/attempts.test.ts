// When a receiver is tried again, and when it is given up.
import { expect, it } from "vitest";
import { refusesHeads, scheduleAfter } from "../src/audit/attempts.ts";
import { isAccepted, noAnswer } from "../src/store/receiver.ts";

const NOON = Date.parse("2026-11-01T12:00:00Z");
const HOUR = 3_600_000;
const at = (milliseconds: number) => new Date(milliseconds).toISOString();
const answered = (status: number, retryAfterMs: number | null = null) =>
  ({ status, problem: null, retryAfterMs }) as const;
const fresh = { next_attempt_at: at(NOON - 1), failing_since: null, failures: 0 };
const failing = (hours: number, failures: number) => ({ ...fresh, failing_since: at(NOON - hours * HOUR), failures });
const ended = (status: number | null, progressed = false) => {
  const answer = status === null ? noAnswer("no connection") : answered(status);
  return { answer, settled: isAccepted(answer), progressed };
};

it.each([200, 201, 204, 299])("%i is an acceptance, which ends what failed before", (status) => {
  const schedule = scheduleAfter(failing(23, 9), ended(status, true), NOON);
  expect(schedule).toEqual({ next_attempt_at: at(NOON), failing_since: null, failures: 0, paused_at: null });
});

it.each([100, 199, 300, 301, 302, 304, 307, 308, 400, 401, 404, 429, 500, 503])("%i is a failure", (status) => {
  const schedule = scheduleAfter(fresh, ended(status), NOON);
  expect(schedule).toMatchObject({ failing_since: at(NOON), failures: 1, paused_at: null });
});

it("delays double from ten seconds to an hour", () => {
  const delays = Array.from({ length: 12 }, (_, failures) => {
    const before = failures === 0 ? fresh : failing(1, failures);
    return (Date.parse(scheduleAfter(before, ended(null), NOON).next_attempt_at) - NOON) / 1000;
  });
  expect(delays).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]);
});

it.each([
  ["what it asks for, where that is later", 429, 0, 90_000, 90],
  ["what it asks for, of any failure", 503, 3, 600_000, 600],
  ["its own delay, where that is later", 429, 3, 5_000, 80],
  ["its own delay, where it may be asked at once", 503, 0, 0, 10],
])("the next attempt waits for %s", (_, status, failures, retryAfterMs, seconds) => {
  const answer = answered(status, retryAfterMs);
  const before = failures === 0 ? fresh : failing(1, failures);
  const { next_attempt_at } = scheduleAfter(before, { answer, settled: false, progressed: false }, NOON);
  expect((Date.parse(next_attempt_at) - NOON) / 1000).toBe(seconds);
});

it.each([
  [23.99, null],
  [24, at(NOON)],
  [100, at(NOON)],
])("failing for %d hours", (hours, paused_at) => {
  expect(scheduleAfter(failing(hours, 30), ended(500), NOON)).toMatchObject({
    paused_at,
  });
});

it("a failure after something got through is a new one", () => {
  expect(scheduleAfter(failing(30, 30), ended(500, true), NOON)).toMatchObject({
    failing_since: at(NOON),
    failures: 1,
    paused_at: null,
  });
});

it("a receiver that says it is gone is paused at once", () => {
  expect(scheduleAfter(fresh, ended(410, true), NOON).paused_at).toBe(at(NOON));
});

it("a run that had no time to send anything changes nothing, so that no failure is forgotten", () => {
  const before = failing(20, 12);
  const untried = { answer: null, settled: true, progressed: false };
  expect(scheduleAfter(before, untried, NOON)).toEqual({ ...before, paused_at: null });
});

it.each([
  [400, true],
  [404, true],
  [422, true],
  [408, false],
  [410, false],
  [429, false],
  [302, false],
  [500, false],
  [503, false],
])("%i to a signed head: it is refused as such is %s", (status, refused) => {
  expect(refusesHeads(answered(status))).toBe(refused);
});
