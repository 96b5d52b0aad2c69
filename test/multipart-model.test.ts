// `model` steers a form: once, as text, wherever it stands. Nothing else in a form does.
import { describe, expect, it } from "vitest";
import { model, open, post, readOf, refusedUnsent, sound } from "./form-world.ts";
import { field, file, type RawPart, rawForm } from "./forms.ts";
import { errorOf } from "./world.ts";

describe("what names the model", () => {
  it.each([
    ["before the file", rawForm(model, sound)],
    ["after the file", rawForm(sound, model)],
    ["between two files", rawForm(file("image[]", "1.png", "1"), model, file("image[]", "2.png", "2"))],
  ])("counts %s", async (_, body) => {
    const world = await open();
    const response = await post(world, body);
    expect(response.headers.get("portcullis-provider")).toBe("alpha");
    expect(await world.called()).toEqual(["alpha"]);
    expect((await readOf(world)).find(([name]) => name === "model")).toEqual(["model", "alpha-hear"]);
  });

  it("after the file pins a provider that fails the policy: 403, recorded, and nothing is sent", async () => {
    const world = await open();
    const response = await post(world, rawForm(sound, field("model", "leaky/hear")));
    expect(await errorOf(response)).toMatchObject({ status: 403, code: "provider_compliance_blocked", param: "model" });
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await world.journal()).toEqual([]);
    expect(await world.events()).toMatchObject([
      { outcome: "refused", api: "audio_transcriptions", model: "hear", mode: "pinned", providers: [{ id: "leaky" }] },
    ]);
  });

  it.each<[string, string, RawPart[]]>([
    ["twice", "model", [model, field("model", "leaky/hear")]],
    ["twice, around the file", "model", [model, sound, field("model", "leaky/hear")]],
    ["twice, alike", "model", [model, model]],
    ["not at all", "model", [sound]],
    ["empty", "model", [field("model", "")]],
    ["too long", "model", [field("model", "m".repeat(300))]],
    ["as a file", "model", [file("model", "model.txt", "hear", "text/plain")]],
    ["as text and as a file", "model", [model, file("model", "model.txt", "leaky/hear")]],
    ["as a list", "model[]", [field("model[]", "hear")]],
    ["and as a list", "model[]", [model, field("model[]", "leaky/hear")]],
    ["and as an object", "model[name]", [model, field("model[name]", "leaky/hear")]],
    ["and by a path", "model.name", [model, field("model.name", "leaky/hear")]],
    ["and in another case", "Model", [model, field("Model", "leaky/hear")]],
    ["and models", "models", [model, field("models", "leaky/hear")]],
    ["and models as a list", "models[]", [model, field("models[]", "leaky/hear")]],
    ["and provider", "provider", [model, field("provider", '{"only":["alpha"]}')]],
    ["and provider as an object", "provider[only][]", [model, field("provider[only][]", "alpha")]],
    ["and provider as a file", "provider", [model, file("provider", "p.json", "{}")]],
  ])("is refused %s, by the field's name, and nothing is sent", async (_, param, parts) => {
    const world = await open();
    await refusedUnsent(world, await post(world, rawForm(...parts)), { param });
  });

  it("auto is for text chat: a model that writes transcripts is not chosen, though it writes text", async () => {
    const world = await open();
    const response = await post(world, rawForm(field("model", "auto"), sound));
    expect(await errorOf(response)).toMatchObject({ status: 400, code: "no_provider_matches" });
    expect(await world.journal()).toEqual([]);
  });

  it("auto is the organization's own list where it has one", async () => {
    const world = await open();
    await world.publish({ revision: 2, routing: { auto: ["chat", "hear"] } });
    expect((await post(world, rawForm(field("model", "auto"), sound))).status).toBe(200);
    expect(await readOf(world)).toContainEqual(["model", "alpha-hear"]);
  });
});
