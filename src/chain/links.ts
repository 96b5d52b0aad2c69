// The hash chain of an organization's security events: each link commits to its event and to the link before it, so that
// nothing can be changed, left out, moved or put in without breaking it. Pure: the Worker seals and verifies with it, and
// so does the command line, offline.
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/** What stands before the first link. */
export const GENESIS = "0".repeat(64);

/** Where a chain ends, or is known to have been. */
export interface Tip {
  readonly seq: number;
  readonly hash: string;
}

/** An event's place in the chain. */
export interface Seal extends Tip {
  readonly prev_hash: string;
}

/** A link as it is stored or exported: what was sealed, and its seal. `event` is null where it is gone. */
export interface Link extends Seal {
  readonly event: unknown;
}

export const START: Tip = { seq: 0, hash: GENESIS };

/** The SHA-256, in lower-case hex, of the RFC 8785 form of the event with its place and the hash before it. */
export function hashOf(event: unknown, { seq, prev_hash }: Pick<Seal, "seq" | "prev_hash">): string {
  const text = canonicalize({ event, prev_hash, seq });
  return createHash("sha256")
    .update(text ?? "")
    .digest("hex");
}

/** The seals for `events`, in that order, behind `tip`. */
export function sealAll(events: readonly unknown[], tip: Tip): Seal[] {
  let { seq, hash } = tip;
  return events.map((event) => {
    const link = { seq: seq + 1, prev_hash: hash };
    hash = hashOf(event, link);
    seq = link.seq;
    return { ...link, hash };
  });
}

/** Why a chain is broken at a link. */
export type Break = { readonly seq: number; readonly event: string | null } & (
  | { readonly reason: "missing"; readonly next: number }
  | { readonly reason: "event_missing" | "event_changed" | "not_linked" | "out_of_order" }
);

export type Walked = { readonly ok: true; readonly tip: Tip } | { readonly ok: false; readonly broken: Break };

/** Walks links, which must follow `from` in the order of their numbers; stops at the first that does not fit. */
export function walk(links: Iterable<Link>, from: Tip): Walked {
  let tip = from;
  for (const { seq, prev_hash, hash, event } of links) {
    const id = idOf(event);
    const brokenAt = (reason: "event_missing" | "event_changed" | "not_linked" | "out_of_order"): Walked => ({
      ok: false,
      broken: { seq, event: id, reason },
    });
    if (seq > tip.seq + 1)
      return { ok: false, broken: { seq: tip.seq + 1, event: null, reason: "missing", next: seq } };
    if (seq !== tip.seq + 1) return brokenAt("out_of_order");
    if (event === null || event === undefined) return brokenAt("event_missing");
    if (prev_hash !== tip.hash) return brokenAt("not_linked");
    if (!isSealedBy(hash, event, { seq, prev_hash })) return brokenAt("event_changed");
    tip = { seq, hash };
  }
  return { ok: true, tip };
}

/** What has no canonical form, such as a number beyond all bounds, was never sealed. */
function isSealedBy(hash: string, event: unknown, place: Pick<Seal, "seq" | "prev_hash">): boolean {
  try {
    return hashOf(event, place) === hash;
  } catch {
    return false;
  }
}

function idOf(event: unknown): string | null {
  const id = (event as { id?: unknown } | null | undefined)?.id;
  return typeof id === "string" ? id : null;
}
