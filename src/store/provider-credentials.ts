// An organization's own provider keys: how one rests in the organization's record, and how it is opened again. All that
// decides where a secret goes is bound into its seal: organization, provider, kind and the variables of the base URL.
import * as z from "zod";
import { type Keyring, open, Sealed, seal } from "./sealing.ts";
import { parseServiceAccount, type ServiceAccount } from "./service-account.ts";

const PURPOSE = "portcullis provider credential 1";

/** A key as a header can carry it. Long enough that its last characters, which are shown, leave the rest unguessed. */
export const ProviderKey = z
  .string("must be the key, as text")
  .regex(/^[\x21-\x7e]{16,4096}$/, "must be 16 to 4096 visible ASCII characters");

/** A credential at rest: everything but its secret is readable. */
export const SealedCredential = z.strictObject({
  kind: z.enum(["secret", "service_account"]),
  /** To recognize it by: the last characters of a key, the key id of a service account. */
  hint: z.string().max(128),
  /** Of the provider's base URLs; what may stand there is checked where it is used. */
  variables: z.record(z.string().max(64), z.string().max(256)),
  sealed: Sealed,
  created_at: z.iso.datetime(),
  created_by: z.string().max(254),
});
export type SealedCredential = z.infer<typeof SealedCredential>;

/** What authenticates to a provider. */
export type ProviderSecret =
  | { readonly kind: "secret"; readonly secret: string }
  | { readonly kind: "service_account"; readonly account: ServiceAccount };

/** Whose a credential is, and where it belongs. */
interface Place {
  readonly org: string;
  readonly provider: string;
}

const SHOWN_CHARACTERS = 4;

export function sealCredential(
  key: NonNullable<Keyring["sealing"]>,
  { org, provider }: Place,
  given: { secret: ProviderSecret; variables: Record<string, string>; created_at: string; created_by: string },
): SealedCredential {
  const { secret, variables, created_at, created_by } = given;
  const isKey = secret.kind === "secret";
  return {
    kind: secret.kind,
    hint: isKey ? secret.secret.slice(-SHOWN_CHARACTERS) : secret.account.private_key_id,
    variables,
    sealed: seal(
      key,
      isKey ? secret.secret : JSON.stringify(secret.account),
      purposeOf({ org, provider }, { kind: secret.kind, variables }),
    ),
    created_at,
    created_by,
  };
}

export type OpenedCredential = { ok: true; secret: ProviderSecret } | { ok: false; why: string };

/** The secret of a credential found in that place. Not ok when it was sealed elsewhere, changed, or its key is gone. */
export function openCredential(keyring: Keyring, place: Place, credential: SealedCredential): OpenedCredential {
  const opened = open(keyring, credential.sealed, purposeOf(place, credential));
  if (!opened.ok) return opened;
  const secret = secretOf(credential.kind, opened.text);
  return secret ? { ok: true, secret } : { ok: false, why: "not a credential" };
}

/** The credential sealed anew with the keyring's first key; null when it cannot be opened, or that key is missing. */
export function resealCredential(
  keyring: Keyring,
  place: Place,
  credential: SealedCredential,
): SealedCredential | null {
  const opened = open(keyring, credential.sealed, purposeOf(place, credential));
  if (!opened.ok || !keyring.sealing) return null;
  return { ...credential, sealed: seal(keyring.sealing, opened.text, purposeOf(place, credential)) };
}

function purposeOf(
  { org, provider }: Place,
  { kind, variables }: Pick<SealedCredential, "kind" | "variables">,
): string {
  const inOrder = Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([PURPOSE, org, provider, kind, inOrder]);
}

function secretOf(kind: SealedCredential["kind"], text: string): ProviderSecret | null {
  switch (kind) {
    case "secret": {
      const key = ProviderKey.safeParse(text);
      return key.success ? { kind, secret: key.data } : null;
    }
    case "service_account": {
      const account = parseServiceAccount(text);
      return account && { kind, account };
    }
  }
}
