// What a policy may name, and how a change of it is put in words.
import { beforeAll, describe, expect, it } from "vitest";
import { changeInWords } from "../src/admin/change-in-words.ts";
import type { StoredPolicy } from "../src/compliance/policy.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { policyOf } from "./world.ts";

const strict = policyOf({ requirements: ["soc2_type2", "no_training"] });

describe("what a policy may name", () => {
  let world: AdminWorld;
  beforeAll(async () => {
    world = await openAdminWorld();
  });
  const [aliased] = shippedCatalog.models.filter(({ aliases = [] }) => aliases.length > 0);

  it.each<[string, Partial<Record<keyof StoredPolicy, unknown>>, string, RegExp]>([
    [
      "an unknown provider",
      { providers: { allow: [], block: ["openai", "acme"] } },
      "providers.block.1",
      /no provider acme\./,
    ],
    [
      "a provider with a typing error",
      { providers: { allow: ["opnai"], block: [] } },
      "providers.allow.0",
      /did you mean openai\?/,
    ],
    [
      "a provider in capitals",
      { providers: { allow: ["OpenAI"], block: [] } },
      "providers.allow.0",
      /did you mean openai\?/,
    ],
    [
      "an unknown model",
      { models: { allow: [], block: ["gpt-4o-minni"] } },
      "models.block.0",
      /did you mean gpt-4o-mini\?/,
    ],
    [
      "an alias",
      { models: { allow: [aliased?.aliases?.[0] ?? ""], block: [] } },
      "models.allow.0",
      new RegExp(`${aliased?.id}; name that`),
    ],
    ["an unknown requirement", { requirements: ["soc2", "soc3"] }, "requirements.1", /must be one of soc2, /],
    ["a requirement twice", { requirements: ["soc2", "soc2"] }, "requirements", /twice/],
    ["what is not a country", { headquarters: ["US", "XX"] }, "headquarters.1", /country/],
    ["an unknown field", { models: { allow: [], block: [], deny: [] } }, "models.deny", /not a field/],
    ["a missing field", { models: { allow: [] } }, "models.block", /^is missing$/],
    ["a field of the wrong type", { enabled: "true" }, "enabled", /^must be true or false$/],
  ])("refuses %s, saying where", async (_, change, path, message) => {
    const body = { ...strict, ...change };
    const headers = { "if-match": '"1"' };
    for (const answer of [
      await world.ask("admin", "PUT", "/policy", { body, headers }),
      await world.ask("admin", "POST", "/policy/preview", { body }),
    ]) {
      expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request" } });
      expect(answer.body.errors[0]).toEqual({ path, message: expect.stringMatching(message) });
      expect(answer.body.detail).toContain(path);
    }
  });

  it("what the policy names already may stay when the catalog drops it", async () => {
    const policy = policyOf({ providers: { allow: [], block: ["xai"] } });
    const dropping = await openAdminWorld({ policy });
    const catalog = {
      version: `without-xai-${dropping.org}`,
      providers: shippedCatalog.providers.filter(({ id }) => id !== "xai"),
      models: shippedCatalog.models.map((model) => ({
        ...model,
        providers: model.providers.filter(({ provider }) => provider !== "xai"),
      })),
    };
    expect((await dropping.call("operator", "PUT", "/catalog", { body: catalog })).status).toBe(200);
    const more = { ...policy, requirements: ["soc2"] };
    expect((await dropping.savePolicy("admin", more, 1)).status).toBe(200);
    const again = { ...more, providers: { allow: ["xai"], block: ["xai"] } };
    expect((await dropping.savePolicy("admin", again, 2)).body.errors[0].path).toBe("providers.allow.0");
    await dropping.call("operator", "PUT", "/catalog", { body: shippedCatalog });
  });
});

describe("a change in words", () => {
  const lists = (allow: string[], block: string[]) => ({ allow, block });
  it.each<[Partial<StoredPolicy>, Partial<StoredPolicy>, string]>([
    [{}, {}, ""],
    [{ requirements: ["soc2", "gdpr"] }, { requirements: ["gdpr", "soc2"] }, ""],
    [
      { providers: lists([], ["xai"]) },
      { requirements: ["no_logging"] },
      "Now requires No prompt logging. No longer blocks xai.",
    ],
    [{ enabled: false }, { enabled: true }, "Switched on."],
    [{ requirements: ["from_the_future"] }, {}, "No longer requires from_the_future."],
    [{}, { headquarters: ["US", "FR"] }, "Now requires headquarters in United States and France."],
    [
      { headquarters: ["US"] },
      { headquarters: ["FR"] },
      "Headquarters may now also be in France. Headquarters may no longer be in United States.",
    ],
    [{ headquarters: ["US"] }, {}, "No longer restricts headquarters."],
    [{}, { providers: lists(["openai", "groq", "xai"], []) }, "Now allows only openai, groq and xai."],
    [{ providers: lists(["openai"], []) }, {}, "No longer allows only listed providers."],
    [
      { models: lists(["a", "b"], []) },
      { models: lists(["b", "c"], ["d"]) },
      "Now also allows the model c. No longer allows the model a. Now blocks the model d.",
    ],
  ])("%o to %o", (before, after, words) => {
    expect(changeInWords(policyOf(before), policyOf(after))).toBe(words);
  });
});
