// A signed head: "at this moment the chain of this organization had this many links and ended in this hash". It leaves the
// database at once, so that cutting off the chain's end, or rebuilding all of it, shows to whoever kept one.
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import * as z from "zod";
import { START, type Tip } from "./links.ts";

export const SignedHead = z.strictObject({
  /** Null for events that belong to no organization: whose they were could not be read. */
  org: z.string().min(1).max(64).nullable(),
  seq: z.number().int().nonnegative(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.iso.datetime(),
  key_id: z.string().regex(/^[0-9a-f]{16}$/),
  /** Ed25519 over the RFC 8785 form of the other members, base64url. */
  signature: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
});
export type SignedHead = z.infer<typeof SignedHead>;

/** An Ed25519 public key as a JWK (RFC 8037). */
export const PublicKey = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});
export type PublicKey = z.infer<typeof PublicKey>;

export interface Signer {
  readonly key_id: string;
  readonly publicKey: PublicKey;
  readonly sign: (bytes: Uint8Array<ArrayBuffer>) => Promise<string>;
}

/** The first 16 hex digits of the SHA-256 of the public key. */
export function keyIdOf({ x }: PublicKey): string {
  return createHash("sha256").update(Buffer.from(x, "base64url")).digest("hex").slice(0, 16);
}

/** A signer with the private key in `pkcs8`, base64 of its DER form. Throws when it is no Ed25519 key. */
export async function signerOf(pkcs8: string): Promise<Signer> {
  const der = Buffer.from(pkcs8, "base64");
  const key = await crypto.subtle.importKey("pkcs8", der, { name: "Ed25519" }, true, ["sign"]);
  const publicKey = PublicKey.parse(await crypto.subtle.exportKey("jwk", key));
  return {
    key_id: keyIdOf(publicKey),
    publicKey,
    sign: async (bytes) => Buffer.from(await crypto.subtle.sign("Ed25519", key, bytes)).toString("base64url"),
  };
}

/** Signs where a chain is at `at` (RFC 3339). */
export async function signHead(signer: Signer, org: string | null, tip: Tip, at: string): Promise<SignedHead> {
  const head = { org, seq: tip.seq, hash: tip.hash, at, key_id: signer.key_id };
  return { ...head, signature: await signer.sign(signedBytes(head)) };
}

/** Whether a head was signed by one of these keys. */
export async function isGenuine({ signature, ...head }: SignedHead, keys: readonly PublicKey[]): Promise<boolean> {
  const jwk = keys.find((key) => keyIdOf(key) === head.key_id);
  if (!jwk) return false;
  const { kty, crv, x } = jwk;
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x }, { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, Buffer.from(signature, "base64url"), signedBytes(head));
}

function signedBytes(head: Omit<SignedHead, "signature">): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(canonicalize(head)));
}

/** Where a chain begins for a verifier: behind what retention removed, for which a signed head stands, or at its start. */
export function startAfter(cut: SignedHead | null): Tip {
  return cut ? { seq: cut.seq, hash: cut.hash } : START;
}
