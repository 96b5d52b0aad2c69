// The keys of the event chains: the one that signs their heads, and those by which heads are checked. They come from the
// environment alone, never out of the database that they are to vouch for.
import { type PublicKey, type Signer, signerOf } from "../chain/signed-head.ts";
import { type Env, settingsOf } from "../env.ts";

/** The signer of this installation, or null without a key. Throws when the key is none. */
export async function signerOfEnv(env: Env): Promise<Signer | null> {
  const { AUDIT_SIGNING_KEY } = settingsOf(env);
  return AUDIT_SIGNING_KEY === undefined ? null : signerOf(AUDIT_SIGNING_KEY);
}

/** The public keys by which heads of this installation are checked: of today's signer, and of retired ones. */
export async function publicKeys(env: Env): Promise<PublicKey[]> {
  const signer = await signerOfEnv(env);
  const retired = (settingsOf(env).AUDIT_RETIRED_KEYS ?? []).map((x) => ({ kty: "OKP", crv: "Ed25519", x }) as const);
  return [...(signer ? [signer.publicKey] : []), ...retired];
}
