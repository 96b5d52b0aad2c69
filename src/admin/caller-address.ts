// Where a request comes from, for counting. Cloudflare sets the header and overwrites what a client put there. Pure.

const HEADER = "cf-connecting-ip";

/** The caller's network: an IPv4 address, or the /64 of an IPv6 one, all of which one caller has. Null when unknown. */
export function networkOf(headers: Headers): string | null {
  const address = headers.get(HEADER)?.trim().toLowerCase() ?? "";
  if (address.length > 45 || !/^[0-9a-f.:]+$/.test(address)) return null;
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...right].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
