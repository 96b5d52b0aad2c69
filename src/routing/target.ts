// What a client means by `model`: a model, a model pinned to a provider, or `auto`. Exact and case-sensitive. Pure.

/** The part of a catalog that targets are looked up in; `C` is one way to reach a model. */
export interface Directory<C extends { readonly provider: { readonly id: string } }> {
  readonly providers: ReadonlyMap<string, unknown>;
  readonly aliases: ReadonlyMap<string, string>;
  readonly candidates: ReadonlyMap<string, readonly C[]>;
}

export type Target<C> =
  | { kind: "found"; mode: "pinned" | "auto"; model: string; candidates: readonly C[] }
  | { kind: "not_found"; model: string; why: string };

/** The name of automatic routing over models. */
export const AUTO = "auto";

/** Resolves `model` or `provider/model`; aliases first. `auto` is not for this function. */
export function resolveTarget<C extends { readonly provider: { readonly id: string } }>(
  name: string,
  directory: Directory<C>,
): Target<C> {
  const slash = name.indexOf("/");
  const provider = slash < 0 ? null : name.slice(0, slash);
  const called = name.slice(slash + 1);
  const model = directory.aliases.get(called) ?? called;
  const notFound = (why: string): Target<C> => ({ kind: "not_found", model: name, why });

  if (provider !== null && !directory.providers.has(provider))
    return notFound("The catalog has no such provider. Write the model as `model` or as `provider/model`.");
  const candidates = directory.candidates.get(model);
  if (!candidates) {
    const near = nearest(called, directory);
    const hint = near ? ` Did you mean ${near}?` : "";
    return notFound(`The catalog has no such model.${hint} GET /v1/models lists the models you may use.`);
  }
  if (provider === null) return { kind: "found", mode: "auto", model, candidates };
  const pinned = candidates.filter((candidate) => candidate.provider.id === provider);
  if (pinned.length === 0) return notFound(`${provider} does not serve ${model}.`);
  return { kind: "found", mode: "pinned", model, candidates: pinned };
}

/** The model that differs in case or surrounding space alone. */
function nearest(
  called: string,
  { candidates, aliases }: { candidates: ReadonlyMap<string, unknown>; aliases: ReadonlyMap<string, string> },
): string | null {
  const folded = called.trim().toLowerCase();
  for (const name of [...candidates.keys(), ...aliases.keys()]) if (name.toLowerCase() === folded) return name;
  return null;
}
