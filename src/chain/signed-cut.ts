// A signed cut: "everything up to this link was older than that moment, and retention removed it". A statement of its own,
// so that no ordinary head, of which there are many, can stand for a beginning that somebody else cut off.
import * as z from "zod";
import type { Tip } from "./links.ts";
import { SignedHead, type Signer, signStatement } from "./signed-head.ts";

export const SignedCut = SignedHead.extend({ removed_before: z.iso.datetime() });
export type SignedCut = z.infer<typeof SignedCut>;

/** Signs that everything up to `tip` was older than `removedBefore` and is removed at `at` (both RFC 3339). */
export function signCut(
  signer: Signer,
  org: string | null,
  { tip, removedBefore, at }: { tip: Tip; removedBefore: string; at: string },
): Promise<SignedCut> {
  const { seq, hash } = tip;
  return signStatement(signer, { org, seq, hash, at, removed_before: removedBefore, key_id: signer.key_id });
}
