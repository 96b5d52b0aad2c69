// Administrative acts in words.
import { expect, it } from "vitest";
import { actInWords, actionLabel, fieldsOf } from "../src/admin/act-in-words.ts";

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
  ["member.put", { role: "admin" }, "Gave it the role admin."],
  ["sign_in.refuse", { reason: "unknown_token", way: "page" }, "Refused to sign it in: unknown token."],
  [
    "org.change",
    { plan: "pro", was: { name: "Acme", plan: "enterprise" } },
    "Changed plan from “enterprise” to “pro”.",
  ],
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
