// The variables of the local Worker. They reach wrangler in a file that only its owner can read: the arguments of a
// process show to everyone in `ps`.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { Halt } from "./command.ts";
import { DEV_VARS_FILE, LOCAL_VARIABLES_FILE } from "./paths.ts";
import { writePrivateFile } from "./private-file.ts";

export interface LocalVariables {
  operatorToken: string;
  credentialsKey: string;
  auditSigningKey: string;
  /** Null when the real providers are called. */
  upstream: string | null;
  /** Comma-separated; of the providers, those that the stand-in has credentials for. */
  sandboxProviders?: string | undefined;
}

/** What the developer's own .dev.vars sets. */
export function readDevVars(): Record<string, string | undefined> {
  return existsSync(DEV_VARS_FILE) ? parseEnv(readFileSync(DEV_VARS_FILE, "utf8")) : {};
}

/**
 * Writes the variables and returns the files for `--env-file`: with that option wrangler no longer looks for .dev.vars
 * by itself, and a later file overrides an earlier one. An empty variable counts as unset, so `--live` stays live
 * whatever .dev.vars says.
 */
export function writeLocalVariables(given: LocalVariables): string[] {
  const { operatorToken, credentialsKey, auditSigningKey, upstream, sandboxProviders = "" } = given;
  const variables = {
    OPERATOR_TOKEN: operatorToken,
    CREDENTIALS_KEY: credentialsKey,
    AUDIT_SIGNING_KEY: auditSigningKey,
    SANDBOX_UPSTREAM: upstream ?? "",
    SANDBOX_PROVIDERS: sandboxProviders,
  };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${quoted(name, value)}\n`);
  writePrivateFile(LOCAL_VARIABLES_FILE, lines.join(""));
  return existsSync(DEV_VARS_FILE) ? [DEV_VARS_FILE, LOCAL_VARIABLES_FILE] : [LOCAL_VARIABLES_FILE];
}

function quoted(name: string, value: string): string {
  if (/['\r\n]/.test(value)) throw new Halt(`${name} must not contain quotes or line breaks.`);
  // wrangler expands variables within quotes too.
  return `'${value.replaceAll("$", "\\$")}'`;
}

export function newCredentialsKey(): string {
  return randomBytes(32).toString("base64");
}

/** An Ed25519 key, as PKCS #8 in base64. */
export function newAuditSigningKey(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
}

export function newOperatorToken(): string {
  return `pclop_${randomBytes(32).toString("base64url")}`;
}
