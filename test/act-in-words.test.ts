// Administrative acts in words.
import { expect, it } from "vitest";
import { actInWords, actionLabel, fieldsOf } from "../src/admin/act-in-words.ts";
import { AUDIT_ACTIONS } from "../src/store/audit-log.ts";

it.each([
  ["policy.save", { change: "Now requires GDPR.", policy: {} }, "Now requires GDPR."],
  ["policy.save", { change: "Now requires GDPR.", reason: "The audit" }, "Now requires GDPR. Reason: “The audit”."],
  ["project.create", { name: "Shop" }, "Created the project it, named “Shop”."],
  ["project.rename", { name: "Web shop", was: "Shop" }, "Changed name from “Shop” to “Web shop”."],
  ["key.create", { name: "shop", project: "web" }, "Created the API key “shop” of project web."],
  [
    "key.change",
    { project: "web", expires_at: null, was: { name: "shop", expires_at: "2027-01-01" } },
    "Of an API key of project web: Changed expires at from “2027-01-01” to “none”.",
  ],
  [
    "key.change",
    { project: "web", name: "a", was: { name: "a" } },
    "Of an API key of project web: saved without a change.",
  ],
  ["member.put", { role: "admin" }, "Gave it the role admin."],
  ["sign_in.refuse", { reason: "unknown_token", way: "page" }, "Refused to sign it in: unknown token."],
  [
    "org.change",
    { plan: "pro", was: { name: "Acme", plan: "enterprise" } },
    "Changed plan from “enterprise” to “pro”.",
  ],
  ["org.change", { plan: "pro", was: { name: "Acme", plan: "pro" } }, "Organization changed: it."],
  [
    "events.retention",
    { days: 180, legal_hold: false, was: { days: 400, legal_hold: false } },
    "Changed days from “400” to “180”.",
  ],
  [
    "webhook.create",
    { host: "siem.a.example", format: "json", enabled: true },
    "Set up a webhook to siem.a.example, as JSON.",
  ],
  [
    "webhook.create",
    { host: "siem.a.example", format: "ocsf", enabled: false },
    "Set up a webhook to siem.a.example, as OCSF, not started yet.",
  ],
  [
    "webhook.change",
    { host: "b.example", format: "ocsf", enabled: true, was: { host: "a.example", format: "json", enabled: true } },
    "Of the webhook to b.example: Changed host from “a.example” to “b.example”. Changed format from “json” to “ocsf”.",
  ],
  [
    "webhook.change",
    { host: "a.example", path: "another", enabled: false, was: { host: "a.example", enabled: true } },
    "Of the webhook to a.example: Changed the path of its address. Changed enabled from “yes” to “no”.",
  ],
  [
    "webhook.change",
    { host: "a.example", was: { host: "a.example" } },
    "Of the webhook to a.example: saved without a change.",
  ],
  [
    "webhook.test",
    { last_status: 204, last_problem: null },
    "Sent the webhook's receiver a test, with the answer: 204.",
  ],
  [
    "webhook.pause",
    { last_status: null, last_problem: "no connection" },
    "Paused the webhook, whose receiver does not accept. Its last answer: no connection.",
  ],
  ["webhook.resume", { waiting: 3 }, "Resumed the webhook. Events that waited for it: 3."],
  [
    "webhook.rotate_secret",
    { previous_until: "2026-11-02T12:00:00.000Z" },
    "Rotated the webhook's secret. The one before signs too until 2026-11-02T12:00:00.000Z.",
  ],
  [
    "webhook.rotate_secret",
    { previous_until: null },
    "Rotated the webhook's secret. The one before could not be decrypted, and signs no more.",
  ],
  [
    "webhook.remove",
    { host: "siem.a.example", delivered_seq: 12 },
    "Removed the webhook to siem.a.example, which stood at number 12 of the chain.",
  ],
  ["catalog.publish", {}, "Published the catalog it."],
  ["dead_letter.replay", {}, "Sent the dead letter it on its way again."],
  [
    "of.a_newer_build",
    { size: 3, deep: { on: true, ids: [] } },
    "Set size to “3”. Set deep.on to “yes”. Set deep.ids to “none”.",
  ],
  ["of.a_newer_build", {}, "of.a_newer_build: it."],
  ["constructor", {}, "constructor: it."],
])("%s %o", (action, detail, words) => {
  expect(actInWords({ action, target: "it", detail })).toBe(words);
});

it.each(AUDIT_ACTIONS)("%s, which this build writes, has a name of its own", (action) => {
  const names = AUDIT_ACTIONS.map(actionLabel);
  expect(actionLabel(action)).toMatch(/^[A-Z][^._]+$/);
  expect(names.filter((name) => name === actionLabel(action))).toHaveLength(1);
});

it("an act that this build has no name for goes by its id", () => {
  expect(actionLabel("policy.save")).toBe("Policy saved");
  expect(actionLabel("toString")).toBe("toString");
});

it("the record of an act leaves no field out, whatever is in it", () => {
  const detail = { a: { b: [1, { c: null }], d: {} }, e: null, f: "" };
  expect(fieldsOf(detail)).toEqual([
    { path: "a.b", value: '1, {"c":null}' },
    { path: "a.d", value: "none" },
    { path: "e", value: "none" },
    { path: "f", value: "" },
  ]);
});
