// What a form asks of routing: its model, and nothing else. Preferences have no spelling in a form that all clients and
// providers share, so what looks like one is refused rather than dropped or passed on.
import { refuse } from "../errors.ts";
import { ModelName } from "../routing/preferences.ts";
import { contentOf, FILE, type FormBody, memberOf } from "./form-body.ts";
import type { Asked, Needs } from "./read-request.ts";

/** Members that steer routing, in lower case: some parsers do not tell the cases apart. */
const STEERING: ReadonlySet<string> = new Set(["model", "models", "provider"]);

/** `auto` chooses among models of text chat, which no path that takes a form is for. */
const NO_NEEDS: Needs = { tools: false, vision: false, json: false, context: 0 };

/** Reads the target: `model`, exactly once and as text, wherever in the form it stands. Refuses with 400. */
export function askedOfForm({ parts }: FormBody): Asked {
  const steering = parts.filter(({ name }) => STEERING.has(memberOf(name).toLowerCase()));
  const other = steering.find(({ name }) => name !== "model");
  if (other)
    return invalid(
      other.name,
      `${other.name} is not read in a form, and never passed on. A form names its one target in model: a model, or provider/model to pin a provider.`,
    );
  const [model, ...more] = steering;
  if (!model) return invalid("model", "model is missing: name a model, or provider/model, in a field of the form.");
  if (more.length > 0)
    return invalid("model", "model stands in the form more than once, so that it could be read in two ways.");
  const value = contentOf(model);
  if (value === FILE) return invalid("model", "model must be a text field of the form, not a file.");
  const parsed = ModelName.safeParse(value);
  if (!parsed.success) return invalid("model", `model ${parsed.error.issues[0]?.message ?? "is not valid"}.`);
  return { targets: [parsed.data], preferences: {}, needs: () => NO_NEEDS };
}

function invalid(param: string, why: string): never {
  return refuse({ code: "invalid_request", param, why });
}
