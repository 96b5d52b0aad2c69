// A Google service account, as the JSON that Google hands out: what of it is needed, checked. Everything else is dropped.
import { createPrivateKey } from "node:crypto";
import * as z from "zod";

/** Where a service account is exchanged for an access token: here and nowhere else, whatever a JSON says. */
export const TOKEN_URI = "https://oauth2.googleapis.com/token";

const MIN_RSA_BITS = 2048;

export const ServiceAccount = z.object(
  {
    type: z.literal("service_account", "must be service_account"),
    project_id: z.string("is missing").min(1).max(64),
    private_key_id: z.string("is missing").regex(/^[\w-]{1,128}$/, "must be the id of a key"),
    private_key: z
      .string("is missing")
      .max(16_384)
      .refine(isRsaKey, `must be a private RSA key of at least ${MIN_RSA_BITS} bits, as PEM`),
    client_email: z.email("must be the service account's email address").max(254),
    token_uri: z.literal(TOKEN_URI, `must be ${TOKEN_URI}`),
    universe_domain: z.literal("googleapis.com", "must be googleapis.com").optional(),
  },
  "must be a service account's JSON",
);
export type ServiceAccount = z.infer<typeof ServiceAccount>;

/** The same, given as the text of the file or as its content. */
export const GivenServiceAccount = z.preprocess(
  (given) => (typeof given === "string" ? parsedJson(given) : given),
  ServiceAccount,
);

/** The service account in a text, or null when it holds none. */
export function parseServiceAccount(text: string): ServiceAccount | null {
  return GivenServiceAccount.safeParse(text).data ?? null;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The engine's message quotes the text.
    return undefined;
  }
}

function isRsaKey(pem: string): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(pem);
    return asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS;
  } catch {
    return false;
  }
}
