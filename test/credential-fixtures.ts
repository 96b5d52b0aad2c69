// Keys and credentials to test with, and a network in which every provider can be reached by its real address.
import { vi } from "vitest";
import type { Env } from "../src/env.ts";
import { type ProviderSecret, type SealedCredential, sealCredential } from "../src/store/provider-credentials.ts";
import { keyringOf } from "../src/store/sealing.ts";
import { type ServiceAccount, TOKEN_URI } from "../src/store/service-account.ts";

/** A new key as `openssl rand -base64 32` makes one. */
export const newCredentialsKey = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64");

/** What the gateway of this environment would store for an organization. */
export function sealedIn(
  env: Pick<Env, "CREDENTIALS_KEY">,
  place: { org: string; provider: string },
  secret: ProviderSecret | string,
  variables: Record<string, string> = {},
): SealedCredential {
  const key = keyringOf(env as Env).sealing;
  if (!key) throw new Error("CREDENTIALS_KEY is not set");
  return sealCredential(key, place, {
    secret: typeof secret === "string" ? { kind: "secret", secret } : secret,
    variables,
    created_at: "2026-11-01T00:00:00.000Z",
    created_by: "owner@acme.example",
  });
}

const pem = (label: string, bytes: ArrayBuffer) =>
  `-----BEGIN ${label}-----\n${Buffer.from(bytes)
    .toString("base64")
    .replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;

/** A service account with a real RSA key, and the public half to check its signatures with. */
export async function newServiceAccount({
  bits = 2048,
}: {
  bits?: number;
} = {}): Promise<{ account: ServiceAccount; publicKey: CryptoKey }> {
  const { privateKey, publicKey } = (await crypto.subtle.generateKey(
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: bits, publicExponent: Uint8Array.of(1, 0, 1) },
    true,
    ["sign", "verify"],
  )) as CryptoKeyPair;
  const account: ServiceAccount = {
    type: "service_account",
    project_id: "acme-prod",
    private_key_id: "0123456789abcdef0123456789abcdef01234567",
    private_key: pem("PRIVATE KEY", (await crypto.subtle.exportKey("pkcs8", privateKey)) as ArrayBuffer),
    client_email: "gateway@acme-prod.iam.gserviceaccount.com",
    token_uri: TOKEN_URI,
  };
  return { account, publicKey };
}

/** What went out: where to, and with what. */
export interface Sent {
  url: string;
  authorization: string | null;
  body: string;
}

/** Answers for every host in place of the network, until `vi.unstubAllGlobals()`; what was sent is kept. */
export function replaceNetwork(answer: (sent: Sent, signal: AbortSignal) => Response | Promise<Response>): Sent[] {
  const journal: Sent[] = [];
  vi.stubGlobal("fetch", async (input: string, init: RequestInit) => {
    const request = new Request(input, init);
    const body = new TextDecoder().decode(await request.arrayBuffer());
    const sent = { url: request.url, authorization: request.headers.get("authorization"), body };
    journal.push(sent);
    return answer(sent, request.signal);
  });
  return journal;
}

export const completion = () => Response.json({ choices: [{ message: { role: "assistant", content: "Hello." } }] });
