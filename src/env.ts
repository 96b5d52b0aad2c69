// Bindings and variables of the Worker: typed, and checked once per isolate. A leaf: it imports nothing of ours.
import * as z from "zod";

export interface Env {
  CONFIG: KVNamespace;
  DB: D1Database;
  AUDIT: Queue<unknown>;
  /** Blocks that are stored one by one, per key and minute. */
  BLOCKS_PER_KEY: RateLimit;
  /** Counts attempts to sign in, and what of the refused ones is recorded; the limits are in wrangler.toml. */
  SIGN_IN_ATTEMPTS: RateLimit;
  SIGN_IN_RECORDS: RateLimit;
  /** Secret, at least 32 characters; without it the operator routes stay closed. */
  OPERATOR_TOKEN?: string;
  /** Secret: the Ed25519 key, base64 of PKCS #8, by which the heads of the event chains are signed. */
  AUDIT_SIGNING_KEY?: string;
  AUDIT_RETIRED_KEYS?: string;
  /** Secret, 32 bytes in base64: seals organizations' own provider keys; without it none can be stored or used. */
  CREDENTIALS_KEY?: string;
  /** Secret, comma-separated: earlier keys, while what they sealed is not sealed anew yet. */
  CREDENTIALS_KEY_PREVIOUS?: string;
  ACCESS_TEAM_DOMAIN?: string;
  ACCESS_AUD?: string;
  CONFIG_TTL_SECONDS?: string;
  CONFIG_MAX_STALE_SECONDS?: string;
  MAX_BODY_BYTES?: string;
  UPSTREAM_HEADERS_TIMEOUT_SECONDS?: string;
  UPSTREAM_IDLE_TIMEOUT_SECONDS?: string;
  ALLOWED_ORIGINS?: string;
  SANDBOX_UPSTREAM?: string;
  SANDBOX_PROVIDERS?: string;
}

const MIB = 1024 * 1024;
const MIN_OPERATOR_TOKEN_LENGTH = 32;
/** How the base64 of every Ed25519 private key begins (RFC 8410). */
const ED25519_PKCS8 = "MC4CAQAwBQYDK2VwBCIEI";
/** This machine, as a parsed URL names it. */
export const LOOPBACK_HOSTS = new Set(["127.0.0.1", "localhost", "[::1]"]);

const seconds = (fallback: number) => z.coerce.number().positive().max(86_400).default(fallback);

const list = z
  .string()
  .transform((text) => text.split(",").map((item) => item.trim()))
  .pipe(z.array(z.string().min(1)));

/** Origins as a browser sends them: a scheme and a host, and a port where it is not the usual one. */
const origins = list.pipe(
  z.array(z.string().refine((text) => URL.parse(text)?.origin === text, "must be origins such as https://app.example")),
);

const loopbackUrl = z
  .url({ protocol: /^http$/ })
  .refine(
    (url) => LOOPBACK_HOSTS.has(URL.parse(url)?.hostname ?? ""),
    "must be an address on this machine (127.0.0.1 or localhost)",
  )
  .transform((url) => url.replace(/\/+$/, ""));

/** `<team>.cloudflareaccess.com`, as the issuer that signs. No other domain may say who somebody is. */
const accessIssuer = z
  .string()
  .regex(
    /^(https:\/\/)?[a-z0-9][a-z0-9-]{0,62}\.cloudflareaccess\.com\/?$/,
    "must be a team's domain, such as acme.cloudflareaccess.com",
  )
  .transform((domain) => `https://${domain.replace(/^https:\/\//, "").replace(/\/$/, "")}`);

/** Every variable the Worker reads, with its unit in its name. Unset means the default; malformed shuts the gateway. */
const Settings = z
  .object({
    CONFIG_TTL_SECONDS: seconds(10),
    CONFIG_MAX_STALE_SECONDS: seconds(300),
    MAX_BODY_BYTES: z.coerce
      .number()
      .int()
      .positive()
      .max(100 * MIB)
      .default(8 * MIB),
    UPSTREAM_HEADERS_TIMEOUT_SECONDS: seconds(300),
    /**
     * Between two bytes of a stream. Most providers send a ping or a comment every few seconds, but a reasoning model
     * behind one that does not can think for minutes; five is where agents themselves give up.
     */
    UPSTREAM_IDLE_TIMEOUT_SECONDS: seconds(300),
    ALLOWED_ORIGINS: origins.optional(),
    SANDBOX_UPSTREAM: loopbackUrl.optional(),
    SANDBOX_PROVIDERS: list.optional(),
    AUDIT_SIGNING_KEY: z
      .base64()
      .refine(
        (text) => text.startsWith(ED25519_PKCS8) && text.length === 64,
        "must be an Ed25519 private key as base64 of PKCS #8",
      )
      .optional(),
    /** Public keys of earlier signing keys: the `x` of their JWKs. */
    AUDIT_RETIRED_KEYS: list
      .pipe(z.array(z.string().regex(/^[A-Za-z0-9_-]{43}$/, "must be the x of a JWK")))
      .optional(),
    ACCESS_TEAM_DOMAIN: accessIssuer.optional(),
    ACCESS_AUD: z
      .string()
      .regex(/^[A-Za-z0-9_-]{32,128}$/, "must be the application's audience (AUD) tag")
      .optional(),
    /** A shorter one is as good as none: the operator's routes stay closed, and nothing else is affected. */
    OPERATOR_TOKEN: z
      .string()
      .optional()
      .transform((token) => (token !== undefined && token.length >= MIN_OPERATOR_TOKEN_LENGTH ? token : undefined)),
  })
  .superRefine(({ ACCESS_TEAM_DOMAIN, ACCESS_AUD }, context) => {
    // Half a configuration of who may come in is none: neither "everybody Access lets through" nor "Access is off".
    if ((ACCESS_TEAM_DOMAIN === undefined) === (ACCESS_AUD === undefined)) return;
    const [set, missing] =
      ACCESS_AUD === undefined ? ["ACCESS_TEAM_DOMAIN", "ACCESS_AUD"] : ["ACCESS_AUD", "ACCESS_TEAM_DOMAIN"];
    context.addIssue({ code: "custom", path: [missing], message: `must be set too, since ${set} is` });
  });
export type Settings = z.infer<typeof Settings>;

export type SettingsResult = { ok: true; settings: Settings } | { ok: false; problem: string };

const checked = new WeakMap<Env, SettingsResult>();

/** Reads the variables of `env`; the problem names the variable that is malformed, never its value. */
export function readSettings(env: Env): SettingsResult {
  const known = checked.get(env);
  if (known) return known;
  const given = Object.fromEntries(
    Object.keys(Settings.shape)
      .map((name) => [name, env[name as keyof Env]])
      .filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = Settings.safeParse(given);
  const result: SettingsResult = parsed.success
    ? { ok: true, settings: parsed.data }
    : { ok: false, problem: parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`).join("; ") };
  checked.set(env, result);
  return result;
}

/** A variable is malformed. The message says which, and never its value. */
export class Misconfigured extends Error {
  constructor(problem: string) {
    super(`A variable is malformed: ${problem}.`);
  }
}

/** The checked variables. Throws {@link Misconfigured} when one is malformed. */
export function settingsOf(env: Env): Settings {
  const read = readSettings(env);
  if (read.ok) return read.settings;
  throw new Misconfigured(read.problem);
}

/** The Worker's own variables, which a catalog could otherwise name as a provider's secret and so have sent to it. */
const OWN_VARIABLES = new Set([...Object.keys(Settings.shape), "CREDENTIALS_KEY", "CREDENTIALS_KEY_PREVIOUS"]);

/**
 * The secret of that name, or undefined. Provider secrets are named by the catalog, so their names are not known here.
 * Only names in capitals are looked up, so that a catalog cannot name a binding's method or prototype.
 */
export function readSecret(env: Env, name: string): string | undefined {
  if (!/^[A-Z][A-Z0-9_]*$/.test(name) || OWN_VARIABLES.has(name) || !Object.hasOwn(env, name)) return undefined;
  const value = (env as unknown as Record<string, unknown>)[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}
