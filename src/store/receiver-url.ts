// Where events may be sent: https, to a host with a public name. Whoever may set up a webhook chooses the address, and
// the Worker calls it, so nothing may be reached by it that the open internet does not reach. Pure.
//
// A public name can resolve to a private address, and nothing here can know. That leads nowhere on Cloudflare's network;
// and requests into the installation's own zone come in by its front door (global_fetch_strictly_public).
import { LOOPBACK_HOSTS } from "../env.ts";

declare const checked: unique symbol;
/** An address that was checked; only `checkReceiverUrl` makes one. */
export type ReceiverUrl = string & { readonly [checked]: true };

export type CheckedUrl =
  | { readonly ok: true; readonly url: ReceiverUrl }
  | { readonly ok: false; readonly why: string };

const MAX_CHARACTERS = 2048;
/** Names that never mean a public host: RFC 6761, 6762, 7686, 8375, ICANN's `internal`, and what networks use by habit. */
const PRIVATE_NAMES =
  /(?:^|\.)(?:localhost|local|internal|intranet|private|corp|home|lan|home\.arpa|test|invalid|onion)$/;

/** Checks an address. With `sandbox` plain http to this machine, at any port, passes too, as it does for providers. */
export function checkReceiverUrl(text: string, { sandbox }: { sandbox: boolean }): CheckedUrl {
  const refused = (why: string): CheckedUrl => ({ ok: false, why });
  const url = text.length <= MAX_CHARACTERS ? URL.parse(text) : null;
  if (!url) return refused("must be an address such as https://siem.example.com/portcullis");
  if (url.username !== "" || url.password !== "") return refused("must hold no user name and no password");
  if (url.hash !== "") return refused("must have no fragment: it would never be sent");
  // As the parser has it: 0x7f.1, 2130706433 and full-width digits are all 127.0.0.1 by now.
  const { protocol, hostname, port, href } = url;
  if (sandbox && protocol === "http:" && LOOPBACK_HOSTS.has(hostname)) return { ok: true, url: href as ReceiverUrl };
  if (protocol !== "https:") return refused("must begin with https://");
  // Internal services listen elsewhere, and a status per port would tell which.
  if (port !== "") return refused("must be at port 443");
  if (hostname.startsWith("[") || /^[\d.]+$/.test(hostname)) return refused("must name a host, not an IP address");
  if (hostname.endsWith(".")) return refused("must name a host without a dot at its end");
  if (!hostname.includes(".") || PRIVATE_NAMES.test(hostname)) return refused("must name a public host");
  return { ok: true, url: href as ReceiverUrl };
}
