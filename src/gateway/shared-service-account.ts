// The service account in a Worker secret, parsed once per isolate.
import type { Env } from "../env.ts";
import { parseServiceAccount, type ServiceAccount } from "../store/service-account.ts";

const parsed = new WeakMap<Env, Map<string, ServiceAccount | null>>();

/** The service account that the secret `name` holds as `text`. Null when it is none: that is logged once. */
export function sharedServiceAccount(env: Env, name: string, text: string): ServiceAccount | null {
  const ofEnv = parsed.get(env) ?? new Map<string, ServiceAccount | null>();
  parsed.set(env, ofEnv);
  const known = ofEnv.get(name);
  if (known !== undefined) return known;
  const account = parseServiceAccount(text);
  ofEnv.set(name, account);
  if (account === null)
    console.error(
      JSON.stringify({ message: "credentials.unreadable", secret: name, why: "no Google service account" }),
    );
  return account;
}
