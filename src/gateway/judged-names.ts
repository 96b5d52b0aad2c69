// The names of a body's members that the gateway judges or sets, exactly as they are written. Some providers read JSON
// without regard to case (Go's decoder does) or take `webSearchOptions` for `web_search_options` (protobuf's does), so
// that `Model` would be a second `model` there: what looks like one of these and is not is refused. Pure.

/**
 * Members that have a provider call somebody else, without a tool. Other members pass through unknown, so this is a list of what is
 * documented: https://developers.openai.com/api/docs/guides/tools-web-search (web_search_options),
 * https://docs.x.ai/docs/guides/live-search (search_parameters), https://www.alibabacloud.com/help/en/model-studio/web-search
 * (enable_search, search_options, enable_code_interpreter), https://cloud.baidu.com/doc/qianfan-docs/s/Wm8r4sw29
 * (web_search), https://cloud.tencent.com/document/product/1729/111007 (enable_enhancement,
 * force_search_enhancement), https://console.groq.com/docs/compound/built-in-tools
 * (compound_custom, search_settings), https://learn.microsoft.com/azure/ai-services/openai/references/on-your-data
 * (data_sources), https://openrouter.ai/docs/features/web-search (plugins), https://platform.claude.com/docs/en/agents-and-tools/mcp-connector
 * (mcp_servers).
 */
export const SWITCHES = [
  "web_search_options",
  "search_parameters",
  "enable_search",
  "search_options",
  "enable_code_interpreter",
  "web_search",
  "enable_enhancement",
  "force_search_enhancement",
  "compound_custom",
  "search_settings",
  "data_sources",
  "plugins",
  "mcp_servers",
] as const;

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
  "diagnostics",
  "thread",
  "prompt",
  "prompt_cache_retention",
  "prompt_cache_options",
  "cache_control",
  "system",
  // Where tools and addresses stand
  "tools",
  "messages",
  "input",
  // Where other models are named
  "moderation",
  "safety_model",
  "guardrails",
  ...SWITCHES,
  // By which an aggregator is steered
  "route",
  "transforms",
  "providerOptions",
  "extra_body",
] as const;

/** Lists of members to judge, set or drop are made of these, so that none can be forgotten here. */
export type JudgedName = (typeof JUDGED)[number];

const BY_LOOKS: ReadonlyMap<string, string> = new Map(JUDGED.map((name) => [looksOf(name), name]));

/** Letters without their case, as Go folds them: the long s and the Kelvin sign are letters too. */
export function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** A name without what some parser disregards: case, and underscores. */
export function looksOf(name: string): string {
  return folded(name).replaceAll("_", "");
}

/** The first name that is a judged one but for its case or underscores, with that one; null when there is none. */
export function lookAlike(names: Iterable<string>): { name: string; of: string } | null {
  for (const name of names) {
    const of = BY_LOOKS.get(looksOf(name));
    if (of !== undefined && of !== name) return { name, of };
  }
  return null;
}
