import { expect, it } from "vitest";
import { folded, lookAlike } from "../src/gateway/judged-names.ts";

it("letters are folded as Go's decoder folds them", () => {
  expect(["ſtore", "\u212aey", "MODEL", "providerOptions"].map(folded)).toEqual([
    "store",
    "key",
    "model",
    "provideroptions",
  ]);
});

it.each([
  ["Model", "model"],
  ["provideroptions", "providerOptions"],
  ["previous_Response_id", "previous_response_id"],
  ["webSearchOptions", "web_search_options"],
  ["extraBody", "extra_body"],
  ["provider_options", "providerOptions"],
  ["mod_el", "model"],
])("%s looks like %s", (name, of) => {
  expect(lookAlike(["messages", name])).toEqual({ name, of });
});

it("the exact names, and others, look like none", () => {
  expect(lookAlike(["model", "providerOptions", "Temperature", "modelName", "__proto__"])).toBeNull();
});
