// Finding things in a catalog by their ids. Pure.
import type { Catalog, Mapping, Model, Provider } from "./schema.ts";

/** One way to reach a model: the provider and its mapping of it. */
export interface Candidate {
  readonly provider: Provider;
  /** The canonical model id. */
  readonly model: string;
  readonly mapping: Mapping;
}

export interface CatalogIndex {
  readonly version: string;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly models: ReadonlyMap<string, Model>;
  /** Alias → canonical id. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Every candidate of a model, by canonical id. */
  readonly candidates: ReadonlyMap<string, readonly Candidate[]>;
}

/** Indexes a catalog that its schema has accepted. */
export function indexCatalog(catalog: Catalog): CatalogIndex {
  const providers = new Map(catalog.providers.map((provider) => [provider.id, provider]));
  const aliases = new Map<string, string>();
  const candidates = new Map<string, Candidate[]>();
  for (const { id, aliases: names = [], providers: mappings } of catalog.models) {
    for (const name of names) aliases.set(name, id);
    candidates.set(
      id,
      mappings.flatMap((mapping) => {
        const provider = providers.get(mapping.provider);
        return provider ? [{ provider, model: id, mapping }] : [];
      }),
    );
  }
  return {
    version: catalog.version,
    providers,
    models: new Map(catalog.models.map((model) => [model.id, model])),
    aliases,
    candidates,
  };
}
