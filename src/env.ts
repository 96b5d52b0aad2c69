// Bindings and variables of the Worker: typed, and checked once per isolate. A leaf: it imports nothing of ours.
import * as z from "zod";

export interface Env {
  CONFIG: KVNamespace;
  DB: D1Database;
  AUDIT: Queue<unknown>;
  /** Secret, at least 32 characters; without it the operator routes stay closed. */
  OPERATOR_TOKEN?: string;
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
const LOOPBACK_HOSTS = new Set(["127.0.0.1", "localhost", "[::1]"]);

const seconds = (fallback: number) => z.coerce.number().positive().max(86_400).default(fallback);

const list = z
  .string()
  .transform((text) => text.split(",").map((item) => item.trim()))
  .pipe(z.array(z.string().min(1)));

const loopbackUrl = z
  .url({ protocol: /^http$/ })
  .refine(
    (url) => LOOPBACK_HOSTS.has(URL.parse(url)?.hostname ?? ""),
    "must be an address on this machine (127.0.0.1 or localhost)",
  )
  .transform((url) => url.replace(/\/+$/, ""));

/** Every variable the Worker reads, with its unit in its name. Unset means the default; malformed shuts the gateway. */
const Settings = z.object({
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
   * Between two bytes of an answer. Most providers send a ping or a comment every few seconds, but a reasoning model
   * behind one that does not can think for minutes; five is where agents themselves give up.
   */
  UPSTREAM_IDLE_TIMEOUT_SECONDS: seconds(300),
  ALLOWED_ORIGINS: list.optional(),
  SANDBOX_UPSTREAM: loopbackUrl.optional(),
  SANDBOX_PROVIDERS: list.optional(),
  /** A shorter one is as good as none: the operator's routes stay closed, and nothing else is affected. */
  OPERATOR_TOKEN: z
    .string()
    .optional()
    .transform((token) => (token !== undefined && token.length >= MIN_OPERATOR_TOKEN_LENGTH ? token : undefined)),
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

/**
 * The secret of that name, or undefined. Provider secrets are named by the catalog, so their names are not known here.
 * Only names in capitals are looked up, so that a catalog cannot name a binding's method or prototype.
 */
export function readSecret(env: Env, name: string): string | undefined {
  if (!/^[A-Z][A-Z0-9_]*$/.test(name) || !Object.hasOwn(env, name)) return undefined;
  const value = (env as unknown as Record<string, unknown>)[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}
