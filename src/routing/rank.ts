// The order in which admitted candidates are tried. Pure.
import type { Routable } from "./ladder.ts";
import { knownPrice, type Preferences } from "./preferences.ts";

/**
 * The client's own order first, then healthy before unhealthy, then the cheapest (input + output per million tokens).
 * Without fallbacks only the first remains, or those that the client ordered.
 */
export function rank<C extends Routable, T extends { readonly candidate: C }>(
  admitted: readonly T[],
  { preferences, isHealthy }: { preferences: Preferences; isHealthy: (candidate: C) => boolean },
): T[] {
  if (admitted.length < 2) return [...admitted];
  const { order = [], allow_fallbacks } = preferences;
  const keyed = admitted.map((item) => {
    const { provider, mapping } = item.candidate;
    const { input, output } = knownPrice(mapping.price);
    const place = order.indexOf(provider.id);
    return {
      item,
      place: place < 0 ? order.length : place,
      sick: isHealthy(item.candidate) ? 0 : 1,
      price: input + output,
    };
  });
  // Not a difference of prices: Infinity - Infinity is NaN.
  keyed.sort((a, b) => a.place - b.place || a.sick - b.sick || (a.price === b.price ? 0 : a.price < b.price ? -1 : 1));
  const ranked = keyed.map(({ item }) => item);
  return allow_fallbacks === false && order.length === 0 ? ranked.slice(0, 1) : ranked;
}
