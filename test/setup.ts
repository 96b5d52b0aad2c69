// Applies the schema before each test file, as a deployment does: idempotent.
import { env } from "cloudflare:workers";

await env.DB.prepare(env.TEST_SCHEMA).run();
