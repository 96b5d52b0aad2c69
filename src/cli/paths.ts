// Where things lie. Everything under .wrangler is local, ignored by git, and may be deleted.
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const inRepository = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const ROOT = inRepository("");
export const SCHEMA_FILE = inRepository("schema.sql");
export const MIGRATIONS_DIRECTORY = inRepository("src/store/migrations");
export const PROVIDERS_FILE = inRepository("src/catalog/providers.json");
export const MODELS_FILE = inRepository("src/catalog/models.json");
export const WRANGLER_CONFIG = inRepository("wrangler.toml");
export const WRANGLER_BIN = inRepository("node_modules/wrangler/bin/wrangler.js");

export const DEV_VARS_FILE = inRepository(".dev.vars");

/** Another directory gives another installation of the demo beside the usual one, for tests for instance. */
const LOCAL_DIRECTORY = resolve(process.env.PORTCULLIS_LOCAL_DIRECTORY || inRepository(".wrangler"));
/** Where `wrangler dev` keeps KV and D1. */
export const STATE_DIRECTORY = join(LOCAL_DIRECTORY, "state");
export const DEMO_FILE = join(LOCAL_DIRECTORY, "demo.json");
export const LOCAL_VARIABLES_FILE = join(LOCAL_DIRECTORY, "start.env");

export const OPERATOR_TOKEN_FILE = inRepository(".wrangler/operator-token");
