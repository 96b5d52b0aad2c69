// The names of a body's members that the gateway judges or sets, exactly as they are written. Some providers read JSON
// without regard to case (Go's decoder does), so that `Model` would be a second `model` there: what looks like one of
// these and is not is refused. Pure.

const JUDGED = [
  // Routing
  "model",
  "models",
  "provider",
  // What is dropped, set or refused
  "fallbacks",
  "store",
  "background",
  "previous_response_id",
  "conversation",
  "container",
  "deferred",
  "prompt",
  "prompt_cache_retention",
  "prompt_cache_options",
  "cache_control",
  "system",
  // Where tools and addresses stand
  "tools",
  "messages",
  "input",
  "web_search_options",
  "search_parameters",
  "enable_search",
  "search_options",
  "enable_code_interpreter",
  "compound_custom",
  "search_settings",
  "data_sources",
  "mcp_servers",
  // By which an aggregator is steered
  "route",
  "transforms",
  "plugins",
  "providerOptions",
  "extra_body",
] as const;

/** Lists of members to judge, set or drop are made of these, so that none can be forgotten here. */
export type JudgedName = (typeof JUDGED)[number];

const BY_FOLDED: ReadonlyMap<string, string> = new Map(JUDGED.map((name) => [folded(name), name]));

/** Letters without their case, as Go folds them: the long s and the Kelvin sign are letters too. */
export function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** The first name that is a judged one but for the case of its letters, with that one; null when there is none. */
export function lookAlike(names: Iterable<string>): { name: string; of: string } | null {
  for (const name of names) {
    const of = BY_FOLDED.get(folded(name));
    if (of !== undefined && of !== name) return { name, of };
  }
  return null;
}
